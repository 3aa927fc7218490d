#include "base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace nibble {
namespace {

// The reference C code of Blackman and Vigna, written again from their paper, seeded alike.
TEST(Random, IsXoshiro256PlusPlusSeededBySplitmix64) {
  uint64_t seed = 42, state[4];
  for (auto& word : state) {
    seed += 0x9E3779B97F4A7C15u;
    uint64_t z = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    word = z ^ (z >> 31);
  }
  const auto rotate = [](uint64_t x, int k) { return x << k | x >> (64 - k); };
  Random random(42);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(random.next(), rotate(state[0] + state[3], 23) + state[0]);
    const uint64_t t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotate(state[3], 45);
  }
}

// Files and reports depend on these numbers: they never change.
TEST(Random, GoldenValues) {
  Random random(0);
  EXPECT_EQ(random.next(), 5987356902031041503u);
  EXPECT_EQ(random.next(), 7051070477665621255u);
  EXPECT_EQ(random.next(), 6633766593972829180u);
  Random others(12345);
  EXPECT_EQ(others.below(1000), 856u);
  EXPECT_EQ(others.uniform(), 0x1.a3bfca9bcb38p-3);
  EXPECT_DOUBLE_EQ(others.normal(), -0x1.e3a87d7eb1371p-1);
  EXPECT_DOUBLE_EQ(others.normal(), 0x1.d18bffdaa5c68p-1);
}

TEST(Random, SeedsGiveDifferentStreams) {
  Random a(1), b(2);
  int equal = 0;
  for (int i = 0; i < 1000; ++i) equal += a.next() == b.next();
  EXPECT_EQ(equal, 0);
}

TEST(Random, BelowIsUnbiased) {
  Random random(7);
  constexpr uint64_t kBound = 6, kDraws = 600000;
  std::vector<double> counts(kBound);
  for (uint64_t i = 0; i < kDraws; ++i) {
    const uint64_t x = random.below(kBound);
    ASSERT_LT(x, kBound);
    ++counts[x];
  }
  double chi_squared = 0;
  const double expected = double(kDraws) / kBound;
  for (const double n : counts) chi_squared += (n - expected) * (n - expected) / expected;
  EXPECT_LT(chi_squared, 20.5);  // 99.9 % point for five degrees of freedom
  EXPECT_EQ(random.below(1), 0u);
  for (int i = 0; i < 100; ++i) EXPECT_LT(random.below(~uint64_t(0)), ~uint64_t(0));
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  Random random(3);
  constexpr int kDraws = 1000000;
  double sum_u = 0, sum = 0, squares = 0, fourth = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum_u += u;
    const double x = random.normal();
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  // Each bound is five standard errors of the mean it concerns.
  EXPECT_NEAR(sum_u / kDraws, 0.5, 5 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(sum / kDraws, 0, 5 * std::sqrt(1.0 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1, 5 * std::sqrt(2.0 / kDraws));
  EXPECT_NEAR(fourth / kDraws, 3, 5 * std::sqrt(96.0 / kDraws));
}

}  // namespace
}  // namespace nibble
