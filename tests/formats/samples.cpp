#include "samples.h"

#include <array>
#include <cmath>

#include "base/random.h"

namespace nibble::test {
namespace {

template <typename Make>
std::vector<float> filled(size_t n, uint64_t seed, Make&& make) {
  Random random(seed);
  std::vector<float> x(n);
  for (size_t i = 0; i < n; ++i) x[i] = float(make(random, i));
  return x;
}

std::vector<float> heavy_tailed(size_t n) {
  return filled(n, 2, [](Random& r, size_t) {
    const double v = r.normal();
    return v * v * v * 0.01;
  });
}

std::vector<float> constant(size_t n) {
  return filled(n, 3, [](Random&, size_t i) { return (double(i / 32 % 7) - 3) * 0.37; });
}

std::vector<float> zeros(size_t n) {
  return filled(n, 4, [](Random&, size_t i) { return i / 32 % 2 == 0 ? 0.0 : -0.0; });
}

std::vector<float> sparse(size_t n) {
  return filled(n, 5, [](Random& r, size_t) { return r.below(16) == 0 ? r.normal() : 0.0; });
}

// Not negative, with zeros of both signs: which of them is the minimum shows in the bytes.
std::vector<float> rectified(size_t n) {
  return filled(n, 6, [](Random& r, size_t) {
    const double v = r.normal();
    return v < -0.5 ? -0.0 : v < 0 ? 0.0 : v;
  });
}

// Multiples of half a step of the 4-bit and 8-bit grids, so that rounding meets ties.
std::vector<float> ties(size_t n) {
  return filled(n, 7, [](Random& r, size_t i) {
    const double limit = i / 32 % 2 == 0 ? 8 : 127;
    if (i % 32 == 0) return -limit;
    return (double(r.below(uint64_t(4 * limit))) - 2 * limit) * 0.5;
  });
}

// Both ends of the range in every block, in either order: the sign of the scale is at stake.
std::vector<float> both_extremes(size_t n) {
  return filled(n, 8, [](Random& r, size_t i) {
    const double first = i / 32 % 2 == 0 ? 1 : -1;
    return i % 32 == 3 ? first : i % 32 == 17 ? -first : r.uniform() - 0.5;
  });
}

std::vector<float> far_from_zero(size_t n) {
  return filled(n, 9, [](Random& r, size_t) { return 100 + r.normal() * 0.01; });
}

// Scales that f16 holds only as subnormals, or as 0.
std::vector<float> tiny(size_t n) {
  return filled(n, 10, [](Random& r, size_t i) {
    return r.normal() * (i / 32 % 3 == 0 ? 1e-4 : i / 32 % 3 == 1 ? 1e-6 : 1e-20);
  });
}

std::vector<float> large(size_t n) {
  return filled(n, 11, [](Random& r, size_t) { return (r.uniform() - 0.5) * 6e4; });
}

// Beyond what the formats can scale.
std::vector<float> subnormal(size_t n) {
  return filled(n, 12, [](Random& r, size_t i) {
    return i / 32 % 2 == 0 ? r.normal() * 1e-41 : double(r.below(3)) * 1e-45;
  });
}

std::vector<float> huge(size_t n) {
  return filled(n, 13, [](Random& r, size_t i) {
    const double limits[] = {3.4e38, 1e30, 1e8, 5e6, 1.2e6};
    return (2 * r.uniform() - 1) * limits[i / 32 % 5];
  });
}

constexpr std::array kSamples = {
    Sample{"Gaussian", gaussian, true},
    Sample{"HeavyTailed", heavy_tailed, true},
    Sample{"Constant", constant, true},
    Sample{"Zeros", zeros, true},
    Sample{"Sparse", sparse, true},
    Sample{"Rectified", rectified, true},
    Sample{"Ties", ties, true},
    Sample{"BothExtremes", both_extremes, true},
    Sample{"FarFromZero", far_from_zero, true},
    Sample{"Tiny", tiny, true},
    Sample{"Large", large, true},
    Sample{"Subnormal", subnormal, false},
    Sample{"Huge", huge, false},
};

}  // namespace

std::span<const Sample> samples() { return kSamples; }

std::vector<float> gaussian(size_t n) {
  return filled(n, 1, [](Random& r, size_t) { return r.normal() * 0.02; });
}

std::vector<float> importances(size_t n) {
  return filled(n, 20, [](Random& r, size_t) { return std::exp(r.normal()); });
}

std::vector<const Format*> quantized_formats() {
  std::vector<const Format*> quantized;
  for (const Format* format : all_formats()) {
    if (format->is_quantized()) quantized.push_back(format);
  }
  return quantized;
}

std::vector<std::byte> encode(const Format& format, std::span<const float> x,
                              const float* importance) {
  std::vector<std::byte> bytes(format.bytes_for(x.size()));
  format.encode(x.data(), importance, x.size(), bytes.data());
  return bytes;
}

std::vector<float> decode(const Format& format, std::span<const std::byte> bytes, size_t n) {
  std::vector<float> x(n);
  format.decode(bytes.data(), n, x.data());
  return x;
}

double loss(std::span<const float> x, std::span<const float> y, const float* importance) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = double(x[i]) - double(y[i]);
    sum += (importance == nullptr ? 1.0 : double(importance[i])) * error * error;
  }
  return sum;
}

}  // namespace nibble::test
