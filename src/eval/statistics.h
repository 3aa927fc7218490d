#pragma once

#include <span>

namespace nibble {

// A figure and its standard error.
struct Measured {
  double value = 0, stderr_value = 0;
};

// Mean and standard error of the mean, sqrt(sample variance / n). REQUIRES: not empty.
Measured mean_of(std::span<const double> values);

// The q-quantile (0 <= q <= 1) by linear interpolation between order statistics.
// Reorders `values`. REQUIRES: not empty.
double quantile_in_place(std::span<double> values, double q);

}  // namespace nibble
