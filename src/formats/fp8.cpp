#include <array>
#include <bit>
#include <cstdint>
#include <limits>

#include "formats/format.h"

// 8-bit floats of safetensors checkpoints, read but not written; one weight in one byte.
//
//                    sign | exponent (bias) | mantissa | specials
//     F8_E4M3         1   |   4 (7)         |   3      | NaN: all ones; no infinity
//     F8_E5M2         1   |   5 (15)        |   2      | as IEEE: infinities and NaNs
//     F8_E4M3FNUZ     1   |   4 (8)         |   3      | NaN: 0x80; no -0, no infinity
//     F8_E5M2FNUZ     1   |   5 (16)        |   2      | NaN: 0x80; no -0, no infinity
//     F8_E8M0         0   |   8 (127)       |   0      | NaN: 0xFF; no zero: 2^(e-127)
//
// Sources: OCP OFP8 (E4M3, E5M2), Noune et al. 2022 (FNUZ), OCP MX 1.0 (E8M0).

namespace nibble {
namespace {

using Table = std::array<float, 256>;

constexpr uint32_t kNan = 0x7FC00000;

// The value of a code without regard to specials. Subnormals are mantissa * 2^(1 - bias - bits):
// the exact difference of two normal floats that share that exponent.
constexpr float plain_value(uint32_t code, uint32_t mantissa_bits, uint32_t bias) {
  const uint32_t sign = (code & 0x80) << 24;
  const uint32_t magnitude = code & 0x7F, shift = 23 - mantissa_bits;
  const uint32_t rebias = (127 - bias) << 23;
  if (magnitude >> mantissa_bits != 0) {
    return std::bit_cast<float>(sign | ((magnitude << shift) + rebias));
  }
  const float one = std::bit_cast<float>((1u << 23) + rebias);
  const float subnormal = std::bit_cast<float>(((1u << 23) + rebias) | (magnitude << shift)) - one;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(subnormal));
}

constexpr Table table_of(uint32_t mantissa_bits, uint32_t bias, bool (*is_nan)(uint32_t)) {
  Table table{};
  for (uint32_t code = 0; code < 256; ++code) {
    table[code] = is_nan(code) ? std::bit_cast<float>(((code & 0x80) << 24) | kNan)
                               : plain_value(code, mantissa_bits, bias);
  }
  return table;
}

constexpr bool all_ones(uint32_t code) { return (code & 0x7F) == 0x7F; }
constexpr bool negative_zero(uint32_t code) { return code == 0x80; }

constexpr Table e5m2_table() {
  Table table = table_of(2, 15, [](uint32_t code) { return (code & 0x7F) > 0x7C; });
  table[0x7C] = std::numeric_limits<float>::infinity();
  table[0xFC] = -std::numeric_limits<float>::infinity();
  return table;
}

constexpr Table e8m0_table() {
  Table table{};
  for (uint32_t code = 1; code < 255; ++code) table[code] = std::bit_cast<float>(code << 23);
  table[0] = 0x1p-127f;
  table[255] = std::bit_cast<float>(kNan);
  return table;
}

constexpr Table kE4M3 = table_of(3, 7, all_ones);
constexpr Table kE5M2 = e5m2_table();
constexpr Table kE4M3Fnuz = table_of(3, 8, negative_zero);
constexpr Table kE5M2Fnuz = table_of(2, 16, negative_zero);
constexpr Table kE8M0 = e8m0_table();

template <const Table& kTable>
void decode(const std::byte* in, size_t n, float* out) {
  for (size_t i = 0; i < n; ++i) out[i] = kTable[uint8_t(in[i])];
}

template <const Table& kTable>
constexpr Format fp8(std::string_view dtype) {
  return {.name = dtype,
          .gguf_id = -1,
          .safetensors_name = dtype,
          .block_size = 1,
          .block_bytes = 1,
          .codec = nullptr,
          .decode = decode<kTable>,
          .encode = nullptr};
}

}  // namespace

const Format formats::f8_e4m3 = fp8<kE4M3>("F8_E4M3");
const Format formats::f8_e5m2 = fp8<kE5M2>("F8_E5M2");
const Format formats::f8_e4m3fnuz = fp8<kE4M3Fnuz>("F8_E4M3FNUZ");
const Format formats::f8_e5m2fnuz = fp8<kE5M2Fnuz>("F8_E5M2FNUZ");
const Format formats::f8_e8m0 = fp8<kE8M0>("F8_E8M0");

}  // namespace nibble
