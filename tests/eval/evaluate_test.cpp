#include "eval/evaluate.h"

#include <cmath>

#include "base/error.h"
#include "model/reference.h"
#include "support/support.h"

namespace nibble {
namespace {

const char* const kText =
    "The old house stood upon a hill, and from its windows one could see the river winding away "
    "towards the sea. Nobody had lived there for many years, and the garden was full of weeds. On "
    "a certain evening in October a young man came up the road, and stopped before the gate.";

class Evaluate : public testing::Test {
 protected:
  Evaluate() : checkpoint_(Checkpoint::open(test::shipped_model())) {
    const auto tokens = checkpoint_->tokenizer().encode(kText);
    windows_ = cut_windows(tokens, checkpoint_->tokenizer(),
                           {.context = 32, .protocol = ScoreProtocol::kAll});
  }

  std::unique_ptr<Model> load(const Format* dynamic = nullptr) {
    LoadOptions options;
    if (dynamic != nullptr) options.format_of = [=](const CheckpointTensor&) { return dynamic; };
    return Model::load(checkpoint_, options, pool_);
  }

  // Log-probabilities of every position of a window by the plain twin.
  std::vector<std::vector<double>> reference(const Window& window) {
    auto rows =
        reference_logits(*checkpoint_, std::span(window.tokens).first(window.tokens.size() - 1));
    for (auto& row : rows) {
      double total = 0;
      for (const double x : row) total += std::exp(x);
      for (double& x : row) x -= std::log(total);
    }
    return rows;
  }

  ThreadPool pool_{2};
  std::shared_ptr<const Checkpoint> checkpoint_;
  std::vector<Window> windows_;
};

TEST_F(Evaluate, PerplexityIsThatOfThePlainTwin) {
  const auto model = load();
  Forward forward(*model, pool_);
  const Evaluation found = evaluate(forward, nullptr, windows_, KvType::kF32);
  double sum = 0;
  size_t n = 0;
  for (const auto& window : windows_) {
    const auto rows = reference(window);
    for (size_t i = 0; i < rows.size(); ++i, ++n) {
      const double expected = rows[i][size_t(window.tokens[i + 1])];
      EXPECT_NEAR(found.log_probs[n], expected, 1e-4);
      sum -= expected;
    }
  }
  EXPECT_EQ(found.tokens, n);
  EXPECT_NEAR(found.perplexity.value, std::exp(sum / double(n)), 1e-3);
  EXPECT_GT(found.perplexity.stderr_value, 0);
}

TEST_F(Evaluate, AModelDoesNotDivergeFromItself) {
  const auto model = load();
  Forward a(*model, pool_), b(*model, pool_);
  const auto d = evaluate(a, &b, windows_).divergence.value();
  EXPECT_NEAR(d.mean.value, 0, 1e-9);
  EXPECT_EQ(d.same_top.value, 1);
  EXPECT_EQ(d.perplexity_ratio.value, 1);
  EXPECT_EQ(d.rms_delta_p.value, 0);
}

TEST_F(Evaluate, FewerBitsDivergeMore) {
  const auto base = load();
  double last = 0;
  for (const Format* format : {&formats::q8_0, &formats::q5_1, &formats::q4_0}) {
    const auto model = load(format);
    Forward a(*model, pool_), b(*base, pool_);
    const auto d = evaluate(a, &b, windows_).divergence.value();
    EXPECT_GT(d.mean.value, last) << format->name;
    EXPECT_GE(d.max, d.p99);
    EXPECT_GE(d.p99, d.median);
    EXPECT_GT(d.mean.stderr_value, 0);
    last = d.mean.value;
  }
}

}  // namespace
}  // namespace nibble
