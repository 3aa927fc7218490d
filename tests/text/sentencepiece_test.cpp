#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "support/support.h"
#include "text/tokenizer.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

// tokenizer.model against libsentencepiece itself, on small models trained here.

namespace nibble {
namespace {

constexpr const char* kWords[] = {
    "the",    "river", "runs",   "under",  "a",     "bridge", "of",      "stone",  "and",
    "nobody", "knows", "where",  "it",     "ends",  "übung",  "fähre",   "naïve",  "déjà",
    "vu",     "1234",  "7",      "42",     "don't", "re-run", "running", "runner", "bridges",
    "stones", "東京",  "水曜日", "привет", "мир",   "under-", "(see",    "below)", "ends."};

std::string random_sentence(Random* random) {
  std::string text;
  for (uint64_t words = 1 + random->below(12); words > 0; --words) {
    text += kWords[random->below(std::size(kWords))];
    text.append(random->below(12) == 0 ? 2 + random->below(3) : 1, ' ');
  }
  return text;
}

// Sentences with characters strewn in that training never saw, spaces of all kinds, and parts cut.
std::string random_text(Random* random) {
  constexpr const char* kStrange[] = {"😀",       "\t",     "\n",     "  ", "ﬁ",   "Ⅷ",
                                      "e\u0301", "\u3000", "\u00A0", "½",  "zzz", "<sep>",
                                      "aaaaa",   "▁",      "\u200B", "٣",  "<s>"};
  std::string text = random_sentence(random);
  for (uint64_t count = random->below(6); count > 0; --count) {
    size_t at = random->below(text.size() + 1);
    // Nothing goes inside a character, nor between a letter and its accent.
    while (at < text.size() &&
           ((uint8_t(text[at]) & 0xC0) == 0x80 || text.compare(at, 2, "\u0301") == 0)) {
      --at;
    }
    text.insert(at, kStrange[random->below(std::size(kStrange))]);
  }
  return text;
}

class Corpus : public sentencepiece::SentenceIterator {
 public:
  Corpus() { Next(); }
  bool done() const override { return count_ > 2000; }
  void Next() override { sentence_ = random_sentence(&random_), ++count_; }
  const std::string& value() const override { return sentence_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  Random random_{1};
  std::string sentence_;
  int count_ = 0;
};

std::string train(const std::string& options) {
  Corpus corpus;
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      options + " --minloglevel=2 --num_threads=1 --hard_vocab_limit=false", &corpus, &model);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return model;
}

struct Variant {
  const char* name;
  const char* options;
};

class SentencePieceModel : public testing::TestWithParam<Variant> {
 protected:
  void SetUp() override {
    const std::string model = train(GetParam().options);
    write_text_file(folder_ / "tokenizer.model", model);
    ASSERT_TRUE(oracle_.LoadFromSerializedProto(model).ok());
    tokenizer_ = load_tokenizer(folder_.path());
  }

  std::vector<int> expected(const std::string& text) const {
    std::vector<int> ids;
    EXPECT_TRUE(oracle_.Encode(text, &ids).ok());
    return ids;
  }

  // The score of a segmentation. Unigram may cut a word in several ways of the same score, and adds
  // in single precision where we add in double: which of the equals wins is then left to rounding.
  double score(const std::vector<int>& ids) const {
    double sum = 0;
    for (const int id : ids) sum += oracle_.GetScore(id);
    return sum;
  }

  test::TemporaryFolder folder_;
  sentencepiece::SentencePieceProcessor oracle_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(SentencePieceModel, EncodesAsTheLibraryDoes) {
  Random random(2);
  int ties = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string text = random_text(&random);
    const auto ids = tokenizer_->encode(text);
    const auto wanted = expected(text);
    if (ids == wanted) continue;
    ASSERT_EQ(tokenizer_->kind(), "Unigram") << text;
    ASSERT_NEAR(score(ids), score(wanted), 1e-3) << text;
    ++ties;
  }
  EXPECT_LT(ties, 30);
}

TEST_P(SentencePieceModel, DecodesAsTheLibraryDoes) {
  Random random(3);
  for (int i = 0; i < 500; ++i) {
    const auto ids = tokenizer_->encode(random_sentence(&random));
    std::string wanted;
    ASSERT_TRUE(oracle_.Decode(std::vector<int>(ids.begin(), ids.end()), &wanted).ok());
    EXPECT_EQ(tokenizer_->decode(ids), wanted);
  }
}

TEST_P(SentencePieceModel, KnowsItsSpecialTokens) {
  EXPECT_EQ(tokenizer_->special().bos, oracle_.bos_id());
  EXPECT_EQ(tokenizer_->special().eos, oracle_.eos_id());
  EXPECT_EQ(tokenizer_->special().unknown, oracle_.unk_id());
  EXPECT_EQ(tokenizer_->vocabulary_size(), size_t(oracle_.GetPieceSize()));
  EXPECT_TRUE(tokenizer_->ends_generation(oracle_.eos_id()));
}

TEST_P(SentencePieceModel, MeansTheSameAsTokenizerJson) {
  const test::TemporaryFolder folder;
  write_text_file(folder / "tokenizer.json", tokenizer_->to_tokenizer_json());
  const auto again = load_tokenizer(folder.path());
  Random random(4);
  for (int i = 0; i < 500; ++i) {
    const std::string text = "a " + random_text(&random);
    const auto ids = tokenizer_->encode(text);
    ASSERT_EQ(again->encode(text), ids) << text;
    ASSERT_EQ(again->decode(ids), tokenizer_->decode(ids)) << text;
  }
}

TEST_P(SentencePieceModel, MeansTheSameAsGguf) {
  Metadata metadata;
  const bool rewrites = std::string(GetParam().options).find("identity") == std::string::npos;
  if (tokenizer_->kind() == "SentencePiece BPE" && rewrites) {
    EXPECT_THROW(tokenizer_->write_gguf(metadata), Error);  // GGUF could not say so
    return;
  }
  tokenizer_->write_gguf(metadata);
  const auto again = load_tokenizer(metadata);
  Random random(5);
  for (int i = 0; i < 500; ++i) {
    const std::string text = random_text(&random);
    ASSERT_EQ(again->encode(text), tokenizer_->encode(text)) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, SentencePieceModel,
    testing::Values(Variant{"unigram", "--model_type=unigram --vocab_size=300"},
                    Variant{
                        "unigram_identity",
                        "--model_type=unigram --vocab_size=300 --normalization_rule_name=identity"},
                    Variant{"unigram_without_prefix",
                            "--model_type=unigram --vocab_size=300 --add_dummy_prefix=false"},
                    Variant{"unigram_as_is",
                            "--model_type=unigram --vocab_size=300 "
                            "--remove_extra_whitespaces=false --pad_id=3"},
                    Variant{"bpe", "--model_type=bpe --vocab_size=400"},
                    Variant{"bpe_like_llama",
                            "--model_type=bpe --vocab_size=600 --byte_fallback=true "
                            "--normalization_rule_name=identity --remove_extra_whitespaces=false"},
                    Variant{"bpe_with_symbols",
                            "--model_type=bpe --vocab_size=500 --user_defined_symbols=zzz,<sep> "
                            "--control_symbols=<call>"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(SentencePieceFile, RefusesEveryTruncationWithAnError) {
  const std::string model = train("--model_type=unigram --vocab_size=200");
  for (size_t size = 0; size < model.size(); size += 1 + size / 40) {
    try {
      // A cut between two pieces leaves a smaller model.
      make_tokenizer(parse_sentencepiece(std::string_view(model).substr(0, size)));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    }
  }
}

}  // namespace
}  // namespace nibble
