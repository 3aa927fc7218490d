#include "model/forward.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "kernels/isa.h"
#include "model/reference.h"
#include "support/support.h"
#include "support/synthetic_model.h"

namespace nibble {
namespace {

std::vector<float> all_logits(const Model& model, std::span<const TokenId> tokens, ThreadPool& pool,
                              KvCache& cache, const ForwardOptions& options = {}) {
  Forward forward(model, pool, options);
  const MatView<const float> states = forward.run(tokens, cache);
  const size_t vocabulary = model.output().w.rows;
  std::vector<float> logits(tokens.size() * vocabulary);
  forward.logits(states, MatView<float>(logits.data(), tokens.size(), vocabulary));
  return logits;
}

std::vector<float> all_logits(const Model& model, std::span<const TokenId> tokens,
                              const ForwardOptions& options = {}, unsigned threads = 2) {
  ThreadPool pool(threads);
  KvCache cache(model.hyperparameters(), tokens.size(), KvType::kF32);
  return all_logits(model, tokens, pool, cache, options);
}

std::unique_ptr<Model> load(const fs::path& path, const Format* dynamic = nullptr) {
  LoadOptions options;
  if (dynamic != nullptr) options.format_of = [=](const CheckpointTensor&) { return dynamic; };
  ThreadPool pool(2);
  return Model::load(Checkpoint::open(path), options, pool);
}

std::vector<TokenId> some_tokens(size_t n) {
  std::vector<TokenId> tokens;
  for (size_t i = 0; i < n; ++i) tokens.push_back(TokenId(2 + i * 37 % 3000));
  return tokens;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(double(a[i]) - b[i]));
  return largest;
}

double largest_difference(const std::vector<float>& a, const std::vector<std::vector<double>>& b) {
  double largest = 0;
  size_t i = 0;
  for (const auto& row : b) {
    for (const double x : row) largest = std::max(largest, std::abs(double(a[i++]) - x));
  }
  return largest;
}

// An independent implementation in double precision computed these, see the file's "about".
TEST(Forward, AgreesWithAnIndependentImplementation) {
  const auto golden_file = test::test_data("../models/classics-6m-golden.json");
  if (!golden_file) GTEST_SKIP() << "NIBBLE_TEST_DATA has no golden log-probabilities";
  const auto golden = nlohmann::json::parse(read_text_file(*golden_file));
  const auto tokens = golden.at("tokens").get<std::vector<TokenId>>();
  const auto expected = golden.at("log_probs").get<std::vector<double>>();
  const auto model = load(test::shipped_model());
  auto logits = all_logits(*model, tokens);
  const size_t vocabulary = model->output().w.rows;
  for (size_t i = 0; i < expected.size() && i + 1 < tokens.size(); ++i) {
    const std::span row(logits.data() + i * vocabulary, vocabulary);
    log_softmax(row);
    EXPECT_NEAR(row[size_t(tokens[i + 1])], expected[i], 1e-3) << i;
  }
}

struct Shape {
  const char* name;
  test::SyntheticSpec spec;
};

class EveryArchitecture : public testing::TestWithParam<Shape> {};

TEST_P(EveryArchitecture, AgreesWithThePlainTwinOnEveryInstructionSet) {
  const test::TemporaryFolder folder;
  test::write_synthetic_model(folder / "model", GetParam().spec);
  const auto model = load(folder / "model");
  const auto tokens = some_tokens(19);
  const auto expected = reference_logits(model->checkpoint(), tokens);
  const Isa& before = active_isa();
  for (const Isa& isa : all_isas()) {
    if (!isa.runs_here()) continue;
    set_active_isa(isa);
    EXPECT_LT(largest_difference(all_logits(*model, tokens), expected), 2e-3) << isa.name;
  }
  set_active_isa(before);
}

const Shape kShapes[] = {
    {"llama_gqa1", {.hf_class = "LlamaForCausalLM", .heads = 4, .kv_heads = 4}},
    {"llama_gqa8_tied", {.hf_class = "LlamaForCausalLM", .heads = 8, .kv_heads = 1, .tied = true}},
    {"llama3_scaled",
     {.hf_class = "LlamaForCausalLM", .heads = 4, .kv_heads = 2, .llama3_rope = true}},
    {"llama_head_dim", {.hf_class = "LlamaForCausalLM", .heads = 4, .kv_heads = 2, .head_dim = 48}},
    {"mistral_gqa4", {.hf_class = "MistralForCausalLM", .heads = 8, .kv_heads = 2, .head_dim = 32}},
    {"qwen2_biases", {.hf_class = "Qwen2ForCausalLM", .heads = 4, .kv_heads = 2, .tied = true}},
    {"qwen3_qk_norm", {.hf_class = "Qwen3ForCausalLM", .heads = 4, .kv_heads = 2, .head_dim = 64}},
};

INSTANTIATE_TEST_SUITE_P(Forward, EveryArchitecture, testing::ValuesIn(kShapes),
                         [](const auto& test) { return test.param.name; });

TEST(Forward, OneTokenAtATimeIsTheSameAsAllAtOnce) {
  const auto model = load(test::shipped_model());
  const auto tokens = some_tokens(40);
  const auto together = all_logits(*model, tokens);
  ThreadPool pool(2);
  KvCache cache(model->hyperparameters(), tokens.size(), KvType::kF32);
  std::vector<float> singly;
  for (const TokenId token : tokens) {
    const auto logits = all_logits(*model, std::span(&token, 1), pool, cache);
    singly.insert(singly.end(), logits.begin(), logits.end());
  }
  EXPECT_LT(largest_difference(together, singly), 1e-3);
}

TEST(Forward, SmallBatchesAreTheSameAsOne) {
  const auto model = load(test::shipped_model());
  const auto tokens = some_tokens(70);
  EXPECT_LT(
      largest_difference(all_logits(*model, tokens), all_logits(*model, tokens, {.max_batch = 16})),
      1e-3);
}

TEST(Forward, TheNumberOfThreadsChangesNoBit) {
  for (const Format* format : {static_cast<const Format*>(nullptr), &formats::q4_0}) {
    const auto model = load(test::shipped_model(), format);
    const auto tokens = some_tokens(33);
    const auto one = all_logits(*model, tokens, {}, 1);
    EXPECT_EQ(one, all_logits(*model, tokens, {}, 2));
    EXPECT_EQ(one, all_logits(*model, tokens, {}, 3));
  }
}

TEST(Forward, EightBitActivationsStayCloseToFullPrecision) {
  const auto tokens = some_tokens(33);
  for (const Format* format :
       {&formats::q8_0, &formats::q4_0, &formats::q4_1, &formats::q5_0, &formats::q5_1}) {
    const auto model = load(test::shipped_model(), format);
    const auto full = all_logits(*model, tokens, {.activations = ActivationPrecision::kF32});
    const auto eight = all_logits(*model, tokens, {.activations = ActivationPrecision::kInt8});
    double sum = 0;
    for (size_t i = 0; i < full.size(); ++i) sum += std::abs(full[i] - eight[i]);
    EXPECT_LT(sum / double(full.size()), 0.05) << format->name;
    EXPECT_NE(full, eight) << format->name;
  }
}

TEST(Forward, SixteenBitKeysAndValuesStayClose) {
  const auto model = load(test::shipped_model());
  const auto tokens = some_tokens(64);
  ThreadPool pool(2);
  KvCache cache(model->hyperparameters(), tokens.size(), KvType::kF16);
  EXPECT_LT(largest_difference(all_logits(*model, tokens, pool, cache), all_logits(*model, tokens)),
            0.05);
}

TEST(Forward, TooManyTokensAndForeignIdsAreErrors) {
  const auto model = load(test::shipped_model());
  ThreadPool pool(1);
  KvCache cache(model->hyperparameters(), 4, KvType::kF16);
  Forward forward(*model, pool);
  EXPECT_THROW(forward.run(some_tokens(5), cache), Error);
  for (const TokenId id : {-1, 4096, INT32_MAX}) {
    EXPECT_THROW(forward.run(std::span(&id, 1), cache), Error) << id;
  }
}

class Counter : public Observer {
 public:
  void linear_input(const CheckpointTensor& weight, MatView<const float> x) override {
    EXPECT_EQ(x.cols, weight.info.row_size());
    rows += x.rows;
    ++calls;
  }
  size_t calls = 0, rows = 0;
};

TEST(Forward, TheObserverSeesTheInputOfEveryLinear) {
  const auto model = load(test::shipped_model());
  Counter counter;
  all_logits(*model, some_tokens(10), {.observer = &counter});
  EXPECT_EQ(counter.calls, 6u * 7 + 1);
  EXPECT_EQ(counter.rows, counter.calls * 10);
}

}  // namespace
}  // namespace nibble
