#pragma once

#include "kernels/isa_kernels.h"

// The two matrix products of many columns, once for all instruction sets: a register tile of
// kVectors * kLanes weight rows times T inputs stays in registers while k runs.

namespace nibble::NIBBLE_ISA_NAMESPACE {
namespace {

constexpr size_t kI8Rows = kI8Vectors * kLanes;
constexpr size_t kF32Rows = kF32Vectors * kLanes;

// ---- int8 ----

// Adds the products of one block of 32 columns.
template <bool kSigned, int T>
inline void multiply_block(const uint8_t* codes, const int8_t* x, I (&sums)[kI8Vectors][T]) {
  constexpr size_t kRun = 4;  // steps that a run of additions may have, see simd_*.h
  NIBBLE_UNROLL
  for (size_t first = 0; first < kBlock / 4; first += kRun) {
    I run[kI8Vectors][T];
    NIBBLE_UNROLL
    for (int t = 0; t < T; ++t) {
      NIBBLE_UNROLL
      for (int v = 0; v < kI8Vectors; ++v) run[v][t] = begin_run<kSigned>(sums[v][t]);
    }
    NIBBLE_UNROLL
    for (size_t k = first; k < first + kRun; ++k) {
      Codes w[kI8Vectors];
      NIBBLE_UNROLL
      for (int v = 0; v < kI8Vectors; ++v)
        w[v] = load_codes(codes + (k * kI8Rows + v * kLanes) * 4);
      NIBBLE_UNROLL
      for (int t = 0; t < T; ++t) {
        const Inputs in = broadcast_inputs(x + (k * kI8Tokens + t) * 4);
        NIBBLE_UNROLL
        for (int v = 0; v < kI8Vectors; ++v) run[v][t] = add_to_run<kSigned>(run[v][t], w[v], in);
      }
    }
    NIBBLE_UNROLL
    for (int t = 0; t < T; ++t) {
      NIBBLE_UNROLL
      for (int v = 0; v < kI8Vectors; ++v) sums[v][t] = end_run<kSigned>(sums[v][t], run[v][t]);
    }
  }
}

template <Codes8 kKind, int T>
void gemm_i8_tile(const GemmI8& c) {
  F y[kI8Vectors][T];
  NIBBLE_UNROLL
  for (int t = 0; t < T; ++t) {
    NIBBLE_UNROLL
    for (int v = 0; v < kI8Vectors; ++v) y[v][t] = load(c.y + t * c.y_stride + v * kLanes);
  }
  for (size_t b = 0; b < c.blocks; ++b) {
    I sums[kI8Vectors][T];
    NIBBLE_UNROLL
    for (int t = 0; t < T; ++t) {
      const I start = kKind == Codes8::kWithZero
                          ? shift_left(c.minus_totals[b * kI8Tokens + t], c.zero_shift)
                          : zero_i();
      NIBBLE_UNROLL
      for (int v = 0; v < kI8Vectors; ++v) sums[v][t] = start;
    }
    multiply_block<kKind == Codes8::kSigned, T>(c.codes + b * kBlock * kI8Rows,
                                                c.x + b * kBlock * kI8Tokens, sums);
    const float* x_scales = c.x_scales + b * kI8Tokens;
    const float* x_sums = c.x_sums + b * kI8Tokens;
    NIBBLE_UNROLL
    for (int v = 0; v < kI8Vectors; ++v) {
      const size_t at = b * kI8Rows + v * kLanes;
      const F scale = load(c.scales + at);
      const F min = kKind == Codes8::kWithMin ? load(c.mins + at) : set(0);
      NIBBLE_UNROLL
      for (int t = 0; t < T; ++t) {
        if constexpr (kKind == Codes8::kWithMin) y[v][t] = fma(min, set(x_sums[t]), y[v][t]);
        y[v][t] = fma(mul(scale, set(x_scales[t])), to_float(sums[v][t]), y[v][t]);
      }
    }
  }
  NIBBLE_UNROLL
  for (int t = 0; t < T; ++t) {
    NIBBLE_UNROLL
    for (int v = 0; v < kI8Vectors; ++v) store(c.y + t * c.y_stride + v * kLanes, y[v][t]);
  }
}

template <Codes8 kKind, int T>
void gemm_i8_any(const GemmI8& c) {
  if (c.tokens == T) return gemm_i8_tile<kKind, T>(c);
  if constexpr (T > 1) gemm_i8_any<kKind, T - 1>(c);
}

template <bool kMayBeSigned>
void gemm_i8(const GemmI8& c) {
  if constexpr (kMayBeSigned) {
    if (c.kind == Codes8::kSigned) return gemm_i8_any<Codes8::kSigned, kI8Tokens>(c);
  }
  if (c.kind == Codes8::kWithMin) return gemm_i8_any<Codes8::kWithMin, kI8Tokens>(c);
  gemm_i8_any<Codes8::kWithZero, kI8Tokens>(c);
}

// ---- f32 ----

// y[t, r] += Σ_k w[k, r] x(t, k) for kVectors * kLanes rows, where w steps by `w_stride` per k and
// x(t, k) lies at x[k * kStepK + t * kStepT].
template <int kVectors, int T, int kStepK, int kStepT>
inline void gemm_f32_tile(const float* w, size_t w_stride, const float* x, size_t k, float* y,
                          size_t y_stride) {
  F sums[kVectors][T];
  NIBBLE_UNROLL
  for (int t = 0; t < T; ++t) {
    NIBBLE_UNROLL
    for (int v = 0; v < kVectors; ++v) sums[v][t] = load(y + t * y_stride + v * kLanes);
  }
  for (size_t i = 0; i < k; ++i, w += w_stride, x += kStepK) {
    F column[kVectors];
    NIBBLE_UNROLL
    for (int v = 0; v < kVectors; ++v) column[v] = load(w + v * kLanes);
    NIBBLE_UNROLL
    for (int t = 0; t < T; ++t) {
      const F in = set(x[t * kStepT]);
      NIBBLE_UNROLL
      for (int v = 0; v < kVectors; ++v) sums[v][t] = fma(column[v], in, sums[v][t]);
    }
  }
  NIBBLE_UNROLL
  for (int t = 0; t < T; ++t) {
    NIBBLE_UNROLL
    for (int v = 0; v < kVectors; ++v) store(y + t * y_stride + v * kLanes, sums[v][t]);
  }
}

template <int kVectors, int T, int kStepK, int kStepT>
void gemm_f32_any(size_t tokens, const float* w, size_t w_stride, const float* x, size_t k,
                  float* y, size_t y_stride) {
  if (tokens == T) {
    return gemm_f32_tile<kVectors, T, kStepK, kStepT>(w, w_stride, x, k, y, y_stride);
  }
  if constexpr (T > 1) {
    gemm_f32_any<kVectors, T - 1, kStepK, kStepT>(tokens, w, w_stride, x, k, y, y_stride);
  }
}

void gemm_f32(const GemmF32& c) {
  gemm_f32_any<kF32Vectors, kF32Tokens, kF32Tokens, 1>(c.tokens, c.w, kF32Rows, c.x, c.k, c.y,
                                                       c.y_stride);
}

// Turns kLanes rows of `n` <= kLanes floats into n rows of kLanes, out_stride apart.
inline void transpose_to(F (&rows)[kLanes], size_t n, float* out, size_t out_stride) {
  transpose(rows);
  for (size_t j = 0; j < n; ++j) store(out + j * out_stride, rows[j]);
}

void pack_f32(const float* w, size_t w_stride, size_t rows, size_t k, float* out) {
  for (size_t first = 0; first < kF32Rows; first += kLanes, out += kLanes) {
    const size_t present = rows > first ? (rows - first < kLanes ? rows - first : kLanes) : 0;
    for (size_t i = 0; i < k; i += kLanes) {
      const size_t n = k - i < kLanes ? k - i : kLanes;
      F tile[kLanes];
      for (size_t r = 0; r < kLanes; ++r) {
        const float* row = w + (first + r) * w_stride + i;
        tile[r] = r >= present ? set(0) : n == kLanes ? load(row) : load_n(row, n);
      }
      transpose_to(tile, n, out + i * kF32Rows, kF32Rows);
    }
  }
}

}  // namespace
}  // namespace nibble::NIBBLE_ISA_NAMESPACE
