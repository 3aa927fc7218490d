#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

// The small vector type of simd_scalar.h with sixteen lanes: AVX-512 F, BW, DQ, VL and VNNI.

namespace nibble::NIBBLE_ISA_NAMESPACE {
namespace {

constexpr size_t kLanes = 16;

using F = __m512;
using I = __m512i;

inline F set(float x) { return _mm512_set1_ps(x); }
inline F load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, F a) { _mm512_storeu_ps(p, a); }
inline __mmask16 first_lanes(size_t n) { return __mmask16((1u << n) - 1); }
inline F load_n(const float* p, size_t n) { return _mm512_maskz_loadu_ps(first_lanes(n), p); }
inline void store_n(float* p, F a, size_t n) { _mm512_mask_storeu_ps(p, first_lanes(n), a); }

inline F add(F a, F b) { return _mm512_add_ps(a, b); }
inline F sub(F a, F b) { return _mm512_sub_ps(a, b); }
inline F mul(F a, F b) { return _mm512_mul_ps(a, b); }
inline F div(F a, F b) { return _mm512_div_ps(a, b); }
inline F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
inline F max(F a, F b) { return _mm512_max_ps(a, b); }
inline F min(F a, F b) { return _mm512_min_ps(a, b); }
inline F absolute(F a) { return _mm512_abs_ps(a); }
inline F round_even(F a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

inline float reduce_add(F a) { return _mm512_reduce_add_ps(a); }
inline float reduce_max(F a) { return _mm512_reduce_max_ps(a); }

inline F times_power_of_two(F a, F n) { return _mm512_scalef_ps(a, n); }

inline void add_double(F a, double* sum) {
  const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(a));
  const __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1));
  *sum += _mm512_reduce_add_pd(_mm512_add_pd(low, high));
}

inline void transpose(F r[kLanes]) {
  F a[16], b[16];
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    a[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  // b[4 i + j]: column j of every 128-bit lane, rows 4 i .. 4 i + 3.
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 2; ++j) {
      b[i + 2 * j] = _mm512_shuffle_ps(a[i + j], a[i + j + 2], 0x44);
      b[i + 2 * j + 1] = _mm512_shuffle_ps(a[i + j], a[i + j + 2], 0xEE);
    }
  }
  for (int j = 0; j < 4; ++j) {
    const F low01 = _mm512_shuffle_f32x4(b[j], b[4 + j], 0x44);
    const F high01 = _mm512_shuffle_f32x4(b[j], b[4 + j], 0xEE);
    const F low23 = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0x44);
    const F high23 = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0xEE);
    r[j] = _mm512_shuffle_f32x4(low01, low23, 0x88);
    r[4 + j] = _mm512_shuffle_f32x4(low01, low23, 0xDD);
    r[8 + j] = _mm512_shuffle_f32x4(high01, high23, 0x88);
    r[12 + j] = _mm512_shuffle_f32x4(high01, high23, 0xDD);
  }
}

inline F load_f16(const uint8_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline F load_bf16(const uint8_t* p) {
  const __m256i h = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}
inline void store_f16(uint8_t* p, F a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

inline void prefetch(const uint8_t* p) { _mm_prefetch(p, _MM_HINT_T0); }

// ---- int8 products ----

constexpr bool kHasSignedCodes = false;

using Codes = __m512i;
using Inputs = __m512i;

inline I zero_i() { return _mm512_setzero_si512(); }
inline I shift_left(int32_t x, int shift) {
  return _mm512_sllv_epi32(_mm512_set1_epi32(x), _mm512_set1_epi32(shift));
}
inline F to_float(I a) { return _mm512_cvtepi32_ps(a); }
inline Codes load_codes(const uint8_t* p) { return _mm512_loadu_si512(p); }
inline Inputs broadcast_inputs(const int8_t* p) {
  int32_t x;
  std::memcpy(&x, p, 4);
  return _mm512_set1_epi32(x);
}
template <bool kSigned>
inline __m256i multiply_codes(__m256i w, __m256i x) {
  static_assert(!kSigned, "vpdpbusd multiplies unsigned codes");
  return _mm256_dpbusd_epi32(_mm256_setzero_si256(), w, x);
}
template <bool kSigned>
inline I dot4(I sum, Codes w, Inputs x) {
  static_assert(!kSigned, "vpdpbusd multiplies unsigned codes");
  return _mm512_dpbusd_epi32(sum, w, x);
}

// A run of at most four steps of dot4 begins at `sum`, and ends as the sum with them added.
template <bool kSigned>
inline I begin_run(I sum) {
  return sum;
}
template <bool kSigned>
inline I add_to_run(I run, Codes w, Inputs x) {
  return dot4<kSigned>(run, w, x);
}
template <bool kSigned>
inline I end_run(I, I run) {
  return run;
}

// ---- shapes of the register tiles ----

constexpr int kF32Vectors = 2, kF32Tokens = 12;
constexpr int kI8Vectors = 2, kI8Tokens = 6;
constexpr size_t kDotColumns = 4;
constexpr size_t kFewColumnsI8 = 4, kFewColumnsF32 = 8;

}  // namespace
}  // namespace nibble::NIBBLE_ISA_NAMESPACE
