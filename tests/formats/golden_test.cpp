#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "samples.h"

// What the encoders wrote when they were checked against llama.cpp, so that it keeps holding where
// llama.cpp is not at hand, and on every compiler and machine. The inputs are exact in any
// arithmetic.

namespace nibble {
namespace {

constexpr size_t kBlock = 32;

std::vector<float> ramp() {
  std::vector<float> x(kBlock);
  for (size_t i = 0; i < kBlock; ++i) x[i] = float(int(i * 37 % 64) - 31) / 64;
  return x;
}

std::vector<float> ramp_importance() {
  std::vector<float> w(kBlock);
  for (size_t i = 0; i < kBlock; ++i) w[i] = float(i * 13 % 8 + 1) / 8;
  return w;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const auto byte : bytes) text += fmt::format("{:02x}", uint8_t(byte));
  return text;
}

// FNV-1a, 64 bits.
uint64_t digest(std::span<const std::byte> bytes) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const auto byte : bytes) hash = (hash ^ uint64_t(byte)) * 0x100000001B3;
  return hash;
}

struct Golden {
  const Format* format;
  std::string_view plain, fitted;        // the block of ramp(), without and with importance
  uint64_t plain_digest, fitted_digest;  // of 4096 blocks of random numbers
  // Of Gaussian weights: sum of errors² over sum of squares, both weighted by importance.
  double plain_loss, fitted_loss;
};

const Golden kGolden[] = {
    {&formats::q8_0, "081c8518ad40d467fc9124b94be073089d30c457ec7f14a93cd063f88d20b547dc6f",
     "011c8418ac40d468fc9024b84ce074089c30c458ec7f14a83cd064f88c20b448dc70", 0x8027766402CB5343,
     0x1064EE8D10869A98, 2.8753e-05, 2.3268e-05},
    {&formats::q5_1, "1128c0b72ab55aa980a2d5f72a4c7f91c4e6193b6e80b3d5",
     "0728aab72ab55aa980a2d5f72a4c7f91c4e6193b6e80b3d5", 0x211C730DFAECA334, 0x25F080EC3F3DE060,
     1.4304e-03, 8.6875e-04},
    {&formats::q5_0, "00a8d54aa5568f5d3b08e6b3916e4c19f7c4a27f5d2a",
     "d7a7d54aa5568f5d3b08d6b3816e3b19f6c4a17f5d2a", 0x15E2C54A6D3DDB00, 0x8535021168101948,
     1.8338e-03, 1.4239e-03},
    {&formats::q4_1, "332cc0b740d962fb952eb751da730c953ec851ea",
     "042c2db730d962fb842eb740d9730c952ec851ea", 0x8CD50FAFB8FC443D, 0xC2CBB385C84880C5, 6.1036e-03,
     3.7432e-03},
    {&formats::q4_0, "00accf379d047be248bf269df36ad148ae15", "18accf379d047bd248bf268cf36ad148ae15",
     0x194CD03BA64C44F1, 0xCF9078C38CD396AB, 7.3628e-03, 5.6908e-03},
};

class GoldenBytes : public testing::TestWithParam<Golden> {};
INSTANTIATE_TEST_SUITE_P(All, GoldenBytes, testing::ValuesIn(kGolden),
                         [](const auto& golden) { return std::string(golden.param.format->name); });

TEST(GoldenBytes, ExistForEveryFormatThatIsQuantized) {
  EXPECT_EQ(test::quantized_formats().size(), std::size(kGolden));
}

TEST_P(GoldenBytes, OfOneBlockStayTheSame) {
  const auto& golden = GetParam();
  EXPECT_EQ(hex(test::encode(*golden.format, ramp())), golden.plain);
  EXPECT_EQ(hex(test::encode(*golden.format, ramp(), ramp_importance().data())), golden.fitted);
}

TEST_P(GoldenBytes, OfManyBlocksStayTheSame) {
  const auto& golden = GetParam();
  Random random(1);
  std::vector<float> x(4096 * kBlock), importance(x.size());
  for (float& v : x) v = float(random.uniform() - random.uniform());
  for (float& w : importance) w = float(random.uniform() * random.uniform());
  EXPECT_EQ(digest(test::encode(*golden.format, x)), golden.plain_digest);
  EXPECT_EQ(digest(test::encode(*golden.format, x, importance.data())), golden.fitted_digest);
}

TEST_P(GoldenBytes, LoseWhatTheFormatIsKnownToLose) {
  const auto& golden = GetParam();
  const Format& format = *golden.format;
  const auto x = test::gaussian(4096 * kBlock);
  const auto importance = test::importances(x.size());
  const std::vector<float> zeros(x.size());
  const auto relative_loss = [&](const float* weights) {
    const auto y = test::decode(format, test::encode(format, x, weights), x.size());
    return test::loss(x, y, weights) / test::loss(x, zeros, weights);
  };
  EXPECT_NEAR(relative_loss(nullptr), golden.plain_loss, 0.001 * golden.plain_loss);
  EXPECT_NEAR(relative_loss(importance.data()), golden.fitted_loss, 0.001 * golden.fitted_loss);
}

}  // namespace
}  // namespace nibble
