#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "text/tokenizer.h"

namespace nibble {

// How the next token is chosen. Applied in this order: repetition penalty, top-k, temperature,
// top-p, min-p, draw. temperature 0 is greedy: the most likely token, lowest id first on ties.
struct SamplingOptions {
  double temperature = 0.8;
  int64_t top_k = 40;              // 0 = all
  double top_p = 0.95;             // 1 = all
  double min_p = 0.05;             // of the most likely token's probability; 0 = all
  double repetition_penalty = 1;   // Keskar et al. 2019; 1 = none
  int64_t repetition_window = 64;  // tokens looked back at
  uint64_t seed = 0;
};

class Sampler {
 public:
  // Throws Error(kUsage) naming the option that is out of range.
  explicit Sampler(const SamplingOptions& options);
  // `history`: prompt and generated tokens so far. Changes nothing but its random state.
  // Throws Error(kBadInput) when a logit is +infinity or none is finite.
  TokenId sample(std::span<const float> logits, std::span<const TokenId> history);

 private:
  struct Candidate {
    TokenId id;
    double value;  // logit, later probability
  };
  void collect(std::span<const float> logits, std::span<const TokenId> history);
  void keep_top_k();
  void to_probabilities();
  void cut_tail();

  SamplingOptions options_;
  Random random_;
  std::vector<Candidate> candidates_;
};

}  // namespace nibble
