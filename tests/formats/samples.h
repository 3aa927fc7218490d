#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "formats/format.h"

namespace nibble::test {

// A kind of weights the tests quantize. Every block of 32 of it is of that kind.
struct Sample {
  std::string_view name;
  std::vector<float> (*make)(size_t n);
  // Whether the reference is defined on it: its scales stay within f16, their inverses finite.
  bool reference_defined;
};
std::span<const Sample> samples();

std::vector<float> gaussian(size_t n);
// Positive numbers spread over some orders of magnitude (log-normal), as mean squares of
// activations are.
std::vector<float> importances(size_t n);

// The formats that are block-quantized.
std::vector<const Format*> quantized_formats();

std::vector<std::byte> encode(const Format& format, std::span<const float> x,
                              const float* importance = nullptr);
std::vector<float> decode(const Format& format, std::span<const std::byte> bytes, size_t n);

// sum of importance * (x - y)²; importance nullptr: all 1.
double loss(std::span<const float> x, std::span<const float> y, const float* importance = nullptr);

}  // namespace nibble::test
