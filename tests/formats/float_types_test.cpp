#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/half.h"
#include "base/random.h"
#include "samples.h"

// The formats that hold one float per weight, against definitions spelled out slowly.

namespace nibble {
namespace {

// A float of `exponent_bits` and `mantissa_bits` below a sign bit, no specials.
double slow_value(uint32_t code, int exponent_bits, int mantissa_bits, int bias) {
  const uint32_t mantissa = code & ((1u << mantissa_bits) - 1);
  const int exponent = int(code >> mantissa_bits) & ((1 << exponent_bits) - 1);
  const double sign = (code >> (exponent_bits + mantissa_bits)) & 1 ? -1 : 1;
  const double fraction = std::ldexp(double(mantissa), -mantissa_bits);
  return exponent == 0 ? sign * std::ldexp(fraction, 1 - bias)
                       : sign * std::ldexp(1 + fraction, exponent - bias);
}

template <typename Code>
float decode_one(const Format& format, Code code) {
  std::array<std::byte, sizeof(Code)> bytes;
  std::memcpy(bytes.data(), &code, sizeof code);
  float value;
  format.decode(bytes.data(), 1, &value);
  return value;
}

void expect_value(float actual, double expected, uint32_t code) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(actual)) << code;
    return;
  }
  EXPECT_EQ(double(actual), expected) << code;
  EXPECT_EQ(std::signbit(actual), std::signbit(expected)) << code;
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Fp8, DecodesAllCodesOfE4M3) {
  for (uint32_t code = 0; code < 256; ++code) {
    const double expected = (code & 0x7F) == 0x7F ? kNan : slow_value(code, 4, 3, 7);
    expect_value(decode_one(formats::f8_e4m3, uint8_t(code)), expected, code);
  }
  EXPECT_EQ(decode_one(formats::f8_e4m3, uint8_t(0x7E)), 448.0f);
}

TEST(Fp8, DecodesAllCodesOfE5M2) {
  for (uint32_t code = 0; code < 256; ++code) {
    double expected = slow_value(code, 5, 2, 15);
    if ((code & 0x7F) == 0x7C) expected = code < 0x80 ? kInfinity : -kInfinity;
    if ((code & 0x7F) > 0x7C) expected = kNan;
    expect_value(decode_one(formats::f8_e5m2, uint8_t(code)), expected, code);
  }
}

TEST(Fp8, DecodesAllCodesOfTheUnsignedZeroKinds) {
  for (uint32_t code = 0; code < 256; ++code) {
    expect_value(decode_one(formats::f8_e4m3fnuz, uint8_t(code)),
                 code == 0x80 ? kNan : slow_value(code, 4, 3, 8), code);
    expect_value(decode_one(formats::f8_e5m2fnuz, uint8_t(code)),
                 code == 0x80 ? kNan : slow_value(code, 5, 2, 16), code);
  }
  EXPECT_EQ(decode_one(formats::f8_e4m3fnuz, uint8_t(0x7F)), 240.0f);
  EXPECT_EQ(decode_one(formats::f8_e5m2fnuz, uint8_t(0x7F)), 57344.0f);
}

TEST(Fp8, DecodesAllPowersOfE8M0) {
  for (uint32_t code = 0; code < 256; ++code) {
    const double expected = code == 255 ? kNan : std::ldexp(1.0, int(code) - 127);
    expect_value(decode_one(formats::f8_e8m0, uint8_t(code)), expected, code);
  }
}

TEST(Half, DecodesAllCodesOfF16) {
  for (uint32_t code = 0; code < 0x10000; ++code) {
    double expected = slow_value(code, 5, 10, 15);
    if ((code & 0x7FFF) == 0x7C00) expected = code < 0x8000 ? kInfinity : -kInfinity;
    if ((code & 0x7FFF) > 0x7C00) expected = kNan;
    expect_value(decode_one(formats::f16, uint16_t(code)), expected, code);
  }
}

TEST(Half, DecodesAllCodesOfBf16) {
  for (uint32_t code = 0; code < 0x10000; ++code) {
    double expected = slow_value(code, 8, 7, 127);
    if ((code & 0x7FFF) == 0x7F80) expected = code < 0x8000 ? kInfinity : -kInfinity;
    if ((code & 0x7FFF) > 0x7F80) expected = kNan;
    expect_value(decode_one(formats::bf16, uint16_t(code)), expected, code);
  }
}

uint16_t encode_one(const Format& format, float x) {
  std::array<std::byte, 2> bytes;
  format.encode(&x, nullptr, 1, bytes.data());
  return std::bit_cast<uint16_t>(bytes);
}

// Every finite code, the floats halfway to the next one, and those just before and after halfway.
void expect_nearest_even(const Format& format, uint32_t largest) {
  for (uint32_t code = 0; code < largest; ++code) {
    const float low = decode_one(format, uint16_t(code));
    const float high = decode_one(format, uint16_t(code + 1));
    const float middle = float((double(low) + double(high)) / 2);
    const uint16_t even = uint16_t(code % 2 == 0 ? code : code + 1);
    ASSERT_EQ(encode_one(format, low), code);
    ASSERT_EQ(encode_one(format, middle), even) << code;
    ASSERT_EQ(encode_one(format, std::nextafter(middle, low)), code) << code;
    ASSERT_EQ(encode_one(format, std::nextafter(middle, high)), code + 1) << code;
    ASSERT_EQ(encode_one(format, -middle), even | 0x8000) << code;
  }
}

TEST(Half, RoundsF16ToNearestEven) { expect_nearest_even(formats::f16, 0x7BFF); }
TEST(Half, RoundsBf16ToNearestEven) { expect_nearest_even(formats::bf16, 0x7F7F); }

TEST(Half, SaturatesInsteadOfOverflowing) {
  for (const float x : {65519.0f, 65520.0f, 1e6f, std::numeric_limits<float>::max()}) {
    EXPECT_EQ(encode_one(formats::f16, x), 0x7BFF) << x;
    EXPECT_EQ(encode_one(formats::f16, -x), 0xFBFF) << x;
  }
  EXPECT_EQ(encode_one(formats::bf16, std::numeric_limits<float>::max()), 0x7F7F);
  EXPECT_EQ(encode_one(formats::bf16, -std::numeric_limits<float>::max()), 0xFF7F);
}

TEST(Half, AgreesWithTheScalarConversionsUpToSaturation) {
  Random random(3);
  std::vector<float> x;
  while (x.size() < 100'000) {
    const float v = std::bit_cast<float>(uint32_t(random.next()));
    if (std::isfinite(v)) x.push_back(v);
  }
  const auto f16 = test::encode(formats::f16, x), bf16 = test::encode(formats::bf16, x);
  for (size_t i = 0; i < x.size(); ++i) {
    f16_bits half;
    std::memcpy(&half, &f16[2 * i], 2);
    bf16_bits brain;
    std::memcpy(&brain, &bf16[2 * i], 2);
    const f16_bits scalar_half = f32_to_f16(x[i]);
    ASSERT_EQ(half, (scalar_half & 0x7FFF) == 0x7C00 ? scalar_half - 1 : scalar_half) << x[i];
    const bf16_bits scalar_brain = f32_to_bf16(x[i]);
    ASSERT_EQ(brain, (scalar_brain & 0x7FFF) == 0x7F80 ? scalar_brain - 1 : scalar_brain) << x[i];
  }
}

TEST(Float, KeepsEveryBitOfF32) {
  Random random(4);
  std::vector<float> x(1000);
  for (float& v : x) v = std::bit_cast<float>(uint32_t(random.next()));
  const auto bytes = test::encode(formats::f32, x);
  const auto y = test::decode(formats::f32, bytes, x.size());
  EXPECT_EQ(std::memcmp(x.data(), bytes.data(), bytes.size()), 0);
  EXPECT_EQ(std::memcmp(x.data(), y.data(), bytes.size()), 0);
}

TEST(Float, HoldsF32InF64) {
  const auto x = test::gaussian(1000);
  EXPECT_EQ(test::decode(formats::f64, test::encode(formats::f64, x), x.size()), x);
  EXPECT_EQ(decode_one(formats::f64, 0.1), 0.1f);
  EXPECT_EQ(decode_one(formats::f64, 1e300), std::numeric_limits<float>::infinity());
}

TEST(AllFinite, FindsTheFirstThatIsNot) {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    for (const size_t at : {0, 1, 31, 1023, 1024, 2999}) {
      std::vector<float> x(3000, std::numeric_limits<float>::max());
      size_t found = 0;
      EXPECT_TRUE(all_finite(x.data(), x.size(), &found));
      x[at] = x[2999] = bad;
      EXPECT_FALSE(all_finite(x.data(), x.size(), &found));
      EXPECT_EQ(found, at);
      EXPECT_FALSE(all_finite(x.data(), x.size(), nullptr));
      EXPECT_TRUE(all_finite(x.data(), at, nullptr));
    }
  }
}

}  // namespace
}  // namespace nibble
