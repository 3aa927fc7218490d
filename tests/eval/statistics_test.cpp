#include "eval/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace nibble {
namespace {

TEST(Statistics, MeanAndItsStandardError) {
  const std::vector<double> values = {1, 2, 3, 4};
  const Measured m = mean_of(values);
  EXPECT_DOUBLE_EQ(m.value, 2.5);
  EXPECT_DOUBLE_EQ(m.stderr_value, std::sqrt(5.0 / 3 / 4));
  EXPECT_EQ(mean_of(std::vector<double>{7}).stderr_value, 0);
}

TEST(Statistics, QuantilesInterpolateBetweenNeighbours) {
  std::vector<double> values = {30, 10, 20, 40};
  EXPECT_DOUBLE_EQ(quantile_in_place(values, 0), 10);
  EXPECT_DOUBLE_EQ(quantile_in_place(values, 0.5), 25);
  EXPECT_DOUBLE_EQ(quantile_in_place(values, 1), 40);
  EXPECT_DOUBLE_EQ(quantile_in_place(values, 0.9), 37);
}

}  // namespace
}  // namespace nibble
