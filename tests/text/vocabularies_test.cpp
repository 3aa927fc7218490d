#include <sstream>

#include "base/file.h"
#include "io/container.h"
#include "support/support.h"
#include "text/tokenizer.h"

// Real vocabularies against ids made by other implementations.

namespace nibble {
namespace {

std::vector<std::string> split_lines(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  for (size_t at = 0;;) {
    const size_t end = text.find(separator, at);
    parts.push_back(text.substr(at, end - at));
    if (end == text.npos) return parts;
    at = end + separator.size();
  }
}

std::vector<TokenId> parse_ids(const std::string& line) {
  std::istringstream stream(line);
  std::vector<TokenId> ids;
  for (TokenId id; stream >> id;) ids.push_back(id);
  return ids;
}

struct Case {
  std::string text;
  std::vector<TokenId> ids;
};

// The texts and ids published beside a vocabulary.
std::vector<Case> published_cases(const fs::path& vocabulary) {
  const auto texts =
      split_lines(read_text_file(vocabulary.string() + ".inp"), "\n__ggml_vocab_test__\n");
  const auto lines = split_lines(read_text_file(vocabulary.string() + ".out"), "\n");
  std::vector<Case> cases;
  for (size_t i = 0; i < texts.size() && i < lines.size(); ++i) {
    cases.push_back({texts[i], parse_ids(lines[i])});
  }
  return cases;
}

class PublishedVocabulary : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto path = test::test_data(std::string("vocabs/ggml-vocab-") + GetParam() + ".gguf");
    if (!path) GTEST_SKIP() << "NIBBLE_TEST_DATA has no vocabs/";
    path_ = *path;
    tokenizer_ = load_tokenizer(open_container(path_)->metadata());
  }
  fs::path path_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(PublishedVocabulary, EncodesEveryTextAsPublished) {
  const auto cases = published_cases(path_);
  ASSERT_GT(cases.size(), 20u);
  for (const Case& c : cases) EXPECT_EQ(tokenizer_->encode(c.text), c.ids) << c.text;
}

TEST_P(PublishedVocabulary, DecodesWhatItEncoded) {
  for (const Case& c : published_cases(path_)) {
    EXPECT_EQ(tokenizer_->decode(tokenizer_->encode(c.text)), c.text);
  }
}

TEST_P(PublishedVocabulary, SurvivesWritingAsGguf) {
  Metadata metadata;
  tokenizer_->write_gguf(metadata);
  const auto again = load_tokenizer(metadata);
  ASSERT_EQ(again->vocabulary_size(), tokenizer_->vocabulary_size());
  for (const Case& c : published_cases(path_)) EXPECT_EQ(again->encode(c.text), c.ids) << c.text;
}

TEST_P(PublishedVocabulary, SurvivesWritingAsTokenizerJson) {
  const test::TemporaryFolder folder;
  write_text_file(folder / "tokenizer.json", tokenizer_->to_tokenizer_json());
  const auto again = load_tokenizer(folder.path());
  ASSERT_EQ(again->vocabulary_size(), tokenizer_->vocabulary_size());
  for (const Case& c : published_cases(path_)) {
    EXPECT_EQ(again->encode(c.text), c.ids) << c.text;
    EXPECT_EQ(again->decode(c.ids), c.text);
  }
}

INSTANTIATE_TEST_SUITE_P(All, PublishedVocabulary,
                         testing::Values("llama-spm", "gpt-2", "deepseek-llm", "starcoder"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace nibble
