#include "eval/statistics.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace nibble {

Measured mean_of(std::span<const double> values) {
  NIBBLE_CHECK(!values.empty());
  const double n = double(values.size());
  double sum = 0;
  for (const double v : values) sum += v;
  const double mean = sum / n;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return {mean, n > 1 ? std::sqrt(squares / (n - 1) / n) : 0};
}

double quantile_in_place(std::span<double> values, double q) {
  NIBBLE_CHECK(!values.empty() && q >= 0 && q <= 1);
  const double place = q * double(values.size() - 1);
  const size_t below = size_t(place);
  const auto at = values.begin() + ptrdiff_t(below);
  std::nth_element(values.begin(), at, values.end());
  const double low = *at;
  if (below + 1 == values.size()) return low;
  const double high = *std::min_element(at + 1, values.end());
  return low + (place - double(below)) * (high - low);
}

}  // namespace nibble
