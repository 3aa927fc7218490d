#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/half.h"
#include "formats/format.h"

// What the formats with blocks of 32 weights share; for this folder only, since the build forbids
// fused multiplication here and may allow it elsewhere. Everything is written so that a compiler
// can turn it into vectors of any width without changing a bit: no float sum is reordered, and a
// maximum comes out the same in any order.

namespace nibble::block32 {

static_assert(std::endian::native == std::endian::little, "block layouts are little-endian");

inline constexpr int kWeights = 32;
using Codes = std::array<uint8_t, kWeights>;

// ---- finding the extent of a block ----

struct Extent {
  float lowest, highest;
};

inline Extent extent(const float* x) {
  constexpr int kLanes = 8;
  float low[kLanes], high[kLanes];
  for (int j = 0; j < kLanes; ++j) low[j] = high[j] = x[j];
  for (int i = kLanes; i < kWeights; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) low[j] = x[i + j] < low[j] ? x[i + j] : low[j];
    for (int j = 0; j < kLanes; ++j) high[j] = x[i + j] > high[j] ? x[i + j] : high[j];
  }
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) low[j] = low[j + half] < low[j] ? low[j + half] : low[j];
    for (int j = 0; j < half; ++j) high[j] = high[j + half] > high[j] ? high[j + half] : high[j];
  }
  return {low[0], high[0]};
}

// The weight of largest magnitude, with its sign: the first of them when both signs reach it.
inline float signed_extreme(const float* x) {
  const auto [low, high] = extent(x);
  if (high > -low) return high;
  if (high < -low) return low;
  if (high == 0) return 0;
  int i = 0;
  while (x[i] != low && x[i] != high) ++i;
  return x[i];
}

// The smallest weight: of zeros of both signs the first, as a scan from the front finds it, since
// the sign is stored.
inline float first_lowest(const float* x, float lowest) {
  if (lowest != 0) return lowest;
  int i = 0;
  while (x[i] != 0) ++i;
  return x[i];
}

// ---- scales in f16 ----

// The f16 nearest to a scale; beyond the range the largest of its sign, so that blocks always
// decode to finite values.
struct StoredScale {
  f16_bits bits;
  bool clamped;
  float value() const { return f16_to_f32(bits); }
};

inline StoredScale store_scale(float v) {
  const f16_bits bits = f32_to_f16(v);
  const bool clamped = (bits & 0x7FFF) == 0x7C00;
  return {clamped ? f16_bits(bits - 1) : bits, clamped};
}

// Sets the scale to d as the reference does: its f16 value is what decodes, its full value what
// rounds. A clamped scale also rounds as clamped; one so small that its inverse is not a float
// makes a block of zeros.
inline void set_scale(float d, BlockGrid& grid) {
  const StoredScale stored = store_scale(d);
  grid.d = stored.bits;
  grid.scale[0] = stored.value();
  const float inverse = 1.0f / (stored.clamped ? grid.scale[0] : d);
  grid.inverse[0] = (std::bit_cast<uint32_t>(inverse) & 0x7FFFFFFF) < 0x7F800000 ? inverse : 0.0f;
}

inline void set_minimum(float m, BlockGrid& grid) {
  const StoredScale stored = store_scale(m);
  grid.dmin = stored.bits;
  grid.min[0] = -stored.value();
  grid.origin[0] = stored.clamped ? stored.value() : m;
}

// ---- rounding ----

// v truncated to an integer after clamping to [0, highest]; 0 for NaN.
inline int truncate_within(float v, float highest) {
  const float above = v > 0 ? v : 0;
  return int(above < highest ? above : highest);
}

// ---- packing ----

// Byte j holds code j in its low nibble and code j + 16 in its high one.
inline void pack_nibbles(const uint8_t* codes, uint8_t* nibbles) {
  for (int j = 0; j < 16; ++j) {
    nibbles[j] = uint8_t((codes[j] & 15) | ((codes[j + 16] & 15) << 4));
  }
}

inline void unpack_nibbles(const uint8_t* nibbles, uint8_t* codes) {
  for (int j = 0; j < 16; ++j) codes[j] = nibbles[j] & 15;
  for (int j = 0; j < 16; ++j) codes[j + 16] = nibbles[j] >> 4;
}

// Bit 4 of eight codes at a time: the multiplication brings bit 0 of byte j to bit 56 + j.
inline void pack_fifth_bits(const uint8_t* codes, uint8_t* fifth) {
  for (size_t k = 0; k < 4; ++k) {
    uint64_t eight;
    std::memcpy(&eight, codes + 8 * k, 8);
    fifth[k] = uint8_t((((eight >> 4) & 0x0101010101010101) * 0x0102040810204080) >> 56);
  }
}

// The other way: copies the bits to every byte, keeps bit j in byte j, and carries it to bit 7.
inline void unpack_fifth_bits(const uint8_t* fifth, uint8_t* codes) {
  for (size_t k = 0; k < 4; ++k) {
    uint64_t eight;
    std::memcpy(&eight, codes + 8 * k, 8);
    const uint64_t kept = (uint64_t(fifth[k]) * 0x0101010101010101) & 0x8040201008040201;
    eight |= ((kept + 0x7F7F7F7F7F7F7F7F) >> 3) & 0x1010101010101010;
    std::memcpy(codes + 8 * k, &eight, 8);
  }
}

// ---- whole rows ----

// Format::encode of a format: fit, round and pack of its codec, seen by the compiler as one loop.
template <auto kFit, auto kRound, auto kPack, size_t kBlockBytes>
void encode(const float* x, const float* importance, size_t n, std::byte* out) {
  BlockGrid grid;
  for (size_t i = 0; i < n; i += kWeights, x += kWeights, out += kBlockBytes) {
    kFit(x, importance, grid);
    if (importance != nullptr) importance += kWeights;
    Codes codes;
    for (int j = 0; j < kWeights; ++j) codes[j] = uint8_t(kRound(grid, j, x[j]));
    kPack(grid, codes.data(), out);
  }
}

}  // namespace nibble::block32
