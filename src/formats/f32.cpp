#include <cstring>

#include "formats/format.h"

// F32: one weight in 4 bytes, IEEE 754 binary32, little-endian.
//
//     bit 31 | 30 ... 23       | 22 ... 0
//     sign   | exponent (+127) | mantissa

namespace nibble {
namespace {

void decode(const std::byte* in, size_t n, float* out) {
  if (n != 0) std::memcpy(out, in, n * sizeof(float));
}

void encode(const float* x, const float*, size_t n, std::byte* out) {
  if (n != 0) std::memcpy(out, x, n * sizeof(float));
}

}  // namespace

const Format formats::f32 = {.name = "F32",
                             .gguf_id = 0,
                             .safetensors_name = "F32",
                             .block_size = 1,
                             .block_bytes = 4,
                             .codec = nullptr,
                             .decode = decode,
                             .encode = encode};

}  // namespace nibble
