#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/half.h"

// The small vector type in plain C++: what every kernel means. Four lanes, so that compilers find
// what vectors the baseline has. simd_avx2.h and simd_avx512.h have the same names.

namespace nibble::NIBBLE_ISA_NAMESPACE {
namespace {

constexpr size_t kLanes = 4;

struct F {
  float v[kLanes];
};
struct I {
  int32_t v[kLanes];
};

template <typename Op>
inline F map(Op op) {
  F r;
  for (size_t i = 0; i < kLanes; ++i) r.v[i] = op(i);
  return r;
}

inline F set(float x) { return {{x, x, x, x}}; }
inline F load(const float* p) { return {{p[0], p[1], p[2], p[3]}}; }
inline void store(float* p, F a) { std::memcpy(p, a.v, sizeof a.v); }
inline F load_n(const float* p, size_t n) {
  F r = set(0);
  std::memcpy(r.v, p, n * sizeof(float));
  return r;
}
inline void store_n(float* p, F a, size_t n) { std::memcpy(p, a.v, n * sizeof(float)); }

inline F add(F a, F b) {
  return map([&](size_t i) { return a.v[i] + b.v[i]; });
}
inline F sub(F a, F b) {
  return map([&](size_t i) { return a.v[i] - b.v[i]; });
}
inline F mul(F a, F b) {
  return map([&](size_t i) { return a.v[i] * b.v[i]; });
}
inline F div(F a, F b) {
  return map([&](size_t i) { return a.v[i] / b.v[i]; });
}
// a * b + c; fused or not as the instruction set has it.
inline F fma(F a, F b, F c) {
  return map([&](size_t i) { return a.v[i] * b.v[i] + c.v[i]; });
}
// b where either is NaN, like the instruction.
inline F max(F a, F b) {
  return map([&](size_t i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
inline F min(F a, F b) {
  return map([&](size_t i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
inline F absolute(F a) {
  return map([&](size_t i) { return std::fabs(a.v[i]); });
}
inline F round_even(F a) {
  return map([&](size_t i) { return std::nearbyint(a.v[i]); });
}

inline float reduce_add(F a) { return (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]); }
inline float reduce_max(F a) {
  const float x = a.v[0] > a.v[2] ? a.v[0] : a.v[2], y = a.v[1] > a.v[3] ? a.v[1] : a.v[3];
  return x > y ? x : y;
}

// a * 2^n for a whole number n in -252 .. 252; two steps, so that results may be subnormal.
inline F times_power_of_two(F a, F n) {
  return map([&](size_t i) {
    if (std::isnan(n.v[i])) return n.v[i];
    const int32_t e = int32_t(n.v[i]), half = e / 2;
    const auto power = [](int32_t k) { return std::bit_cast<float>((k + 127) << 23); };
    return a.v[i] * power(half) * power(e - half);
  });
}

// Adds the lanes in double to *sum.
inline void add_double(F a, double* sum) {
  for (float x : a.v) *sum += double(x);
}

// Four-lane rows become columns, as bits: `rows` points at kLanes rows of kLanes words.
inline void transpose(F rows[kLanes]) {
  for (size_t i = 0; i < kLanes; ++i) {
    for (size_t j = 0; j < i; ++j) {
      const float keep = rows[i].v[j];
      rows[i].v[j] = rows[j].v[i];
      rows[j].v[i] = keep;
    }
  }
}

inline F load_f16(const uint8_t* p) {
  uint16_t h[kLanes];
  std::memcpy(h, p, sizeof h);
  return map([&](size_t i) { return f16_to_f32(h[i]); });
}
inline F load_bf16(const uint8_t* p) {
  uint16_t h[kLanes];
  std::memcpy(h, p, sizeof h);
  return map([&](size_t i) { return bf16_to_f32(h[i]); });
}
inline void store_f16(uint8_t* p, F a) {
  uint16_t h[kLanes];
  for (size_t i = 0; i < kLanes; ++i) h[i] = f32_to_f16(a.v[i]);
  std::memcpy(p, h, sizeof h);
}

// Asks for memory that will be read soon.
inline void prefetch(const uint8_t*) {}

// ---- int8 products ----

constexpr bool kHasSignedCodes = true;

using Codes = I;  // four bytes per lane
using Inputs = I;

inline I zero_i() { return {{0, 0, 0, 0}}; }
// x * 2^shift in every lane.
inline I shift_left(int32_t x, int shift) {
  const int32_t shifted = x * (int32_t(1) << shift);
  return {{shifted, shifted, shifted, shifted}};
}
inline F to_float(I a) {
  return map([&](size_t i) { return float(a.v[i]); });
}
inline Codes load_codes(const uint8_t* p) {
  Codes c;
  std::memcpy(c.v, p, sizeof c.v);
  return c;
}
// The same four inputs for every lane.
inline Inputs broadcast_inputs(const int8_t* p) {
  int32_t x;
  std::memcpy(&x, p, 4);
  return {{x, x, x, x}};
}
// Each lane adds the products of its four codes and its four inputs.
template <bool kSigned>
inline I dot4(I sum, Codes w, Inputs x) {
  for (size_t i = 0; i < kLanes; ++i) {
    for (int b = 0; b < 32; b += 8) {
      const int32_t code = kSigned ? int32_t(int8_t(w.v[i] >> b)) : int32_t(uint8_t(w.v[i] >> b));
      sum.v[i] += code * int8_t(x.v[i] >> b);
    }
  }
  return sum;
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

constexpr int kF32Vectors = 2, kF32Tokens = 4;
constexpr int kI8Vectors = 2, kI8Tokens = 4;
constexpr size_t kDotColumns = 2;
constexpr size_t kFewColumnsI8 = 8, kFewColumnsF32 = 8;

}  // namespace
}  // namespace nibble::NIBBLE_ISA_NAMESPACE
