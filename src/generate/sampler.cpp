#include "generate/sampler.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace nibble {
namespace {

void require(bool holds, const char* option, const char* expected, double got) {
  if (!holds) throw usage_error("{}: expected {}, got {}", option, expected, got);
}

void check_logits(std::span<const float> logits) {
  const bool overflows = std::find(logits.begin(), logits.end(), INFINITY) != logits.end();
  const bool any_finite =
      std::any_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); });
  if (any_finite && !overflows) return;
  throw bad_input("the logits of the model are not finite")
      .hint("its weights are damaged, or overflow");
}

}  // namespace

Sampler::Sampler(const SamplingOptions& options) : options_(options), random_(options.seed) {
  const auto& o = options;
  require(o.temperature >= 0 && o.temperature <= 100, "--temperature", "0 to 100", o.temperature);
  require(o.top_k >= 0, "--top-k", "0 or more", double(o.top_k));
  require(o.top_p > 0 && o.top_p <= 1, "--top-p", "more than 0, at most 1", o.top_p);
  require(o.min_p >= 0 && o.min_p <= 1, "--min-p", "0 to 1", o.min_p);
  require(o.repetition_penalty > 0 && o.repetition_penalty <= 100, "--repetition-penalty",
          "more than 0, at most 100", o.repetition_penalty);
  require(o.repetition_window >= 0, "repetition window", "0 or more", double(o.repetition_window));
}

TokenId Sampler::sample(std::span<const float> logits, std::span<const TokenId> history) {
  collect(logits, history);
  const auto more_likely = [](const Candidate& a, const Candidate& b) {
    return a.value != b.value ? a.value > b.value : a.id < b.id;
  };
  if (options_.temperature == 0) {
    return std::min_element(candidates_.begin(), candidates_.end(), more_likely)->id;
  }
  keep_top_k();
  std::sort(candidates_.begin(), candidates_.end(), more_likely);
  to_probabilities();
  cut_tail();
  double total = 0;
  for (const auto& candidate : candidates_) total += candidate.value;
  double left = random_.uniform() * total;
  for (const auto& candidate : candidates_) {
    left -= candidate.value;
    if (left < 0) return candidate.id;
  }
  return candidates_.back().id;
}

void Sampler::collect(std::span<const float> logits, std::span<const TokenId> history) {
  check_logits(logits);
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    // A logit that is not a number never wins.
    const double value = std::isnan(logits[i]) ? -INFINITY : double(logits[i]);
    candidates_.push_back({TokenId(i), value});
  }
  if (options_.repetition_penalty == 1) return;
  const size_t window = std::min(history.size(), size_t(options_.repetition_window));
  std::vector<TokenId> recent(history.end() - ptrdiff_t(window), history.end());
  std::sort(recent.begin(), recent.end());
  recent.erase(std::unique(recent.begin(), recent.end()), recent.end());
  for (const TokenId id : recent) {
    if (id < 0 || size_t(id) >= candidates_.size()) continue;
    double& value = candidates_[size_t(id)].value;
    value = value > 0 ? value / options_.repetition_penalty : value * options_.repetition_penalty;
  }
}

void Sampler::keep_top_k() {
  const size_t k = size_t(options_.top_k);
  if (k == 0 || k >= candidates_.size()) return;
  std::nth_element(candidates_.begin(), candidates_.begin() + ptrdiff_t(k - 1), candidates_.end(),
                   [](const Candidate& a, const Candidate& b) {
                     return a.value != b.value ? a.value > b.value : a.id < b.id;
                   });
  candidates_.resize(k);
}

// REQUIRES: candidates_ sorted, most likely first.
void Sampler::to_probabilities() {
  const double top = candidates_.front().value;
  double total = 0;
  for (auto& candidate : candidates_) {
    candidate.value = std::exp((candidate.value - top) / options_.temperature);
    total += candidate.value;
  }
  for (auto& candidate : candidates_) candidate.value /= total;
}

// top-p (Holtzman et al. 2020): the fewest tokens that hold top_p of the probability; then min-p.
void Sampler::cut_tail() {
  size_t keep = 0;
  for (double held = 0; keep < candidates_.size() && held < options_.top_p; ++keep) {
    held += candidates_[keep].value;
  }
  const double least = options_.min_p * candidates_.front().value;
  while (keep > 1 && candidates_[keep - 1].value < least) --keep;
  candidates_.resize(std::max<size_t>(keep, 1));
}

}  // namespace nibble
