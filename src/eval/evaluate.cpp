#include "eval/evaluate.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/progress.h"

namespace nibble {
namespace {

// Logits of this many positions are held at once: 64 rows of a 128 k vocabulary are 32 MiB.
constexpr size_t kRowsAtOnce = 64;

// One model reading the windows.
class Scorer {
 public:
  Scorer(Forward& forward, std::span<const Window> windows, KvType kv_type)
      : forward_(forward),
        windows_(windows),
        vocabulary_(forward.model().output().w.rows),
        cache_(forward.model().hyperparameters(), longest(windows), kv_type),
        logits_(kRowsAtOnce * vocabulary_) {}

  void read(const Window& window) {
    window_ = size_t(&window - windows_.data());
    cache_.clear();
    states_ = forward_.run(std::span(window.tokens).first(window.tokens.size() - 1), cache_);
  }

  // Natural-log probabilities after positions first .. first + n - 1 of the window, [n,
  // vocabulary]; every one of them is finite. Throws Error(kBadInput) naming the first position
  // where they are not.
  MatView<float> log_probs(size_t first, size_t n) {
    const MatView<float> rows(logits_.data(), n, vocabulary_);
    forward_.logits(states_.rows_from(first, n), rows);
    forward_.pool().parallel_for(n, 1, [&](size_t begin, size_t end, unsigned) {
      for (size_t r = begin; r < end; ++r) {
        log_softmax({rows.row(r), vocabulary_});
        finite_[r] = std::all_of(rows.row(r), rows.row(r) + vocabulary_,
                                 [](float x) { return std::isfinite(x); });
      }
    });
    const auto bad = std::find(finite_.begin(), finite_.begin() + ptrdiff_t(n), false);
    const size_t row = size_t(bad - finite_.begin());
    if (row < n) fail(first + row);
    return rows;
  }

  size_t vocabulary() const { return vocabulary_; }

 private:
  [[noreturn]] void fail(size_t position) const {
    throw bad_input("window {} of {}: what is predicted after position {} is not finite",
                    window_ + 1, windows_.size(), position)
        .at(forward_.model().checkpoint().path().string())
        .hint("the weights of this model are damaged, or overflow");
  }

  static size_t longest(std::span<const Window> windows) {
    size_t n = 0;
    for (const auto& window : windows) n = std::max(n, window.tokens.size());
    return n;
  }

  Forward& forward_;
  std::span<const Window> windows_;
  size_t window_ = 0;  // the one that was read
  size_t vocabulary_;
  KvCache cache_;
  MatView<const float> states_;
  std::vector<float> logits_;
  std::array<bool, kRowsAtOnce> finite_{};
};

// What one position tells about two models.
struct Comparison {
  double divergence, delta_p;
  bool same_top;
};

Comparison compare(std::span<const float> base, std::span<const float> model, TokenId truth) {
  double divergence = 0;
  size_t base_top = 0, model_top = 0;
  for (size_t i = 0; i < base.size(); ++i) {
    const double p = std::exp(double(base[i]));
    if (p > 0) divergence += p * (double(base[i]) - double(model[i]));
    if (base[i] > base[base_top]) base_top = i;
    if (model[i] > model[model_top]) model_top = i;
  }
  const size_t t = size_t(truth);
  return {divergence, std::exp(double(model[t])) - std::exp(double(base[t])),
          base_top == model_top};
}

// Everything the positions said, in text order.
struct Samples {
  std::vector<double> model_nll, base_nll, divergence, delta_p, same_top;
};

void score_rows(const Window& window, size_t first, MatView<float> model, Samples& samples) {
  for (size_t r = 0; r < model.rows; ++r) {
    samples.model_nll.push_back(-double(model(r, size_t(window.tokens[first + r + 1]))));
  }
}

void compare_rows(const Window& window, size_t first, MatView<float> base, MatView<float> model,
                  ThreadPool& pool, Samples& samples) {
  std::vector<Comparison> found(model.rows);
  pool.parallel_for(model.rows, 1, [&](size_t begin, size_t end, unsigned) {
    for (size_t r = begin; r < end; ++r) {
      found[r] = compare({base.row(r), base.cols}, {model.row(r), model.cols},
                         window.tokens[first + r + 1]);
    }
  });
  for (size_t r = 0; r < model.rows; ++r) {
    samples.base_nll.push_back(-double(base(r, size_t(window.tokens[first + r + 1]))));
    samples.divergence.push_back(found[r].divergence);
    samples.delta_p.push_back(found[r].delta_p);
    samples.same_top.push_back(found[r].same_top);
  }
}

// exp of a mean, its standard error to first order.
Measured exponential(Measured m) { return {std::exp(m.value), std::exp(m.value) * m.stderr_value}; }

Divergence summarize(Samples& samples) {
  Divergence d;
  d.mean = mean_of(samples.divergence);
  d.max = *std::max_element(samples.divergence.begin(), samples.divergence.end());
  d.median = quantile_in_place(samples.divergence, 0.5);
  d.p99 = quantile_in_place(samples.divergence, 0.99);
  d.same_top = mean_of(samples.same_top);
  d.mean_delta_p = mean_of(samples.delta_p);
  std::vector<double> squares, log_ratio;
  for (const double x : samples.delta_p) squares.push_back(x * x);
  const Measured mean_square = mean_of(squares);
  d.rms_delta_p.value = std::sqrt(mean_square.value);
  if (mean_square.value > 0) {
    d.rms_delta_p.stderr_value = mean_square.stderr_value / (2 * d.rms_delta_p.value);
  }
  for (size_t i = 0; i < samples.base_nll.size(); ++i) {
    log_ratio.push_back(samples.model_nll[i] - samples.base_nll[i]);
  }
  d.perplexity_ratio = exponential(mean_of(log_ratio));
  d.base_perplexity = exponential(mean_of(samples.base_nll));
  return d;
}

void check_vocabularies(const Scorer& model, const Scorer& base) {
  if (model.vocabulary() == base.vocabulary()) return;
  throw usage_error("the model has {} tokens, the base {}: their distributions cannot be compared",
                    model.vocabulary(), base.vocabulary())
      .hint("compare with the model this one was quantized from");
}

}  // namespace

Evaluation evaluate(Forward& model, Forward* base, std::span<const Window> windows,
                    KvType kv_type) {
  NIBBLE_CHECK(!windows.empty());
  const auto start = std::chrono::steady_clock::now();
  Scorer model_scorer(model, windows, kv_type);
  std::optional<Scorer> base_scorer;
  if (base != nullptr) {
    base_scorer.emplace(*base, windows, kv_type);
    check_vocabularies(model_scorer, *base_scorer);
  }
  Samples samples;
  Progress progress("evaluating", windows.size());
  for (const auto& window : windows) {
    check_interrupt();
    model_scorer.read(window);
    if (base_scorer) base_scorer->read(window);
    for (size_t at = 0; at < window.scored(); at += kRowsAtOnce) {
      const size_t first = window.first_scored + at;
      const size_t n = std::min(kRowsAtOnce, window.scored() - at);
      const MatView<float> ours = model_scorer.log_probs(first, n);
      score_rows(window, first, ours, samples);
      if (!base_scorer) continue;
      compare_rows(window, first, base_scorer->log_probs(first, n), ours, model.pool(), samples);
    }
    progress.advance(1, "");
  }
  Evaluation result;
  result.windows = windows.size();
  result.tokens = samples.model_nll.size();
  result.perplexity = exponential(mean_of(samples.model_nll));
  if (base_scorer) result.divergence = summarize(samples);
  for (const double nll : samples.model_nll) result.log_probs.push_back(-nll);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace nibble
