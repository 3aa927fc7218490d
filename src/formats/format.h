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
struct BlockGrid {
  static constexpr int kMaxGroups = 16;
  std::array<float, kMaxGroups> scale{};    // effective, after every rounding the format does
  std::array<float, kMaxGroups> min{};
  std::array<float, kMaxGroups> inverse{};  // what round() multiplies with; 0 for a block of zeros
  std::array<uint8_t, kMaxGroups> scale_code{}, min_code{};  // integer scales of super-blocks
  uint16_t d = 0, dmin = 0;                                  // f16 bits of the stored scales
};

// Rounding in three steps, so that error feedback (GPTQ) and training (QAT) can use fit and round
// and pack last: no method derives codes from dequantized floats.
struct BlockCodec {
  int group_size;  // weights that share scale[g] and min[g]
  int codes;       // codes are 0 .. codes-1
  // Chooses scales and mins for one block of weights. `importance` (one weight per element,
  // nullptr = all equal) is the diagonal of the quadratic loss the fit minimizes.
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
  // Bytes to values. REQUIRES n % block_size == 0. nullptr: the values are not weights (I64, BOOL).
  void (*decode)(const std::byte* in, size_t n, float* out);
  // Values to bytes: fit, round, pack of every block (or a faster way to the same bytes).
  // `importance` is nullptr or n weights. REQUIRES n % block_size == 0 and every x finite.
  // nullptr: nibble reads this format but does not write it.
  void (*encode)(const float* x, const float* importance, size_t n, std::byte* out);

  double bits_per_weight() const { return 8.0 * block_bytes / block_size; }
  // Bytes of n consecutive weights. REQUIRES n % block_size == 0.
  uint64_t bytes_for(uint64_t n) const { return n / block_size * block_bytes; }
  bool is_quantized() const { return block_size > 1; }
};

namespace formats {
extern const Format f64, f32, f16, bf16;
extern const Format q8_0, q4_0, q4_1, q5_0, q5_1;
}  // namespace formats

// ---- registry.cpp ----

std::span<const Format* const> all_formats();

// By name or alias, ASCII case ignored: "Q4_0", "q4_0", and the names people say (FP32, FP16,
// HALF, INT8, INT4 …). nullptr when unknown.
const Format* find_format(std::string_view name);
// As find_format, but throws Error(kUsage) with a "did you mean" when unknown.
const Format& format_by_name(std::string_view name);
const Format* find_gguf_format(uint32_t id);
const Format* find_safetensors_format(std::string_view dtype);
// What is known of a GGUF id nibble does not read: "IQ4_K (ik_llama.cpp)", "" when nothing is.
std::string_view foreign_gguf_type(uint32_t id);

}  // namespace nibble
