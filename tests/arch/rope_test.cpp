#include <cmath>
#include <numbers>

#include "arch/checks.h"
#include "arch/hyperparameters.h"
#include "configs.h"
#include "describe.h"
#include "support/support.h"

namespace nibble {
namespace {

using nlohmann::json;
using test::published_config;
using test::read_config;

constexpr double kTwoPi = 2 * std::numbers::pi;

double frequency(double base, double dim, size_t i) {
  return 1 / std::pow(base, 2.0 * double(i) / dim);
}

TEST(Rope, UnscaledFrequenciesFallFromOneGeometrically) {
  const auto f = inverse_frequencies(read_config(published_config("Llama-2-7B")));
  ASSERT_EQ(f.size(), 64u);
  EXPECT_EQ(f[0], 1);
  for (size_t i = 0; i < 64; ++i) EXPECT_FLOAT_EQ(f[i], float(frequency(10000, 128, i)));
}

TEST(Rope, LinearScalingDividesAll) {
  json config = published_config("Llama-2-7B");
  const auto plain = inverse_frequencies(read_config(config));
  config["rope_scaling"] = {{"type", "linear"}, {"factor", 4}};
  const auto scaled = inverse_frequencies(read_config(config));
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_FLOAT_EQ(scaled[i], plain[i] / 4);
  EXPECT_EQ(rope_magnitude(read_config(config)), 1);
}

// Straight from the published formula, in frequencies where ours is in divisors.
double llama3_frequency(double f, double factor, double low, double high, double original) {
  const double wavelength = kTwoPi / f;
  if (wavelength < original / high) return f;
  if (wavelength > original / low) return f / factor;
  const double smooth = (original / wavelength - low) / (high - low);
  return (1 - smooth) * f / factor + smooth * f;
}

TEST(Rope, Llama3MatchesTheFormula) {
  for (const char* name : {"Llama-3.1-8B", "Llama-3.2-1B"}) {
    const Hyperparameters h = read_config(published_config(name));
    const auto f = inverse_frequencies(h);
    const auto factors = llama3_rope_factors(h);
    ASSERT_EQ(factors.size(), h.head_dim / 2);
    for (size_t i = 0; i < f.size(); ++i) {
      const double plain = frequency(500000, double(h.head_dim), i);
      const double expected = llama3_frequency(plain, h.rope_scaling.factor, 1, 4, 8192);
      EXPECT_NEAR(f[i] / expected, 1, 1e-6);
      EXPECT_NEAR(factors[i] * expected / plain, 1, 1e-6);
    }
    EXPECT_EQ(factors.front(), 1);
    EXPECT_EQ(factors.back(), float(h.rope_scaling.factor));
    EXPECT_TRUE(std::ranges::is_sorted(factors));
  }
}

TEST(Rope, DivisorsOfAFileGiveTheSameFrequencies) {
  const Hyperparameters h = read_config(published_config("Llama-3.1-8B"));
  Hyperparameters file = h;
  file.rope_factors = llama3_rope_factors(h);
  file.rope_scaling = {};
  const auto expected = inverse_frequencies(h), got = inverse_frequencies(file);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i] / expected[i], 1, 2e-7);
}

TEST(Rope, DivisorsTellTheScalingTheyCameFrom) {
  for (const double factor : {2.0, 8.0, 32.0}) {
    for (const double high : {2.0, 4.0}) {
      for (const double original : {4096.0, 8192.0}) {
        Hyperparameters h = read_config(published_config("Llama-3.1-8B"));
        h.rope_scaling.factor = factor;
        h.rope_scaling.high_freq_factor = high;
        h.rope_scaling.original_context = original;
        h.rope_factors = llama3_rope_factors(h);
        const RopeScaling s = llama3_scaling_of(h);
        EXPECT_EQ(s.kind, RopeScaling::Kind::kLlama3);
        EXPECT_EQ(s.factor, factor);
        EXPECT_EQ(s.low_freq_factor, 1);
        EXPECT_EQ(s.high_freq_factor, high);
        EXPECT_EQ(s.original_context, original);
      }
    }
  }
}

TEST(Rope, OtherDivisorsAreNotMistakenForLlama3) {
  Hyperparameters h = read_config(published_config("Llama-3.1-8B"));
  h.rope_factors.assign(64, 1);
  EXPECT_EQ(llama3_scaling_of(h).kind, RopeScaling::Kind::kNone);
  for (size_t i = 0; i < 64; ++i) h.rope_factors[i] = 1 + float(i);
  EXPECT_EQ(llama3_scaling_of(h).kind, RopeScaling::Kind::kNone);
  EXPECT_THROW(write_config_json(archs::llama, h, "bfloat16", 1, {2}), std::exception);
}

// dim 128, base 10^6, original context 32768: pair i turns 32768 / wavelength times, which is 32 at
// i = 23.6 and 1 at i = 39.7, so the ramp goes from pair 23 to pair 40.
TEST(Rope, YarnLeavesFastPairsAndStretchesSlowOnes) {
  json config = published_config("Qwen2.5-7B");
  config["rope_scaling"] = {
      {"type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 32768}};
  const Hyperparameters h = read_config(config);
  const auto f = inverse_frequencies(h);
  ASSERT_EQ(f.size(), 64u);
  for (size_t i = 0; i < f.size(); ++i) {
    const double ramp = i <= 23 ? 0 : i >= 40 ? 1 : double(i - 23) / 17;
    const double plain = frequency(1e6, 128, i);
    EXPECT_NEAR(f[i] / (plain / 4 * ramp + plain * (1 - ramp)), 1, 1e-6) << i;
  }
  EXPECT_NEAR(rope_magnitude(h), 1.1386294361, 1e-9);  // 0.1 ln 4 + 1
}

}  // namespace
}  // namespace nibble
