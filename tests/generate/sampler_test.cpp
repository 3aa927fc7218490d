#include "generate/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"

namespace nibble {
namespace {

const std::vector<float> kLogits = {1.0f, 3.0f, 2.0f, -1.0f, 0.0f};

// Shares of each token in many draws.
std::map<TokenId, double> shares(const SamplingOptions& options,
                                 std::vector<float> logits = kLogits,
                                 std::vector<TokenId> history = {}) {
  constexpr int kDraws = 20000;
  Sampler sampler(options);
  std::map<TokenId, double> counts;
  for (int i = 0; i < kDraws; ++i) counts[sampler.sample(logits, history)] += 1.0 / kDraws;
  return counts;
}

SamplingOptions everything() {
  return {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .repetition_penalty = 1};
}

TEST(Sampler, GreedyTakesTheMostLikelyAndTheLowestIdOnTies) {
  Sampler sampler({.temperature = 0});
  EXPECT_EQ(sampler.sample(kLogits, {}), 1);
  EXPECT_EQ(sampler.sample(std::vector<float>{0, 5, 5, 5}, {}), 1);
}

TEST(Sampler, DrawsFollowTheSoftmax) {
  const auto found = shares(everything());
  double total = 0;
  for (const float logit : kLogits) total += std::exp(logit);
  for (size_t i = 0; i < kLogits.size(); ++i) {
    EXPECT_NEAR(found.at(TokenId(i)), std::exp(kLogits[i]) / total, 0.015) << i;
  }
}

TEST(Sampler, TemperatureDividesTheLogits) {
  SamplingOptions options = everything();
  options.temperature = 0.5;
  const auto found = shares(options);
  EXPECT_NEAR(found.at(1) / found.at(2), std::exp(2.0), 0.5);
}

TEST(Sampler, TopKKeepsTheKMostLikely) {
  SamplingOptions options = everything();
  options.top_k = 2;
  const auto found = shares(options);
  EXPECT_EQ(found.size(), 2u);
  EXPECT_TRUE(found.contains(1) && found.contains(2));
}

TEST(Sampler, TopPKeepsTheFewestThatHoldTheProbability) {
  SamplingOptions options = everything();
  options.top_p = 0.6;  // the softmax of kLogits begins 0.64, 0.23
  EXPECT_EQ(shares(options).size(), 1u);
  options.top_p = 0.7;
  EXPECT_EQ(shares(options).size(), 2u);
}

TEST(Sampler, MinPIsRelativeToTheMostLikely) {
  SamplingOptions options = everything();
  options.min_p = 0.3;  // of 0.64; the second has 0.23
  EXPECT_EQ(shares(options).size(), 2u);
}

TEST(Sampler, RepetitionPenaltyLowersSeenTokensWhateverTheirSign) {
  SamplingOptions options = everything();
  options.temperature = 0;
  options.repetition_penalty = 2;
  Sampler sampler(options);
  EXPECT_EQ(sampler.sample(kLogits, std::vector<TokenId>{1, 1}), 2);  // 3 / 2 < 2
  EXPECT_EQ(sampler.sample(std::vector<float>{-1, -1.5f}, std::vector<TokenId>{0}), 1);
}

TEST(Sampler, RepetitionWindowForgets) {
  SamplingOptions options = everything();
  options.temperature = 0;
  options.repetition_penalty = 2;
  options.repetition_window = 1;
  Sampler sampler(options);
  EXPECT_EQ(sampler.sample(kLogits, std::vector<TokenId>{1, 4}), 1);
}

TEST(Sampler, TheSameSeedGivesTheSameDraws) {
  SamplingOptions options = everything();
  options.seed = 7;
  Sampler a(options), b(options);
  options.seed = 8;
  Sampler c(options);
  int different = 0;
  for (int i = 0; i < 200; ++i) {
    const TokenId token = a.sample(kLogits, {});
    EXPECT_EQ(token, b.sample(kLogits, {}));
    different += token != c.sample(kLogits, {});
  }
  EXPECT_GT(different, 0);
}

TEST(Sampler, NotANumberNeverWins) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Sampler greedy({.temperature = 0});
  EXPECT_EQ(greedy.sample(std::vector<float>{nan, 1, nan}, {}), 1);
  EXPECT_EQ(shares(everything(), {nan, 1, nan}).size(), 1u);
}

TEST(Sampler, LogitsThatGiveNoDistributionAreBadInput) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const double temperature : {0.0, 0.8}) {
    Sampler sampler({.temperature = temperature});
    for (const std::vector<float>& logits : std::vector<std::vector<float>>{
             {nan, nan}, {-infinity, -infinity}, {nan, -infinity}, {1, infinity, 2}}) {
      EXPECT_THROW(sampler.sample(logits, {}), Error);
    }
    EXPECT_EQ(sampler.sample(std::vector<float>{-infinity, 1}, {}), 1);
  }
}

TEST(Sampler, OptionsOutOfRangeAreNamed) {
  const auto fails = [](SamplingOptions options) { EXPECT_THROW(Sampler{options}, Error); };
  fails({.temperature = -1});
  fails({.temperature = std::nan("")});
  fails({.top_k = -1});
  fails({.top_p = 0});
  fails({.top_p = 1.5});
  fails({.min_p = -0.1});
  fails({.repetition_penalty = 0});
  fails({.repetition_window = -1});
}

}  // namespace
}  // namespace nibble
