#pragma once

#include "formats/q4_0.h"
#include "formats/q4_1.h"
#include "formats/q5_0.h"
#include "formats/q5_1.h"
#include "formats/q8_0.h"
#include "kernels/isa_kernels.h"

// The block formats in plain C++: a struct per format says what one block holds.

namespace nibble::NIBBLE_ISA_NAMESPACE {
namespace {

template <class Block>
inline Block read_block(const uint8_t* p) {
  Block block;
  std::memcpy(&block, p, sizeof block);
  return block;
}

inline void unpack_nibbles(const uint8_t (&nibbles)[16], uint8_t* codes) {
  for (size_t j = 0; j < 16; ++j) {
    codes[j] = nibbles[j] & 15;
    codes[j + 16] = nibbles[j] >> 4;
  }
}

inline void add_fifth_bits(const uint8_t (&fifth)[4], uint8_t* codes) {
  for (size_t j = 0; j < kBlock; ++j) {
    codes[j] = uint8_t(codes[j] | ((fifth[j / 8] >> (j % 8)) & 1) << 4);
  }
}

struct Q4_0 {
  using Block = BlockQ4_0;
  static constexpr Codes8 kKind = Codes8::kWithZero;
  static constexpr int kZeroShift = 3;
  static float min(const Block& b) { return -8 * f16_to_f32(b.d); }
  static void codes(const Block& b, uint8_t* out) { unpack_nibbles(b.nibbles, out); }
};

struct Q4_1 {
  using Block = BlockQ4_1;
  static constexpr Codes8 kKind = Codes8::kWithMin;
  static constexpr int kZeroShift = 0;
  static float min(const Block& b) { return f16_to_f32(b.m); }
  static void codes(const Block& b, uint8_t* out) { unpack_nibbles(b.nibbles, out); }
};

struct Q5_0 {
  using Block = BlockQ5_0;
  static constexpr Codes8 kKind = Codes8::kWithZero;
  static constexpr int kZeroShift = 4;
  static float min(const Block& b) { return -16 * f16_to_f32(b.d); }
  static void codes(const Block& b, uint8_t* out) {
    unpack_nibbles(b.nibbles, out);
    add_fifth_bits(b.fifth, out);
  }
};

struct Q5_1 {
  using Block = BlockQ5_1;
  static constexpr Codes8 kKind = Codes8::kWithMin;
  static constexpr int kZeroShift = 0;
  static float min(const Block& b) { return f16_to_f32(b.m); }
  static void codes(const Block& b, uint8_t* out) {
    unpack_nibbles(b.nibbles, out);
    add_fifth_bits(b.fifth, out);
  }
};

struct Q8_0 {
  using Block = BlockQ8_0;
  static constexpr Codes8 kKind = Codes8::kSigned;
  static constexpr int kZeroShift = 0;
  static float min(const Block&) { return 0; }
  static void codes(const Block& b, uint8_t* out) { std::memcpy(out, b.q, sizeof b.q); }
};

template <class Q>
inline void unpack_blocks(const uint8_t* w, size_t blocks, uint8_t* codes, float* scales,
                          float* mins) {
  for (size_t i = 0; i < blocks; ++i) {
    const auto block = read_block<typename Q::Block>(w + i * sizeof(typename Q::Block));
    Q::codes(block, codes + i * kBlock);
    scales[i] = f16_to_f32(block.d);
    mins[i] = Q::min(block);
  }
}

template <class Q>
inline int32_t dot_codes(const uint8_t* codes, const int8_t* q) {
  constexpr bool kSigned = Q::kKind == Codes8::kSigned;
  int32_t sum = 0;
  for (size_t j = 0; j < kBlock; ++j) {
    sum += (kSigned ? int32_t(int8_t(codes[j])) : int32_t(codes[j])) * q[j];
  }
  return sum;
}

// One row of weights times a panel of `tokens` inputs.
template <class Q>
inline void dot_row(const uint8_t* w, size_t blocks, const QuantizedColumns& x, size_t tokens,
                    float (&sums)[kDotColumns]) {
  for (size_t b = 0; b < blocks; ++b) {
    uint8_t codes[kBlock];
    float scale, min;
    unpack_blocks<Q>(w + b * sizeof(typename Q::Block), 1, codes, &scale, &min);
    for (size_t t = 0; t < tokens; ++t) {
      const float product = float(dot_codes<Q>(codes, x.q + (b * tokens + t) * kBlock));
      const size_t at = (b / kGroup * tokens + t) * kGroup + b % kGroup;
      sums[t] += scale * x.scales[at] * product + min * x.sums[at];
    }
  }
}

template <class Q>
void dot_i8(const DotI8& c) {
  const size_t groups = (c.blocks + kGroup - 1) / kGroup;
  for (size_t r = 0; r < c.rows; ++r) {
    const float bias = c.bias != nullptr ? c.bias[r] : 0;
    for (size_t first = 0; first < c.tokens; first += kDotColumns) {
      const size_t tokens = c.tokens - first < kDotColumns ? c.tokens - first : kDotColumns;
      const size_t at = first * groups * kGroup;
      const QuantizedColumns panel{c.x.q + first * c.blocks * kBlock, c.x.scales + at,
                                   c.x.sums + at};
      float sums[kDotColumns] = {};
      dot_row<Q>(c.w + r * c.row_bytes, c.blocks, panel, tokens, sums);
      for (size_t t = 0; t < tokens; ++t) c.y[(first + t) * c.y_stride + r] = sums[t] + bias;
    }
  }
}

void quantize(const float* x, size_t blocks, int8_t* q, float* scales, int32_t* totals) {
  for (size_t b = 0; b < blocks; ++b, x += kBlock, q += kBlock) {
    float amax = 0, probe = 0;
    for (size_t j = 0; j < kBlock; ++j) {
      amax = std::fabs(x[j]) > amax ? std::fabs(x[j]) : amax;
      probe += x[j] * 0.0f;  // NaN when x is no finite number
    }
    const bool usable = amax >= kSmallestAmax && probe == 0;
    const float inverse = usable ? 127 / amax : 0;
    totals[b] = 0;
    for (size_t j = 0; j < kBlock; ++j) {
      q[j] = usable ? int8_t(std::nearbyint(x[j] * inverse)) : int8_t(0);
      totals[b] += q[j];
    }
    scales[b] = (usable ? amax / 127 : 0) + probe;
  }
}

}  // namespace
}  // namespace nibble::NIBBLE_ISA_NAMESPACE
