#include <bit>
#include <cstring>

#include "base/half.h"
#include "formats/format.h"

// F16: one weight in 2 bytes, IEEE 754 binary16, little-endian.
//
//     bit 15 | 14 ... 10      | 9 ... 0
//     sign   | exponent (+15) | mantissa
//
// The conversions are those of base/half.h without branches, so that they run in vectors.

namespace nibble {
namespace {

float widen(f16_bits h) {
  const uint32_t sign = uint32_t(h & 0x8000) << 16;
  const uint32_t magnitude = h & 0x7FFF;
  const uint32_t normal = (magnitude << 13) + (112u << 23);
  const uint32_t special = (magnitude << 13) | 0x7F800000;
  const uint32_t subnormal = std::bit_cast<uint32_t>(float(int(magnitude)) * 0x1p-24f);
  uint32_t bits = magnitude < 0x0400 ? subnormal : normal;
  bits = magnitude >= 0x7C00 ? special : bits;
  return std::bit_cast<float>(sign | bits);
}

void decode(const std::byte* in, size_t n, float* out) {
  for (size_t i = 0; i < n; ++i) {
    f16_bits bits;
    std::memcpy(&bits, in + 2 * i, 2);
    out[i] = widen(bits);
  }
}

// Round to nearest even; what would round to infinity takes the largest finite value.
// Adding 0.5 to what is below 2^-14 leaves its multiple of 2^-24, rounded by the addition itself,
// in the low bits of the mantissa. REQUIRES a finite x.
f16_bits narrow(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const uint32_t sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7FFFFFFF;
  const uint32_t normal = (magnitude + 0xFFF + ((magnitude >> 13) & 1) - (112u << 23)) >> 13;
  const uint32_t subnormal =
      std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3F000000;
  const uint32_t small = int(magnitude) < 0x38800000 ? subnormal : normal;
  return f16_bits(sign | (int(magnitude) < 0x477FE000 ? small : 0x7BFF));
}

void encode(const float* x, const float*, size_t n, std::byte* out) {
  for (size_t i = 0; i < n; ++i) {
    const f16_bits bits = narrow(x[i]);
    std::memcpy(out + 2 * i, &bits, 2);
  }
}

}  // namespace

const Format formats::f16 = {.name = "F16",
                             .gguf_id = 1,
                             .safetensors_name = "F16",
                             .block_size = 1,
                             .block_bytes = 2,
                             .codec = nullptr,
                             .decode = decode,
                             .encode = encode};

}  // namespace nibble
