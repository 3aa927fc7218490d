#include "kernels/ops.h"

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/half.h"
#include "kernels/fixtures.h"
#include "kernels/isa_kernels.h"

namespace nibble::test {
namespace {

class Ops : public IsaTest {
 protected:
  ThreadPool pool{2};
};
NIBBLE_ON_EVERY_ISA(Ops);

// Distance in units of the last place.
int64_t ulps(float a, float b) {
  const auto order = [](float x) {
    const int32_t bits = std::bit_cast<int32_t>(x);
    return int64_t(bits < 0 ? INT32_MIN - int64_t(bits) : int64_t(bits));
  };
  return std::abs(order(a) - order(b));
}

TEST_P(Ops, ExpIsWithinTwoUlpsOverItsWholeRange) {
  std::vector<float> x;
  for (double at = -103; at < 88.7; at += 0.00137) x.push_back(float(at));
  for (float tiny : {0.0f, -0.0f, 1e-30f, -1e-8f, 1e-45f}) x.push_back(tiny);
  std::vector<float> y(x.size());
  GetParam()->kernels->exp(x.data(), x.size(), y.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const float exact = float(std::exp(double(x[i])));
    // Subnormal results carry the absolute error of one of their own steps or two.
    ASSERT_LE(ulps(y[i], exact), 2) << "exp(" << x[i] << ") = " << y[i] << ", not " << exact;
  }
}

TEST_P(Ops, ExpOfExtremesIsWhatArithmeticSays) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float x[] = {kInfinity, -kInfinity, 100, -200, std::nanf("")};
  float y[5];
  GetParam()->kernels->exp(x, 5, y);
  EXPECT_EQ(y[0], kInfinity);
  EXPECT_EQ(y[1], 0);
  EXPECT_EQ(y[2], kInfinity);
  EXPECT_EQ(y[3], 0);
  EXPECT_TRUE(std::isnan(y[4]));
}

const size_t kWidths[] = {1, 3, 7, 16, 31, 48, 100, 257, 4096};

TEST_P(Ops, RmsNormDividesByTheRootMeanSquare) {
  Random random(1);
  for (const size_t n : kWidths) {
    std::vector<float> x = normal_values(random, 5 * n, 3), out(5 * n);
    const std::vector<float> weight = normal_values(random, n);
    rms_norm({x.data(), 5, n}, weight.data(), 1e-5f, {out.data(), 5, n}, pool);
    for (size_t t = 0; t < 5; ++t) {
      double squares = 0;
      for (size_t i = 0; i < n; ++i) squares += double(x[t * n + i]) * double(x[t * n + i]);
      const double scale = 1 / std::sqrt(squares / double(n) + double(1e-5f));
      for (size_t i = 0; i < n; ++i) {
        const double exact = double(x[t * n + i]) * scale * double(weight[i]);
        ASSERT_NEAR(out[t * n + i], exact, 2e-6 * std::fabs(exact) + 1e-30);
      }
    }
    rms_norm({x.data(), 5, n}, weight.data(), 1e-5f, {x.data(), 5, n}, pool);
    EXPECT_EQ(x, out) << "in place";
  }
}

TEST_P(Ops, SiluMultiplyIsGateTimesItsSigmoidTimesUp) {
  Random random(2);
  for (const size_t n : kWidths) {
    std::vector<float> gate = normal_values(random, 3 * n, 10), out(3 * n);
    gate[0] = -200;  // the sigmoid underflows
    const std::vector<float> up = normal_values(random, 3 * n);
    silu_multiply({gate.data(), 3, n}, {up.data(), 3, n}, {out.data(), 3, n}, pool);
    for (size_t i = 0; i < 3 * n; ++i) {
      const double g = double(gate[i]), exact = g / (1 + std::exp(-g)) * double(up[i]);
      ASSERT_NEAR(out[i], exact, 1e-6 * std::fabs(exact) + 1e-35);
    }
    silu_multiply({gate.data(), 3, n}, {up.data(), 3, n}, {gate.data(), 3, n}, pool);
    EXPECT_EQ(gate, out) << "in place";
  }
}

TEST_P(Ops, AddInPlaceAdds) {
  Random random(3);
  for (const size_t n : kWidths) {
    std::vector<float> x = normal_values(random, 4 * n);
    const std::vector<float> before = x, y = normal_values(random, 4 * n);
    add_in_place({x.data(), 4, n}, {y.data(), 4, n}, pool);
    for (size_t i = 0; i < 4 * n; ++i) ASSERT_EQ(x[i], before[i] + y[i]);
  }
}

TEST_P(Ops, RopeRotatesThePairsOfEveryHeadAndLeavesTheRest) {
  Random random(4);
  for (const size_t head_dim : {8, 48, 80, 128}) {
    for (const size_t half : {head_dim / 2, head_dim / 4}) {
      for (const RopePairs pairs : {RopePairs::kHalves, RopePairs::kNeighbours}) {
        const size_t heads = 3, tokens = 4, cols = heads * head_dim;
        std::vector<float> frequencies(half), x = normal_values(random, tokens * cols);
        for (size_t i = 0; i < half; ++i) {
          frequencies[i] = float(std::pow(10000.0, -double(i) / double(half)));
        }
        const std::vector<float> before = x;
        const int32_t positions[] = {0, 1, 4095, 131071};
        rope({x.data(), tokens, cols}, heads, head_dim, positions, frequencies, 1.25f, pairs, pool);
        std::vector<double> exact(before.begin(), before.end());
        for (size_t t = 0; t < tokens; ++t) {
          for (size_t h = 0; h < heads; ++h) {
            for (size_t i = 0; i < half; ++i) {
              const size_t at = t * cols + h * head_dim;
              const bool halves = pairs == RopePairs::kHalves;
              const size_t a = at + (halves ? i : 2 * i), b = at + (halves ? i + half : 2 * i + 1);
              const double angle = double(positions[t]) * double(frequencies[i]);
              const double c = 1.25 * std::cos(angle), s = 1.25 * std::sin(angle);
              exact[a] = double(before[a]) * c - double(before[b]) * s;
              exact[b] = double(before[a]) * s + double(before[b]) * c;
            }
          }
        }
        for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], exact[i], 2e-6);
      }
    }
  }
}

TEST_P(Ops, StoreKvRoundsToTheNearestHalf) {
  Random random(5);
  for (const size_t n : kWidths) {
    std::vector<float> x = normal_values(random, 2 * n);
    x[0] = 1e9f;  // becomes infinity
    x[n] = 1e-7f;
    std::vector<uint16_t> halves(5 * n, 0x1234);
    std::vector<float> floats(5 * n, 7);
    store_kv({x.data(), 2, n}, KvType::kF16, halves.data(), 2);
    store_kv({x.data(), 2, n}, KvType::kF32, floats.data(), 2);
    for (size_t i = 0; i < 5 * n; ++i) {
      const bool written = i >= 2 * n && i < 4 * n;
      ASSERT_EQ(halves[i], written ? f32_to_f16(x[i - 2 * n]) : 0x1234);
      ASSERT_EQ(floats[i], written ? x[i - 2 * n] : 7);
    }
  }
}

TEST_P(Ops, LogSoftmaxIsExactToRounding) {
  Random random(6);
  for (const size_t n : {1, 2, 15, 33, 1000, 50000}) {
    std::vector<float> x = normal_values(random, n, 10);
    const std::vector<float> before = x;
    const double largest = double(*std::max_element(before.begin(), before.end()));
    double sum = 0;
    for (const float v : before) sum += std::exp(double(v) - largest);
    const double exact = largest + std::log(sum);
    EXPECT_NEAR(log_softmax(x), exact, 1e-7 * std::max(1.0, std::fabs(exact)));
    for (size_t i = 0; i < n; ++i) ASSERT_NEAR(x[i], double(before[i]) - exact, 1e-5);
  }
}

TEST_P(Ops, LogSoftmaxSurvivesLogitsThatExpCannotHold) {
  std::vector<float> x(100, -1e30f);
  x[3] = 1e30f;
  EXPECT_EQ(log_softmax(x), double(1e30f));
  EXPECT_EQ(x[3], 0);
  EXPECT_LT(x[0], -1e30f);
}

}  // namespace
}  // namespace nibble::test
