#pragma once

#include "kernels/isa_kernels.h"

// Dot products on float weights and what works element by element, once for all instruction sets.

namespace nibble::NIBBLE_ISA_NAMESPACE {
namespace {

// ---- float weights ----

struct WeightF32 {
  static constexpr size_t kBytes = 4;
  static F read(const uint8_t* p) {
    F lanes;  // p is aligned to nothing
    std::memcpy(&lanes, p, sizeof lanes);
    return lanes;
  }
};
struct WeightF16 {
  static constexpr size_t kBytes = 2;
  static F read(const uint8_t* p) { return load_f16(p); }
};
struct WeightBf16 {
  static constexpr size_t kBytes = 2;
  static F read(const uint8_t* p) { return load_bf16(p); }
};

// The first n < kLanes weights at p, then zeros.
template <class W>
inline F read_n(const uint8_t* p, size_t n) {
  uint8_t copy[kLanes * W::kBytes] = {};
  std::memcpy(copy, p, n * W::kBytes);
  return W::read(copy);
}

// Four sums per input hide the latency of an addition; what each adds depends on the column alone.
template <class W, int T>
void dot_row_f32(const uint8_t* w, const DotF32& c, size_t first, float bias, float* y) {
  constexpr size_t kSums = 4;
  const float* x = c.x + first * c.x_stride;
  F sums[kSums][T];
  NIBBLE_UNROLL
  for (size_t u = 0; u < kSums; ++u) {
    NIBBLE_UNROLL
    for (int t = 0; t < T; ++t) sums[u][t] = set(0);
  }
  size_t k = 0;
  for (; k + kSums * kLanes <= c.cols; k += kSums * kLanes) {
    NIBBLE_UNROLL
    for (size_t u = 0; u < kSums; ++u) {
      const size_t at = k + u * kLanes;
      const F weight = W::read(w + at * W::kBytes);
      NIBBLE_UNROLL
      for (int t = 0; t < T; ++t) {
        sums[u][t] = fma(weight, load(x + t * c.x_stride + at), sums[u][t]);
      }
    }
  }
  for (; k < c.cols; k += kLanes) {
    const size_t n = c.cols - k < kLanes ? c.cols - k : kLanes;
    const F weight = n == kLanes ? W::read(w + k * W::kBytes) : read_n<W>(w + k * W::kBytes, n);
    NIBBLE_UNROLL
    for (int t = 0; t < T; ++t) {
      sums[0][t] = fma(weight, load_n(x + t * c.x_stride + k, n), sums[0][t]);
    }
  }
  NIBBLE_UNROLL
  for (int t = 0; t < T; ++t) {
    const F sum = add(add(sums[0][t], sums[1][t]), add(sums[2][t], sums[3][t]));
    y[(first + t) * c.y_stride] = reduce_add(sum) + bias;
  }
}

template <class W>
void dot_f32(const DotF32& c) {
  for (size_t r = 0; r < c.rows; ++r) {
    const uint8_t* w = c.w + r * c.row_bytes;
    const float bias = c.bias != nullptr ? c.bias[r] : 0;
    size_t t = 0;
    for (; t + kDotColumns <= c.tokens; t += kDotColumns) {
      dot_row_f32<W, kDotColumns>(w, c, t, bias, c.y + r);
    }
    for (; t < c.tokens; ++t) dot_row_f32<W, 1>(w, c, t, bias, c.y + r);
  }
}

template <class W>
void decode(const uint8_t* w, size_t n, float* out) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(out + i, W::read(w + i * W::kBytes));
  if (i < n) store_n(out + i, read_n<W>(w + i * W::kBytes, n - i), n - i);
}

void to_f16(const float* x, size_t n, uint16_t* out) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    store_f16(reinterpret_cast<uint8_t*>(out + i), load(x + i));
  }
  if (i < n) {
    uint8_t rest[kLanes * 2];
    store_f16(rest, load_n(x + i, n - i));
    std::memcpy(out + i, rest, (n - i) * 2);
  }
}

// ---- exp ----

// exp(x) to 2 units in the last place: x = n ln 2 + r, |r| <= ln 2 / 2, exp(r) by its series to
// r^7 / 7! (the next term is below 6e-9), times 2^n. Overflows to infinity, underflows gradually to
// zero, and NaN stays NaN: max and min return their second operand then.
inline F exp_f(F x) {
  x = min(set(89.0f), max(set(-110.0f), x));
  const F n = round_even(mul(x, set(1.44269504f)));
  // ln 2 in two parts; the first has so few bits that n * part is exact.
  F r = fma(n, set(-0.693359375f), x);
  r = fma(n, set(2.12194440e-4f), r);
  F p = set(1.0f / 5040);
  p = fma(p, r, set(1.0f / 720));
  p = fma(p, r, set(1.0f / 120));
  p = fma(p, r, set(1.0f / 24));
  p = fma(p, r, set(1.0f / 6));
  p = fma(p, r, set(0.5f));
  p = fma(mul(p, r), r, r);
  return times_power_of_two(add(p, set(1)), n);
}

// Calls whole(index) for every whole vector and rest(index, count) once for what is left.
template <typename Whole, typename Rest>
inline void for_vectors(size_t n, Whole whole, Rest rest) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) whole(i);
  if (i < n) rest(i, n - i);
}

void exp_all(const float* x, size_t n, float* out) {
  for_vectors(
      n, [&](size_t i) { store(out + i, exp_f(load(x + i))); },
      [&](size_t i, size_t m) { store_n(out + i, exp_f(load_n(x + i, m)), m); });
}

float max_all(const float* x, size_t n) {
  float largest = -__builtin_inff();
  size_t i = 0;
  if (n >= kLanes) {
    F lanes = load(x);
    for (i = kLanes; i + kLanes <= n; i += kLanes) lanes = max(lanes, load(x + i));
    largest = reduce_max(lanes);
  }
  for (; i < n; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

double sum_exp(const float* x, size_t n, float shift) {
  double sum = 0;
  const F by = set(shift);
  const auto rest = [&](size_t i, size_t m) {
    float e[kLanes];
    store(e, exp_f(sub(load_n(x + i, m), by)));
    for (size_t j = 0; j < m; ++j) sum += double(e[j]);
  };
  for_vectors(
      n, [&](size_t i) { add_double(exp_f(sub(load(x + i), by)), &sum); }, rest);
  return sum;
}

// ---- rows ----

void rms_norm(const float* x, const float* weight, float epsilon, size_t n, float* out) {
  F sums[2] = {set(0), set(0)};
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    for (size_t u = 0; u < 2; ++u) {
      const F v = load(x + i + u * kLanes);
      sums[u] = fma(v, v, sums[u]);
    }
  }
  for (; i < n; i += kLanes) {
    const F v = load_n(x + i, n - i < kLanes ? n - i : kLanes);
    sums[0] = fma(v, v, sums[0]);
  }
  const float mean = reduce_add(add(sums[0], sums[1])) / float(n);
  const F scale = set(1 / __builtin_sqrtf(mean + epsilon));
  for_vectors(
      n, [&](size_t j) { store(out + j, mul(mul(load(x + j), scale), load(weight + j))); },
      [&](size_t j, size_t m) {
        store_n(out + j, mul(mul(load_n(x + j, m), scale), load_n(weight + j, m)), m);
      });
}

void silu_multiply(const float* gate, const float* up, size_t n, float* out) {
  const auto value = [](F g, F u) { return mul(div(g, add(set(1), exp_f(sub(set(0), g)))), u); };
  for_vectors(
      n, [&](size_t i) { store(out + i, value(load(gate + i), load(up + i))); },
      [&](size_t i, size_t m) {
        store_n(out + i, value(load_n(gate + i, m), load_n(up + i, m)), m);
      });
}

void add_all(float* x, const float* y, size_t n) {
  for_vectors(
      n, [&](size_t i) { store(x + i, add(load(x + i), load(y + i))); },
      [&](size_t i, size_t m) { store_n(x + i, add(load_n(x + i, m), load_n(y + i, m)), m); });
}

void rope_halves(float* x, const float* cosine, const float* sine, size_t pairs) {
  float* y = x + pairs;
  const auto rotate = [](F a, F b, F c, F s, F* first, F* second) {
    *first = sub(mul(a, c), mul(b, s));
    *second = add(mul(a, s), mul(b, c));
  };
  for_vectors(
      pairs,
      [&](size_t i) {
        F a, b;
        rotate(load(x + i), load(y + i), load(cosine + i), load(sine + i), &a, &b);
        store(x + i, a);
        store(y + i, b);
      },
      [&](size_t i, size_t m) {
        F a, b;
        rotate(load_n(x + i, m), load_n(y + i, m), load_n(cosine + i, m), load_n(sine + i, m), &a,
               &b);
        store_n(x + i, a, m);
        store_n(y + i, b, m);
      });
}

void rope_neighbours(float* x, const float* cosine, const float* sine, size_t pairs) {
  for (size_t i = 0; i < pairs; ++i) {
    const float a = x[2 * i], b = x[2 * i + 1];
    x[2 * i] = a * cosine[i] - b * sine[i];
    x[2 * i + 1] = a * sine[i] + b * cosine[i];
  }
}

}  // namespace
}  // namespace nibble::NIBBLE_ISA_NAMESPACE
