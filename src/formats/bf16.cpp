#include <cstring>

#include "base/half.h"
#include "formats/format.h"

// BF16: one weight in 2 bytes, the upper half of an F32, little-endian.
//
//     bit 15 | 14 ... 7        | 6 ... 0
//     sign   | exponent (+127) | mantissa

namespace nibble {
namespace {

void decode(const std::byte* in, size_t n, float* out) {
  for (size_t i = 0; i < n; ++i) {
    bf16_bits bits;
    std::memcpy(&bits, in + 2 * i, 2);
    out[i] = bf16_to_f32(bits);
  }
}

// Round to nearest even; what would round to infinity takes the largest finite value.
void encode(const float* x, const float*, size_t n, std::byte* out) {
  for (size_t i = 0; i < n; ++i) {
    const uint32_t rounded = f32_to_bf16(x[i]);
    const bf16_bits bits = bf16_bits((rounded & 0x7FFF) == 0x7F80 ? rounded - 1 : rounded);
    std::memcpy(out + 2 * i, &bits, 2);
  }
}

}  // namespace

const Format formats::bf16 = {.name = "BF16",
                              .gguf_id = 30,
                              .safetensors_name = "BF16",
                              .block_size = 1,
                              .block_bytes = 2,
                              .codec = nullptr,
                              .decode = decode,
                              .encode = encode};

}  // namespace nibble
