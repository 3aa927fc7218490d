#include <cstring>

#include "formats/format.h"

// F64: one weight in 8 bytes, IEEE 754 binary64, little-endian. Decoding rounds to the nearest
// float, so weights beyond its range become infinite.
//
//     bit 63 | 62 ... 52        | 51 ... 0
//     sign   | exponent (+1023) | mantissa

namespace nibble {
namespace {

void decode(const std::byte* in, size_t n, float* out) {
  for (size_t i = 0; i < n; ++i) {
    double wide;
    std::memcpy(&wide, in + 8 * i, 8);
    out[i] = float(wide);
  }
}

void encode(const float* x, const float*, size_t n, std::byte* out) {
  for (size_t i = 0; i < n; ++i) {
    const double wide = x[i];
    std::memcpy(out + 8 * i, &wide, 8);
  }
}

}  // namespace

const Format formats::f64 = {.name = "F64",
                             .gguf_id = 28,
                             .safetensors_name = "F64",
                             .block_size = 1,
                             .block_bytes = 8,
                             .codec = nullptr,
                             .decode = decode,
                             .encode = encode};

}  // namespace nibble
