#include <gtest/gtest.h>

#include "base/random.h"
#include "io/container.h"
#include "support/support.h"
#include "text/small_tokenizers.h"
#include "text/utf8.h"

// Texts of a million characters that have brought tokenizers down. That each comes back within the
// time limit of the test program is the point: anything quadratic would take hours.

namespace nibble {
namespace {

std::string repeated(std::string_view unit, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

std::string one_word(size_t letters) {
  Random random(1);
  std::string text;
  while (text.size() < letters) text += char('a' + random.below(26));
  return text;
}

std::vector<std::pair<const char*, std::string>> hostile_texts() {
  constexpr size_t kMillion = 1'000'000;
  return {{"letters", repeated("A", kMillion)},
          {"spaces", repeated(" ", kMillion)},
          {"spaces before a word", repeated(" ", kMillion) + "x"},
          {"newlines", repeated("\n", kMillion)},
          {"mixed white space", repeated(" \r\n\t", kMillion)},
          {"digits", repeated("1", kMillion)},
          {"punctuation", repeated("!", kMillion)},
          {"apostrophes", repeated("'", kMillion)},
          {"joined emoji", repeated("👩\u200D👩\u200D👧", kMillion)},
          {"marks", repeated("\u0301\u0316", kMillion)},
          {"one long word", one_word(26'000)},
          {"one very long word", one_word(kMillion)},
          {"beginnings of control tokens", repeated("<|im_", kMillion)},
          {"bytes that are no text", repeated("\xFF", kMillion)},
          {"space marks", repeated("▁", kMillion)}};
}

void expect_all_encode(const Tokenizer& tokenizer) {
  for (const auto& [name, text] : hostile_texts()) {
    const auto ids = tokenizer.encode(text);
    EXPECT_FALSE(ids.empty()) << name;
    if (tokenizer.kind() != "byte-level BPE") continue;
    const std::string back = tokenizer.decode(ids);
    EXPECT_TRUE(back == text || back == replace_invalid_utf8(text)) << name;
  }
}

TEST(HostileText, IsOrdinaryForTheShippedTokenizer) {
  expect_all_encode(*test::shipped_tokenizer());
}

TEST(HostileText, IsOrdinaryForSentencePiece) {
  expect_all_encode(*test::load_json(test::sentencepiece_json()));
  expect_all_encode(*test::through_gguf(*test::load_json(test::sentencepiece_json())));
}

TEST(HostileText, IsOrdinaryWithANormalizer) {
  test::Json json = test::byte_level_json();
  json["normalizer"] = {{"type", "NFC"}};
  const auto tokenizer = test::load_json(json);
  for (const auto& [name, text] : hostile_texts())
    EXPECT_FALSE(tokenizer->encode(text).empty()) << name;
}

TEST(HostileText, IsOrdinaryForRealVocabularies) {
  for (const char* name : {"llama-spm", "gpt-2", "deepseek-llm", "starcoder"}) {
    const auto path = test::test_data(std::string("vocabs/ggml-vocab-") + name + ".gguf");
    if (!path) GTEST_SKIP() << "NIBBLE_TEST_DATA has no vocabs/";
    expect_all_encode(*load_tokenizer(open_container(*path)->metadata()));
  }
}

}  // namespace
}  // namespace nibble
