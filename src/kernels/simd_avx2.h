#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

// The small vector type of simd_scalar.h with eight lanes: AVX2, FMA, F16C.

namespace nibble::NIBBLE_ISA_NAMESPACE {
namespace {

constexpr size_t kLanes = 8;

using F = __m256;
using I = __m256i;

inline F set(float x) { return _mm256_set1_ps(x); }
inline F load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, F a) { _mm256_storeu_ps(p, a); }
inline __m256i first_lanes(size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(int(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline F load_n(const float* p, size_t n) { return _mm256_maskload_ps(p, first_lanes(n)); }
inline void store_n(float* p, F a, size_t n) { _mm256_maskstore_ps(p, first_lanes(n), a); }

inline F add(F a, F b) { return _mm256_add_ps(a, b); }
inline F sub(F a, F b) { return _mm256_sub_ps(a, b); }
inline F mul(F a, F b) { return _mm256_mul_ps(a, b); }
inline F div(F a, F b) { return _mm256_div_ps(a, b); }
inline F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
inline F max(F a, F b) { return _mm256_max_ps(a, b); }
inline F min(F a, F b) { return _mm256_min_ps(a, b); }
inline F absolute(F a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
inline F round_even(F a) {
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

inline float reduce_add(F a) {
  __m128 r = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  r = _mm_add_ps(r, _mm_movehl_ps(r, r));
  return _mm_cvtss_f32(_mm_add_ss(r, _mm_movehdup_ps(r)));
}
inline float reduce_max(F a) {
  __m128 r = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  r = _mm_max_ps(r, _mm_movehl_ps(r, r));
  return _mm_cvtss_f32(_mm_max_ss(r, _mm_movehdup_ps(r)));
}

inline F times_power_of_two(F a, F n) {
  const __m256i e = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(e, 1);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256i p = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
  const __m256i q = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(e, half), bias), 23);
  return _mm256_mul_ps(_mm256_mul_ps(a, _mm256_castsi256_ps(p)), _mm256_castsi256_ps(q));
}

inline void add_double(F a, double* sum) {
  const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(a));
  const __m256d r = _mm256_add_pd(low, _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)));
  const __m128d s = _mm_add_pd(_mm256_castpd256_pd128(r), _mm256_extractf128_pd(r, 1));
  *sum += _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}

inline void transpose(F r[kLanes]) {
  F a[8], b[8];
  for (int i = 0; i < 8; i += 2) {
    a[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    a[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    for (int j = 0; j < 2; ++j) {
      b[i + 2 * j] = _mm256_shuffle_ps(a[i + j], a[i + j + 2], 0x44);
      b[i + 2 * j + 1] = _mm256_shuffle_ps(a[i + j], a[i + j + 2], 0xEE);
    }
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
  }
}

inline F load_f16(const uint8_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline F load_bf16(const uint8_t* p) {
  const __m128i h = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}
inline void store_f16(uint8_t* p, F a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}

inline void prefetch(const uint8_t* p) { _mm_prefetch(p, _MM_HINT_T0); }

// ---- int8 products ----

constexpr bool kHasSignedCodes = true;

using Codes = __m256i;
using Inputs = __m256i;

inline I zero_i() { return _mm256_setzero_si256(); }
inline I shift_left(int32_t x, int shift) {
  return _mm256_sllv_epi32(_mm256_set1_epi32(x), _mm256_set1_epi32(shift));
}
inline F to_float(I a) { return _mm256_cvtepi32_ps(a); }
inline Codes load_codes(const uint8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
inline Inputs broadcast_inputs(const int8_t* p) {
  int32_t x;
  std::memcpy(&x, p, 4);
  return _mm256_set1_epi32(x);
}
// vpmaddubsw saturates pairs at 16 bits: codes up to 128 are safe with inputs of -127 .. 127.
// Signed codes lend their sign to the inputs; unsigned ones must not exceed 128.
template <bool kSigned>
inline __m256i multiply_codes(__m256i w, __m256i x) {
  const __m256i pairs = kSigned ? _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w))
                                : _mm256_maddubs_epi16(w, x);
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}
template <bool kSigned>
inline I dot4(I sum, Codes w, Inputs x) {
  return _mm256_add_epi32(sum, multiply_codes<kSigned>(w, x));
}

// A run of at most four steps begins at `sum`, and ends as the sum with them added. Unsigned codes
// are those of formats with 5 bits at most: 8 products of 31 * 127 fit the 16 bits they are added
// in.
template <bool kSigned>
inline I begin_run(I sum) {
  return kSigned ? sum : zero_i();
}
template <bool kSigned>
inline I add_to_run(I run, Codes w, Inputs x) {
  return kSigned ? dot4<kSigned>(run, w, x) : _mm256_add_epi16(run, _mm256_maddubs_epi16(w, x));
}
template <bool kSigned>
inline I end_run(I sum, I run) {
  if (kSigned) return run;
  return _mm256_add_epi32(sum, _mm256_madd_epi16(run, _mm256_set1_epi16(1)));
}

// ---- shapes of the register tiles ----

constexpr int kF32Vectors = 2, kF32Tokens = 6;
constexpr int kI8Vectors = 1, kI8Tokens = 4;
constexpr size_t kDotColumns = 2;
constexpr size_t kFewColumnsI8 = 8, kFewColumnsF32 = 8;

}  // namespace
}  // namespace nibble::NIBBLE_ISA_NAMESPACE
