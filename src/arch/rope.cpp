#include <algorithm>
#include <cmath>
#include <numbers>

#include "arch/checks.h"
#include "arch/hyperparameters.h"
#include "base/error.h"

// The wavelengths of rotary embeddings. Everything is computed in double and rounded once.

namespace nibble {

namespace {

using Kind = RopeScaling::Kind;

// Radians per position of pair i, before scaling.
double base_frequency(const Hyperparameters& h, uint64_t i) {
  return std::pow(h.rope_base, -2.0 * double(i) / double(h.rotary_dim));
}

// Llama 3.1: waves longer than the original context are stretched by `factor`, short ones not at
// all, and between the two limits the frequency is blended linearly.
double llama3_divisor(const RopeScaling& s, double frequency) {
  const double wavelength = 2 * std::numbers::pi / frequency;
  if (wavelength < s.original_context / s.high_freq_factor) return 1;
  if (wavelength > s.original_context / s.low_freq_factor) return s.factor;
  const double blend = (s.original_context / wavelength - s.low_freq_factor) /
                       (s.high_freq_factor - s.low_freq_factor);
  return 1 / ((1 - blend) / s.factor + blend);
}

// YaRN (Peng et al. 2023, §3.2): which pair turns `rotations` times within the original context.
double yarn_pair(const Hyperparameters& h, double rotations) {
  return double(h.rotary_dim) *
         std::log(h.rope_scaling.original_context / (rotations * 2 * std::numbers::pi)) /
         (2 * std::log(h.rope_base));
}

// Pairs below the first limit keep their frequency, those above the second are stretched in full.
double yarn_divisor(const Hyperparameters& h, uint64_t i) {
  const RopeScaling& s = h.rope_scaling;
  const double first = std::max(0.0, std::floor(yarn_pair(h, s.beta_fast)));
  const double last = std::min(double(h.rotary_dim) - 1, std::ceil(yarn_pair(h, s.beta_slow)));
  const double ramp = std::clamp((double(i) - first) / std::max(0.001, last - first), 0.0, 1.0);
  return 1 / (ramp / s.factor + (1 - ramp));
}

double divisor(const Hyperparameters& h, uint64_t i) {
  if (!h.rope_factors.empty()) return h.rope_factors[i];
  switch (h.rope_scaling.kind) {
    case Kind::kNone:
      return 1;
    case Kind::kLinear:
      return h.rope_scaling.factor;
    case Kind::kLlama3:
      return llama3_divisor(h.rope_scaling, base_frequency(h, i));
    case Kind::kYarn:
      return yarn_divisor(h, i);
  }
  NIBBLE_CHECK(false);
}

}  // namespace

std::vector<float> inverse_frequencies(const Hyperparameters& h) {
  NIBBLE_CHECK(h.rope_factors.empty() || h.rope_factors.size() == h.rotary_dim / 2);
  std::vector<float> result(h.rotary_dim / 2);
  for (uint64_t i = 0; i < result.size(); ++i) {
    result[i] = float(base_frequency(h, i) / divisor(h, i));
  }
  return result;
}

double rope_magnitude(const Hyperparameters& h) {
  const RopeScaling& s = h.rope_scaling;
  if (s.kind != Kind::kYarn) return 1;
  if (s.attention_factor > 0) return s.attention_factor;
  return s.factor > 1 ? 0.1 * std::log(s.factor) + 1 : 1;
}

std::vector<float> llama3_rope_factors(const Hyperparameters& h) {
  std::vector<float> result(h.rotary_dim / 2);
  for (uint64_t i = 0; i < result.size(); ++i) {
    result[i] = float(llama3_divisor(h.rope_scaling, base_frequency(h, i)));
  }
  return result;
}

RopeScaling llama3_scaling_of(const Hyperparameters& h) {
  if (h.rope_factors.size() < 2) return {};
  RopeScaling s;
  s.factor = as_written(*std::ranges::max_element(h.rope_factors));
  // Between the limits blend = (original / wavelength - low) / (high - low), a line over
  // 1 / wavelength: its first and last point give slope and intercept, low = 1 the rest.
  std::vector<std::pair<double, double>> points;
  for (uint64_t i = 0; i < h.rope_factors.size(); ++i) {
    const double f = h.rope_factors[i];
    if (!(f > 1 && f < s.factor)) continue;
    points.emplace_back(base_frequency(h, i) / (2 * std::numbers::pi),
                        (1 / f - 1 / s.factor) / (1 - 1 / s.factor));
  }
  if (points.size() < 2) return {};
  const auto [x0, y0] = points.front();
  const auto [x1, y1] = points.back();
  const double slope = (y1 - y0) / (x1 - x0), intercept = y0 - slope * x0;
  s.low_freq_factor = 1;
  s.high_freq_factor = 1 - 1 / intercept;
  s.original_context = -slope / intercept;
  // Both were decimals of a few digits; the floats carry about six.
  s.high_freq_factor = std::round(s.high_freq_factor * 1000) / 1000;
  s.original_context = std::round(s.original_context);
  s.kind = Kind::kLlama3;
  Hyperparameters candidate = h;
  candidate.rope_scaling = s;
  const std::vector<float> factors = llama3_rope_factors(candidate);
  for (uint64_t i = 0; i < factors.size(); ++i) {
    if (!(std::abs(factors[i] - h.rope_factors[i]) <= 1e-4f * h.rope_factors[i])) return {};
  }
  return s;
}

}  // namespace nibble
