#pragma once

#include <immintrin.h>

#include "formats/q4_0.h"
#include "formats/q4_1.h"
#include "formats/q5_0.h"
#include "formats/q5_1.h"
#include "formats/q8_0.h"
#include "kernels/isa_kernels.h"

// The block formats with 32 codes of a block in one 256-bit register, for AVX2 and for AVX-512 with
// its vector-length extension. simd_*.h says whether codes that have a sign keep it
// (kHasSignedCodes) and how eight sums of four products are made (multiply_codes).

namespace nibble::NIBBLE_ISA_NAMESPACE {
namespace {

// codes 0 .. 15 from the low, 16 .. 31 from the high nibbles of 16 bytes.
inline __m256i nibbles(const uint8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m256i both = _mm256_broadcastsi128_si256(bytes);
  const __m256i shift = _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4);
  return _mm256_and_si256(_mm256_srlv_epi32(both, shift), _mm256_set1_epi8(15));
}

// 16 in every byte whose bit is set in the 32 bits at p.
inline __m256i fifth_bits(const uint8_t* p) {
  int32_t bits;
  std::memcpy(&bits, p, 4);
  const __m256i spread = _mm256_setr_epi64x(0x0000000000000000, 0x0101010101010101,
                                            0x0202020202020202, 0x0303030303030303);
  const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(bits), spread);
  const __m256i bit = _mm256_set1_epi64x(int64_t(0x8040201008040201));
  const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit);
  return _mm256_and_si256(set, _mm256_set1_epi8(16));
}

struct Q4_0 {
  using Block = BlockQ4_0;
  static constexpr Codes8 kKind = Codes8::kWithZero;
  static constexpr int kZeroShift = 3;
  static __m256i codes(const uint8_t* p) { return nibbles(p + 2); }
};

struct Q4_1 {
  using Block = BlockQ4_1;
  static constexpr Codes8 kKind = Codes8::kWithMin;
  static constexpr int kZeroShift = 0;
  static __m256i codes(const uint8_t* p) { return nibbles(p + 4); }
};

struct Q5_0 {
  using Block = BlockQ5_0;
  static constexpr Codes8 kKind = Codes8::kWithZero;
  static constexpr int kZeroShift = 4;
  static __m256i codes(const uint8_t* p) {
    return _mm256_or_si256(nibbles(p + 6), fifth_bits(p + 2));
  }
};

struct Q5_1 {
  using Block = BlockQ5_1;
  static constexpr Codes8 kKind = Codes8::kWithMin;
  static constexpr int kZeroShift = 0;
  static __m256i codes(const uint8_t* p) {
    return _mm256_or_si256(nibbles(p + 8), fifth_bits(p + 4));
  }
};

struct Q8_0 {
  using Block = BlockQ8_0;
  static constexpr Codes8 kKind = kHasSignedCodes ? Codes8::kSigned : Codes8::kWithZero;
  static constexpr int kZeroShift = 7;
  static __m256i codes(const uint8_t* p) {
    const __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 2));
    return kHasSignedCodes ? q : _mm256_xor_si256(q, _mm256_set1_epi8(-128));
  }
};

// The f16 at p, p + stride … of `n` <= 8 blocks; zeros for the others.
inline __m256 halves(const uint8_t* p, size_t stride, size_t n) {
  alignas(16) uint16_t h[8] = {};
  for (size_t i = 0; i < 8 && i < n; ++i) std::memcpy(h + i, p + i * stride, 2);
  return _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(h)));
}
template <size_t kStride>
inline __m256 eight_halves(const uint8_t* p) {
  int16_t h[8];
  NIBBLE_UNROLL
  for (size_t i = 0; i < 8; ++i) std::memcpy(h + i, p + i * kStride, 2);
  return _mm256_cvtph_ps(_mm_setr_epi16(h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]));
}

// The scales of up to eight blocks; and the mins, which are -zero * scale where there is a zero.
struct Grid {
  __m256 scales, mins;
};
template <class Q>
inline Grid read_grid(const uint8_t* w, size_t n) {
  constexpr size_t kStride = sizeof(typename Q::Block);
  Grid grid;
  grid.scales = n == 8 ? eight_halves<kStride>(w) : halves(w, kStride, n);
  if constexpr (Q::kKind == Codes8::kWithMin) {
    grid.mins = n == 8 ? eight_halves<kStride>(w + 2) : halves(w + 2, kStride, n);
  } else {
    grid.mins = _mm256_mul_ps(grid.scales, _mm256_set1_ps(-float(1 << Q::kZeroShift)));
  }
  return grid;
}

template <class Q>
inline void unpack_blocks(const uint8_t* w, size_t blocks, uint8_t* codes, float* scales,
                          float* mins) {
  const Grid grid = read_grid<Q>(w, blocks);
  _mm256_storeu_ps(scales, grid.scales);
  _mm256_storeu_ps(mins, grid.mins);
  for (size_t i = 0; i < blocks; ++i) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(codes + i * kBlock),
                       Q::codes(w + i * sizeof(typename Q::Block)));
  }
}

inline float add_eight(__m256 a) {
  __m128 r = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  r = _mm_add_ps(r, _mm_movehl_ps(r, r));
  return _mm_cvtss_f32(_mm_add_ss(r, _mm_movehdup_ps(r)));
}

// Broadcasting a float from memory costs a load and no more; left to themselves compilers keep the
// vector in a register and shuffle it, which is slower.
template <int T>
inline void keep_in_memory(float (&values)[T][8]) {
  __asm__ volatile("" : "+m"(values));
}

// Sums of one row: even and odd blocks apart, or each block would wait for the one before.
template <int T>
struct RowSums {
  __m256 products[2][T];  // scale * x_scale * Σ(code * q), eight parts
  __m256 offsets[T];      // min * x_sum, of eight blocks side by side
};

// One block, the i-th of its group, times the same block of T inputs.
template <class Q, int T>
inline void dot_block(const uint8_t* w, const int8_t* x, const float (&scales)[T][kGroup], size_t i,
                      __m256 (&sums)[T]) {
  const __m256i codes = Q::codes(w);
  NIBBLE_UNROLL
  for (int t = 0; t < T; ++t) {
    const __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + t * kBlock));
    const __m256 products =
        _mm256_cvtepi32_ps(multiply_codes<Q::kKind == Codes8::kSigned>(codes, q));
    sums[t] = _mm256_fmadd_ps(products, _mm256_set1_ps(scales[t][i]), sums[t]);
  }
}

// The scales of a group times those of the inputs, and what the mins add.
template <class Q, int T>
inline void scale_group(const Grid& grid, const float* x_scales, const float* x_sums,
                        float (&scales)[T][kGroup], RowSums<T>& sums) {
  NIBBLE_UNROLL
  for (int t = 0; t < T; ++t) {
    const __m256 s = _mm256_loadu_ps(x_scales + t * kGroup);
    _mm256_store_ps(scales[t], _mm256_mul_ps(grid.scales, s));
    if constexpr (Q::kKind != Codes8::kSigned) {
      const __m256 sum = _mm256_loadu_ps(x_sums + t * kGroup);
      sums.offsets[t] = _mm256_fmadd_ps(grid.mins, sum, sums.offsets[t]);
    }
  }
  keep_in_memory(scales);
}

// One row of weights times a panel of T inputs.
template <class Q, int T>
void dot_row(const uint8_t* w, size_t blocks, const QuantizedColumns& panel, float bias, float* y,
             size_t y_stride) {
  constexpr size_t kBytes = sizeof(typename Q::Block);
  const int8_t* x = panel.q;
  const float *x_scales = panel.scales, *x_sums = panel.sums;
  alignas(32) float scales[T][kGroup];
  RowSums<T> sums;
  NIBBLE_UNROLL
  for (int t = 0; t < T; ++t) {
    sums.products[0][t] = sums.products[1][t] = sums.offsets[t] = _mm256_setzero_ps();
  }
  for (size_t group = blocks / kGroup; group > 0; --group) {
    scale_group<Q, T>(read_grid<Q>(w, kGroup), x_scales, x_sums, scales, sums);
    NIBBLE_UNROLL
    for (size_t i = 0; i < kGroup; ++i) {
      dot_block<Q, T>(w + i * kBytes, x + i * T * kBlock, scales, i, sums.products[i % 2]);
    }
    w += kGroup * kBytes;
    x += kGroup * T * kBlock;
    x_scales += kGroup * T;
    x_sums += kGroup * T;
  }
  if (const size_t rest = blocks % kGroup; rest > 0) {
    scale_group<Q, T>(read_grid<Q>(w, rest), x_scales, x_sums, scales, sums);
    for (size_t i = 0; i < rest; ++i) {
      dot_block<Q, T>(w + i * kBytes, x + i * T * kBlock, scales, i, sums.products[0]);
    }
  }
  NIBBLE_UNROLL
  for (int t = 0; t < T; ++t) {
    const __m256 products = _mm256_add_ps(sums.products[0][t], sums.products[1][t]);
    y[t * y_stride] = add_eight(_mm256_add_ps(products, sums.offsets[t])) + bias;
  }
}

template <class Q, int T>
inline void dot_panel(const uint8_t* w, const DotI8& c, size_t tokens,
                      const QuantizedColumns& panel, float bias, float* y) {
  if (tokens == T) return dot_row<Q, T>(w, c.blocks, panel, bias, y, c.y_stride);
  if constexpr (T > 1) dot_panel<Q, T - 1>(w, c, tokens, panel, bias, y);
}

template <class Q>
void dot_i8(const DotI8& c) {
  const size_t groups = (c.blocks + kGroup - 1) / kGroup;
  for (size_t r = 0; r < c.rows; ++r) {
    const float bias = c.bias != nullptr ? c.bias[r] : 0;
    for (size_t t = 0; t < c.tokens; t += kDotColumns) {
      const size_t tokens = c.tokens - t < kDotColumns ? c.tokens - t : kDotColumns;
      const size_t at = t * groups * kGroup;
      const QuantizedColumns panel{c.x.q + t * c.blocks * kBlock, c.x.scales + at, c.x.sums + at};
      dot_panel<Q, kDotColumns>(c.w + r * c.row_bytes, c, tokens, panel, bias,
                                c.y + t * c.y_stride + r);
    }
  }
}

void quantize(const float* x, size_t blocks, int8_t* q, float* scales, int32_t* totals) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  for (size_t b = 0; b < blocks; ++b, x += kBlock, q += kBlock) {
    __m256 v[4], amax = _mm256_setzero_ps(), probe = _mm256_setzero_ps();
    for (int i = 0; i < 4; ++i) {
      v[i] = _mm256_loadu_ps(x + 8 * i);
      amax = _mm256_max_ps(amax, _mm256_andnot_ps(sign, v[i]));
      probe = _mm256_fmadd_ps(v[i], _mm256_setzero_ps(), probe);  // NaN when v is not finite
    }
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(amax), _mm256_extractf128_ps(amax, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    const float largest = _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
    const float nan = add_eight(probe);
    const bool usable = largest >= kSmallestAmax && nan == 0;
    const __m256 inverse = _mm256_set1_ps(usable ? 127 / largest : 0);
    __m256i n[4];
    for (int i = 0; i < 4; ++i) {
      n[i] = usable ? _mm256_cvtps_epi32(_mm256_mul_ps(v[i], inverse)) : _mm256_setzero_si256();
    }
    // Packing works in 128-bit lanes; the permutation puts the words back in order.
    const __m256i low = _mm256_packs_epi32(n[0], n[1]), high = _mm256_packs_epi32(n[2], n[3]);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(q), bytes);
    const __m256i sum =
        _mm256_add_epi32(_mm256_add_epi32(n[0], n[1]), _mm256_add_epi32(n[2], n[3]));
    scales[b] = (usable ? largest / 127 : 0) + nan;
    totals[b] = int32_t(add_eight(_mm256_cvtepi32_ps(sum)));  // exact: below 2^24
  }
}

}  // namespace
}  // namespace nibble::NIBBLE_ISA_NAMESPACE
