#include "generate/generator.h"

#include "support/support.h"

namespace nibble {
namespace {

class Generator : public testing::Test {
 protected:
  Generator()
      : checkpoint_(Checkpoint::open(test::shipped_model())),
        model_(Model::load(checkpoint_, {}, pool_)),
        forward_(*model_, pool_),
        prompt_(checkpoint_->tokenizer().encode("It was a dark night", {.add_special = true})) {}

  GenerateResult run(const GenerateOptions& options, size_t context, std::string* text = nullptr) {
    KvCache cache(model_->hyperparameters(), context, KvType::kF16);
    return generate(forward_, cache, prompt_, options, [&](std::string_view piece) {
      if (text != nullptr) *text += piece;
      return true;
    });
  }

  ThreadPool pool_{2};
  std::shared_ptr<const Checkpoint> checkpoint_;
  std::unique_ptr<Model> model_;
  Forward forward_;
  std::vector<TokenId> prompt_;
};

TEST_F(Generator, TheStreamedTextIsTheDecodedTokens) {
  std::string text;
  const auto result = run({.sampling = {.seed = 3}, .max_tokens = 60}, 512, &text);
  EXPECT_EQ(text, checkpoint_->tokenizer().decode(result.tokens));
  EXPECT_EQ(result.prompt_tokens, prompt_.size());
}

TEST_F(Generator, GreedyTextIsTheSameWhateverTheNumberOfThreads) {
  const GenerateOptions options{.sampling = {.temperature = 0}, .max_tokens = 40};
  const auto two = run(options, 512);
  ThreadPool one(1);
  Forward alone(*model_, one);
  KvCache cache(model_->hyperparameters(), 512, KvType::kF16);
  const auto single =
      generate(alone, cache, prompt_, options, [](std::string_view) { return true; });
  EXPECT_EQ(two.tokens, single.tokens);
}

TEST_F(Generator, StopsAtTheEndOfTheContext) {
  const auto result = run({.max_tokens = 100, .ignore_end = true}, prompt_.size() + 4);
  EXPECT_EQ(result.stop, GenerateResult::Stop::kContextFull);
  EXPECT_EQ(result.tokens.size(), 5u);  // the last one needs no place in the cache
}

TEST_F(Generator, StopsWhenToldTo) {
  KvCache cache(model_->hyperparameters(), 64, KvType::kF16);
  int pieces = 0;
  const auto result = generate(forward_, cache, prompt_, {.max_tokens = 50, .ignore_end = true},
                               [&](std::string_view) { return ++pieces < 3; });
  EXPECT_EQ(result.stop, GenerateResult::Stop::kCallback);
  EXPECT_EQ(result.tokens.size(), 3u);
}

}  // namespace
}  // namespace nibble
