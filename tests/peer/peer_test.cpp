#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "eval/evaluate.h"
#include "quantize/pipeline.h"
#include "support/support.h"
#include "support/synthetic_model.h"

// llama.cpp judges the files nibble writes: it loads them, cuts texts into the same tokens and
// computes the same probabilities.

namespace nibble {
namespace {

constexpr size_t kContext = 256;

class Peer : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::peer_folder()) GTEST_SKIP() << "llama.cpp is not installed in NIBBLE_PEER";
    text_ = test::test_data("eval.txt").value_or(test::shipped_model() / "evaluation.txt");
  }

  // Runs a verb of peer.mjs and parses what it prints.
  nlohmann::json ask(std::vector<std::string> words) {
    words.insert(words.begin(), {"node", (*test::peer_folder() / "peer.mjs").string()});
    const auto result = test::run_command(words, "", 300);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out, nullptr, false);
  }

  fs::path quantized(const fs::path& source, const Recipe& recipe) {
    const fs::path output = folder_ / "model.gguf";
    quantize(*Checkpoint::open(source), recipe, {.output = output, .overwrite = true}, pool_);
    return output;
  }

  std::vector<double> our_log_probs(const fs::path& path, size_t tokens,
                                    ActivationPrecision activations) {
    const auto model = Model::load(Checkpoint::open(path), {}, pool_);
    const Tokenizer& tokenizer = model->checkpoint().tokenizer();
    auto ids = tokenizer.encode(read_text_file(text_));
    ids.resize(std::min(ids.size(), tokens));
    const auto windows =
        cut_windows(ids, tokenizer, {.context = kContext, .protocol = ScoreProtocol::kAll});
    Forward forward(*model, pool_, {.activations = activations});
    return evaluate(forward, nullptr, windows, KvType::kF16).log_probs;
  }

  std::vector<double> their_log_probs(const fs::path& path, size_t tokens) {
    return ask({"score", path.string(), text_.string(), std::to_string(tokens),
                std::to_string(kContext)})
        .at("log_probs")
        .get<std::vector<double>>();
  }

  test::TemporaryFolder folder_;
  ThreadPool pool_{2};
  fs::path text_;
};

struct Difference {
  double mean = 0, largest = 0;
  double perplexity_ratio = 1;  // ours / theirs
};

Difference compare(const std::vector<double>& ours, const std::vector<double>& theirs) {
  Difference d;
  EXPECT_EQ(ours.size(), theirs.size());
  if (ours.size() != theirs.size()) return d;
  double sum = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    const double difference = std::abs(ours[i] - theirs[i]);
    d.mean += difference / double(ours.size());
    d.largest = std::max(d.largest, difference);
    sum += theirs[i] - ours[i];
  }
  d.perplexity_ratio = std::exp(sum / double(ours.size()));
  return d;
}

void report(std::string_view what, const Difference& d) {
  fmt::print("{:<36} mean {:.6f}  max {:.6f}  perplexity ratio {:.6f}\n", what, d.mean, d.largest,
             d.perplexity_ratio);
}

TEST_F(Peer, CutsTextIntoTheSameTokens) {
  const auto file = quantized(test::shipped_model(), Recipe::keep());
  const auto theirs = ask({"tokens", file.string(), text_.string()}).get<std::vector<TokenId>>();
  EXPECT_EQ(Checkpoint::open(file)->tokenizer().encode(read_text_file(text_)), theirs);
  EXPECT_EQ(Checkpoint::open(test::shipped_model())->tokenizer().encode(read_text_file(text_)),
            theirs);
}

class PeerFormat : public Peer, public testing::WithParamInterface<const Format*> {};

TEST_P(PeerFormat, LoadsOurFilesAndComputesTheSameProbabilities) {
  const Format& format = *GetParam();
  const auto file = quantized(test::shipped_model(), Recipe(format));
  EXPECT_EQ(ask({"load", file.string()}).at("architecture"), "llama");
  constexpr size_t kTokens = 2000;
  const auto theirs = their_log_probs(file, kTokens);
  for (const auto activations : {ActivationPrecision::kF32, ActivationPrecision::kInt8}) {
    const bool full = activations == ActivationPrecision::kF32;
    const auto d = compare(our_log_probs(file, kTokens, activations), theirs);
    report(fmt::format("{} activations {}", format.name, full ? "f32" : "int8"), d);
    // llama.cpp rounds what it multiplies with: to 8 bits for quantized weights, to bf16 for BF16.
    const bool exact = &format == &formats::f32 || &format == &formats::f16;
    EXPECT_LT(exact ? d.largest : d.mean, exact ? 5e-3 : 0.02);
    EXPECT_NEAR(d.perplexity_ratio, 1, 1e-3);
  }
}

INSTANTIATE_TEST_SUITE_P(Peer, PeerFormat,
                         testing::Values(&formats::f32, &formats::f16, &formats::bf16,
                                         &formats::q8_0, &formats::q4_0, &formats::q4_1,
                                         &formats::q5_0, &formats::q5_1),
                         [](const auto& test) { return std::string(test.param->name); });

class PeerArchitecture : public Peer, public testing::WithParamInterface<test::SyntheticSpec> {};

TEST_P(PeerArchitecture, ComputesTheSameProbabilitiesFromGgufAndFolder) {
  test::write_synthetic_model(folder_ / "folder", GetParam());
  const auto file = quantized(folder_ / "folder", Recipe(formats::f32));
  constexpr size_t kTokens = 300;
  const auto theirs = their_log_probs(file, kTokens);
  for (const auto& path : {file, folder_ / "folder"}) {
    const auto d = compare(our_log_probs(path, kTokens, ActivationPrecision::kF32), theirs);
    report(path.filename().string(), d);
    EXPECT_LT(d.mean, 1e-3);
    EXPECT_LT(d.largest, 0.02);  // llama.cpp rounds keys, values and more to f16
    EXPECT_NEAR(d.perplexity_ratio, 1, 1e-3);
  }
}

const test::SyntheticSpec kSpecs[] = {
    {.hf_class = "LlamaForCausalLM", .heads = 4, .kv_heads = 4},
    {.hf_class = "LlamaForCausalLM", .heads = 8, .kv_heads = 1, .head_dim = 16, .tied = true},
    {.hf_class = "LlamaForCausalLM",
     .heads = 8,
     .kv_heads = 2,
     .head_dim = 64,
     .llama3_rope = true},
    {.hf_class = "LlamaForCausalLM", .heads = 4, .kv_heads = 2, .head_dim = 48, .ffn = 352},
    {.hf_class = "LlamaForCausalLM", .heads = 4, .kv_heads = 2, .yarn_rope = true},
    {.hf_class = "MistralForCausalLM", .heads = 8, .kv_heads = 2, .head_dim = 32},
    {.hf_class = "Qwen2ForCausalLM", .heads = 4, .kv_heads = 2},
    {.hf_class = "Qwen2ForCausalLM", .heads = 8, .kv_heads = 1, .head_dim = 16, .tied = true},
    {.hf_class = "Qwen3ForCausalLM", .heads = 4, .kv_heads = 2, .head_dim = 64},
    {.hf_class = "Qwen3ForCausalLM", .heads = 8, .kv_heads = 8, .head_dim = 48, .tied = true},
};

INSTANTIATE_TEST_SUITE_P(Peer, PeerArchitecture, testing::ValuesIn(kSpecs));

}  // namespace
}  // namespace nibble
