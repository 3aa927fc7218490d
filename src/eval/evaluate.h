#pragma once

#include <optional>
#include <span>
#include <vector>

#include "eval/statistics.h"
#include "eval/windows.h"
#include "model/forward.h"

namespace nibble {

// KL divergence D(base || model) of next-token distributions, in nats per token, and its company.
struct Divergence {
  Measured mean;
  double median = 0, p99 = 0, max = 0;
  Measured same_top;     // share of positions where both find the same token most likely
  Measured rms_delta_p;  // root mean square of p_model - p_base of the true token
  Measured mean_delta_p;
  Measured perplexity_ratio;  // model / base, standard error from the paired differences
  Measured base_perplexity;
};

struct Evaluation {
  size_t tokens = 0;  // scored
  size_t windows = 0;
  Measured perplexity;
  std::optional<Divergence> divergence;
  double seconds = 0;
  std::vector<double> log_probs;  // of the scored tokens, natural log, in text order
};

// Perplexity of `model` over the windows, and with `base` the divergence from it. Both run window
// by window side by side; nothing is written to disk and memory does not grow with the text. Throws
// Error(kUsage) when the vocabularies of the two differ, Error(kBadInput) when a distribution of
// one is not finite: no figure of this comes from NaN.
Evaluation evaluate(Forward& model, Forward* base, std::span<const Window> windows,
                    KvType kv_type = KvType::kF16);

}  // namespace nibble
