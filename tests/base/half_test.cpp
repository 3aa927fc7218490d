#include "base/half.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace nibble {
namespace {

bool is_nan(float f) { return f != f; }

// Written from the definition: sign · 2^(exponent − bias) · 1.mantissa, in doubles.
double f16_by_definition(uint16_t h) {
  const double sign = (h & 0x8000) != 0 ? -1 : 1;
  const int exponent = (h >> 10) & 31, mantissa = h & 1023;
  if (exponent == 31) return mantissa != 0 ? std::nan("") : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

TEST(F16, EveryCodeHasTheValueOfItsDefinition) {
  for (uint32_t h = 0; h < 65536; ++h) {
    const float value = f16_to_f32(f16_bits(h));
    const double expected = f16_by_definition(f16_bits(h));
    if (std::isnan(expected)) {
      ASSERT_TRUE(is_nan(value)) << h;
    } else {
      ASSERT_EQ(double(value), expected) << h;
      ASSERT_EQ(std::signbit(value), (h & 0x8000) != 0) << h;
    }
  }
}

TEST(F16, EveryCodeSurvivesTheRoundTrip) {
  for (uint32_t h = 0; h < 65536; ++h) {
    const float value = f16_to_f32(f16_bits(h));
    const f16_bits back = f32_to_f16(value);
    if (is_nan(value)) {
      ASSERT_TRUE(is_nan(f16_to_f32(back))) << h;
      ASSERT_EQ(back & 0x8000, h & 0x8000) << h;
    } else {
      ASSERT_EQ(back, h);
    }
  }
}

TEST(Bf16, EveryCodeIsTheUpperHalfOfItsFloat) {
  for (uint32_t h = 0; h < 65536; ++h) {
    const float value = bf16_to_f32(bf16_bits(h));
    ASSERT_EQ(std::bit_cast<uint32_t>(value), h << 16);
    const bf16_bits back = f32_to_bf16(value);
    if (is_nan(value)) {
      ASSERT_TRUE(is_nan(bf16_to_f32(back))) << h;
    } else {
      ASSERT_EQ(back, h);
    }
  }
}

// Floats of every exponent: all patterns of the upper bits, with lower bits at, next to and halfway
// between the codes, where rounding decides; and a million random ones.
std::vector<float> hard_floats() {
  std::vector<float> floats;
  const uint32_t lower[] = {0,      1,      0x0FFF, 0x1000, 0x1001, 0x1FFF, 0x2000,
                            0x2FFF, 0x3000, 0x3001, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
  for (uint32_t upper = 0; upper < 65536; ++upper) {
    for (const uint32_t low : lower) floats.push_back(std::bit_cast<float>(upper << 16 | low));
  }
  Random random(1);
  for (int i = 0; i < 1000000; ++i) floats.push_back(std::bit_cast<float>(uint32_t(random.next())));
  return floats;
}

#if defined(__FLT16_MAX__)
TEST(F16, RoundsAsTheCompilerDoes) {
  for (const float f : hard_floats()) {
    const auto expected = std::bit_cast<uint16_t>(static_cast<_Float16>(f));
    const f16_bits got = f32_to_f16(f);
    if (is_nan(f)) {
      ASSERT_TRUE(is_nan(f16_to_f32(got)));
    } else {
      ASSERT_EQ(got, expected) << f;
    }
  }
}
#endif

// The slow twin: the nearer of the two neighbours, and of two equally near the even one.
f16_bits f16_by_search(float f) {
  const uint16_t sign = std::signbit(f) ? 0x8000 : 0;
  const double magnitude = std::fabs(double(f));
  uint32_t low = 0, high = 0x7C00;  // codes whose values enclose the magnitude
  while (high - low > 1) {
    const uint32_t middle = (low + high) / 2;
    (f16_by_definition(uint16_t(middle)) <= magnitude ? low : high) = middle;
  }
  const double below = f16_by_definition(uint16_t(low));
  const double above = high == 0x7C00 ? 65536 : f16_by_definition(uint16_t(high));
  const bool up = magnitude - below > above - magnitude ||
                  (magnitude - below == above - magnitude && (low & 1) != 0);
  return f16_bits(sign | (up ? high : low));
}

TEST(F16, RoundsToTheNearestAndTiesToEven) {
  const auto floats = hard_floats();
  for (size_t i = 0; i < floats.size(); i += 3) {
    if (is_nan(floats[i])) continue;
    ASSERT_EQ(f32_to_f16(floats[i]), f16_by_search(floats[i])) << floats[i];
  }
}

TEST(F16, KnowsItsEdges) {
  EXPECT_EQ(f32_to_f16(65504.0f), 0x7BFF);    // the largest finite value
  EXPECT_EQ(f32_to_f16(65519.996f), 0x7BFF);  // still nearer to it than to 2^16
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7C00);    // halfway: infinity is the even one
  EXPECT_EQ(f32_to_f16(-1e30f), 0xFC00);
  EXPECT_EQ(f32_to_f16(0x1p-24f), 1);  // the least subnormal
  EXPECT_EQ(f32_to_f16(0x1p-25f), 0);  // halfway to zero: zero is even
  EXPECT_EQ(f32_to_f16(0x1.000002p-25f), 1);
  EXPECT_EQ(f32_to_f16(0x1.FFFp-15f), 0x0400);  // the largest subnormal rounds up to normal
  EXPECT_EQ(f32_to_f16(-0.0f), 0x8000);
}

TEST(Bf16, RoundsToTheNearestAndTiesToEven) {
  for (const float f : hard_floats()) {
    if (!std::isfinite(f)) continue;
    // One unit of the eighth significant bit, by the definition of bf16.
    const int exponent = std::max(std::ilogb(f == 0 ? 1e-45f : f), -126);
    const double unit = std::ldexp(1.0, exponent - 7);
    const double nearest = std::nearbyint(double(f) / unit) * unit;
    const double got = double(bf16_to_f32(f32_to_bf16(f)));
    if (std::fabs(nearest) >= 0x1p128) {
      ASSERT_TRUE(std::isinf(got));
    } else {
      ASSERT_EQ(got, nearest) << f;
    }
    ASSERT_EQ(std::signbit(got), std::signbit(f));
  }
}

}  // namespace
}  // namespace nibble
