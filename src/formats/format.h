#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/view.h"

namespace nibble {

// The grid one block offers: weight i belongs to group g = i / group_size and may take the values
//     scale[g] * level(code) - min[g]
// exactly as decode() will compute them. Formats with one scale per block have one group.
// round() goes the other way: the code nearest to (x - origin[g]) * inverse[g]. A plain fit rounds
// with the scale and minimum it had before they were rounded to f16, as the reference does, so
// origin and inverse are near -min and 1 / scale but not always equal to them.
struct BlockGrid {
  static constexpr int kMaxGroups = 16;
  std::array<float, kMaxGroups> scale{};    // effective, after every rounding the format does
  std::array<float, kMaxGroups> min{};      // likewise; 0 in formats without a minimum
  std::array<float, kMaxGroups> inverse{};  // 0 for a block of zeros
  std::array<float, kMaxGroups> origin{};   // 0 in formats without a minimum
  std::array<uint8_t, kMaxGroups> scale_code{}, min_code{};  // integer scales of super-blocks
  uint16_t d = 0, dmin = 0;                                  // f16 bits of the stored scales
};

// Rounding in three steps, so that error feedback (GPTQ) and training (QAT) can use fit and round
// and pack last: no method derives codes from dequantized floats.
struct BlockCodec {
  int group_size;  // weights that share scale[g] and min[g]
  int codes;       // codes are 0 .. codes-1
  // Chooses scales and mins for one block of weights. nullptr for `importance`: the plain fit of
  // the reference (largest magnitude, or smallest and largest). Else one number per weight, finite
  // and not negative: the fit searches for the grid with the least sum of importance * error².
  void (*fit)(const float* x, const float* importance, BlockGrid& grid);
  // The code of one weight in a fitted block; `index` is its place in the block.
  int (*round)(const BlockGrid& grid, int index, float x);
  // The value of a code: what decode() returns for it, bit for bit.
  float (*value)(const BlockGrid& grid, int index, int code);
  // Codes [block_size] and grid to the bytes of one block.
  void (*pack)(const BlockGrid& grid, const uint8_t* codes, std::byte* out);
};

// One storage format: how weights lie in a file. One constant per file of this folder, one row in
// registry.cpp. Never switch on a format; ask its descriptor.
struct Format {
  std::string_view name;              // "Q4_0": as the world spells it
  int32_t gguf_id;                    // id in GGUF files, -1 where GGUF has none. Never changes.
  std::string_view safetensors_name;  // dtype in safetensors files, "" where it has none
  uint32_t block_size;                // weights per block
  uint32_t block_bytes;               // bytes per block
  const BlockCodec* codec;            // nullptr: not a block-quantized format
  // Bytes to values; `in` needs no alignment. REQUIRES n % block_size == 0. nullptr: the values are
  // not weights (I64, BOOL).
  void (*decode)(const std::byte* in, size_t n, float* out);
  // Values to bytes: fit, round, pack of every block (or a faster way to the same bytes).
  // `importance` is nullptr or n weights; formats without a codec ignore it.
  // REQUIRES n % block_size == 0 and every x finite (see all_finite). The values decode() returns
  // are then finite too: what exceeds the range of the format takes its largest value.
  // nullptr: nibble carries this format from file to file but does not write weights in it.
  void (*encode)(const float* x, const float* importance, size_t n, std::byte* out);

  double bits_per_weight() const { return 8.0 * block_bytes / block_size; }
  // Bytes of n consecutive weights. REQUIRES n % block_size == 0.
  uint64_t bytes_for(uint64_t n) const { return n / block_size * block_bytes; }
  bool is_quantized() const { return codec != nullptr; }
};

namespace formats {
extern const Format f64, f32, f16, bf16;
extern const Format q8_0, q4_0, q4_1, q5_0, q5_1;
// 8-bit floats, read but not written: fp8.cpp.
extern const Format f8_e4m3, f8_e5m2, f8_e4m3fnuz, f8_e5m2fnuz, f8_e8m0;
// What containers hold beside weights, and what nibble does not compute with: carried.cpp.
extern const Format i8, i16, i32, i64, u8, u16, u32, u64, boolean, c64, f4, f6_e2m3, f6_e3m2;
}  // namespace formats

// ---- registry.cpp ----

std::span<const Format* const> all_formats();

// By name or alias, ASCII case ignored: "Q4_0", "q4_0", and the names people say (FP32, FP16,
// HALF, INT8, INT4 …). nullptr when unknown.
const Format* find_format(std::string_view name);
// As find_format, but throws Error(kUsage) with a "did you mean" and the formats that can be
// written when unknown.
const Format& format_by_name(std::string_view name);
const Format* find_gguf_format(uint32_t id);
const Format* find_safetensors_format(std::string_view dtype);
// What is known of a GGUF id nibble does not read: "Q4_K", "IQ4_K (ik_llama.cpp)",
// "Q4_0_8_8 (removed from llama.cpp)"; "" when nothing is.
std::string_view foreign_gguf_type(uint32_t id);

// ---- finite.cpp ----

// Whether x[0, n) has neither infinities nor NaNs; the first of them goes to *first_bad (which may
// be nullptr) when it has.
bool all_finite(const float* x, size_t n, size_t* first_bad);

}  // namespace nibble
