#include "kernels/activations.h"

#include <cmath>

#include "kernels/fixtures.h"

namespace nibble::test {
namespace {

class Quantization : public IsaTest {};
NIBBLE_ON_EVERY_ISA(Quantization);

TEST_P(Quantization, OfInputsIsTheSameOnEveryInstructionSet) {
  Random random(1);
  const std::vector<float> x = normal_values(random, 64 * kBlock, 3);
  struct Result {
    std::vector<int8_t> q = std::vector<int8_t>(64 * kBlock);
    std::vector<float> scales = std::vector<float>(64);
    std::vector<int32_t> totals = std::vector<int32_t>(64);
  } here, plain;
  GetParam()->kernels->quantize(x.data(), 64, here.q.data(), here.scales.data(),
                                here.totals.data());
  isas_here().back()->kernels->quantize(x.data(), 64, plain.q.data(), plain.scales.data(),
                                        plain.totals.data());
  EXPECT_EQ(here.q, plain.q);
  EXPECT_EQ(here.scales, plain.scales);
  EXPECT_EQ(here.totals, plain.totals);
}

TEST_P(Quantization, RoundsEveryInputToTheNearestOf255Steps) {
  Random random(2);
  for (int round = 0; round < 100; ++round) {
    std::vector<float> x =
        normal_values(random, kBlock, std::pow(10.0, random.uniform() * 40 - 20));
    int8_t q[kBlock];
    float scale;
    int32_t total, expected_total = 0;
    GetParam()->kernels->quantize(x.data(), 1, q, &scale, &total);
    double amax = 0;
    for (size_t j = 0; j < kBlock; ++j) {
      EXPECT_LE(std::fabs(q[j]), 127);
      EXPECT_LE(std::fabs(double(scale) * q[j] - double(x[j])), 0.50001 * double(scale));
      amax = std::max(amax, std::fabs(double(x[j])));
      expected_total += q[j];
    }
    EXPECT_NEAR(scale, amax / 127, 1e-7 * amax);
    EXPECT_EQ(total, expected_total);
  }
}

}  // namespace
}  // namespace nibble::test
