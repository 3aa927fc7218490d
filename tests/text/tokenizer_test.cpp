#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "support/support.h"
#include "text/small_tokenizers.h"
#include "text/utf8.h"

// What holds for every tokenizer, whatever it was loaded from.

namespace nibble {
namespace {

using test::byte_level_json;
using test::Json;
using test::load_json;
using test::sentencepiece_json;
using test::shipped_tokenizer;
using test::through_gguf;
using Ids = std::vector<TokenId>;

std::string random_bytes(Random* random, size_t most) {
  std::string bytes;
  for (uint64_t n = random->below(most); n > 0; --n) {
    // Mostly text, so that merges have something to do.
    bytes +=
        random->below(3) ? char("the lo hell w<|>"[random->below(16)]) : char(random->below(256));
  }
  return bytes;
}

TEST(ByteLevelTokenizer, DecodesEveryTextItEncoded) {
  const auto tokenizer = shipped_tokenizer();
  Random random(1);
  for (int i = 0; i < 5000; ++i) {
    const std::string text = random_bytes(&random, 60);
    ASSERT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
}

TEST(ShippedTokenizer, EncodesAsLlamaCppDoes) {
  const fs::path data = test::source_folder() / "tests/text/data";
  const std::string text = read_text_file(data / "golden.txt");
  std::ifstream file(data / "golden_classics.ids");
  Ids ids;
  for (TokenId id; file >> id;) ids.push_back(id);
  ASSERT_GT(ids.size(), 100u);
  EXPECT_EQ(shipped_tokenizer()->encode(text), ids);
}

TEST(ShippedTokenizer, KnowsItsSpecialTokens) {
  const auto tokenizer = shipped_tokenizer();
  EXPECT_EQ(tokenizer->vocabulary_size(), 4096u);
  EXPECT_EQ(tokenizer->special().bos, 0);
  EXPECT_EQ(tokenizer->special().eos, 1);
  EXPECT_TRUE(tokenizer->special().add_bos);
  EXPECT_FALSE(tokenizer->special().add_eos);
  EXPECT_EQ(tokenizer->special().end_of_generation, (Ids{1}));
  EXPECT_EQ(tokenizer->encode("", {.add_special = true}), (Ids{0}));
}

// Text may spell a control token; only a caller who says so gets one.
TEST(ControlTokens, NeverComeFromOrdinaryText) {
  Json whole_words = byte_level_json();
  whole_words["model"]["ignore_merges"] = true;
  whole_words["pre_tokenizer"] = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  // Merges that would build a control token from its letters.
  Json merging = sentencepiece_json();
  merging["model"]["vocab"]["<s"] = 271;
  merging["model"]["merges"] = test::pairs({{"<", "s"}, {"<s", ">"}, {"▁", "a"}});
  std::unique_ptr<Tokenizer> tokenizers[] = {shipped_tokenizer(), load_json(byte_level_json()),
                                             load_json(whole_words), load_json(merging),
                                             load_json(sentencepiece_json())};
  for (const auto& tokenizer : tokenizers) {
    const auto again = through_gguf(*load_json(byte_level_json()));
    for (const Tokenizer* each : {tokenizer.get(), again.get()}) {
      for (const std::string text : {"<s>", "</s>", "<unk>", "<|im_end|>", "<|start|>", "x<s>y",
                                     "<|begin_of_text|>", "<|end_of_text|>", "<0x41>", "[PAD5]"}) {
        for (const TokenId id : each->encode(text)) {
          EXPECT_NE(each->token_type(id), TokenType::kControl) << text;
        }
        EXPECT_EQ(each->decode(each->encode(text)), text);
      }
    }
  }
  EXPECT_EQ(load_json(byte_level_json())->encode("he<|im_end|>", {.parse_special = true}),
            (Ids{258, 261}));
}

TEST(ControlTokens, ThatAreKnownToEndATurnAreControlWhateverTheFileSays) {
  Json json = byte_level_json();
  json["added_tokens"][1]["special"] = false;  // <|im_end|>
  const auto tokenizer = load_json(json);
  EXPECT_EQ(tokenizer->token_type(261), TokenType::kControl);
  EXPECT_TRUE(tokenizer->ends_generation(261));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("<|im_end|>")), "<|im_end|>");
}

TEST(ControlTokens, DoNotStandForUnknownText) {
  Json json = sentencepiece_json();
  json["model"]["byte_fallback"] = false;
  json["model"]["unk_token"] = "</s>";
  const auto tokenizer = load_json(json);
  EXPECT_TRUE(tokenizer->ends_generation(2));
  EXPECT_EQ(tokenizer->encode("aéa"), (Ids{267, 260}));
}

TEST(ControlTokens, AreSilentUnlessAskedFor) {
  const auto tokenizer = load_json(byte_level_json());
  EXPECT_EQ(tokenizer->decode(Ids{260, 258, 261}), "he");
  EXPECT_EQ(tokenizer->decode(Ids{260, 258, 261}, true), "<|start|>he<|im_end|>");
  EXPECT_EQ(tokenizer->piece(262), "<tool>");
}

TEST(Ids, OutOfRangeMeanNothing) {
  const auto tokenizer = load_json(byte_level_json());
  for (const TokenId id : {-1, 263, INT32_MAX, INT32_MIN}) {
    EXPECT_EQ(tokenizer->piece(id, true), "");
    EXPECT_EQ(tokenizer->decode(Ids{id}), "");
    EXPECT_EQ(tokenizer->token_text(id), "");
    EXPECT_FALSE(tokenizer->ends_generation(id));
  }
}

TEST(StreamDecoder, NeverEndsInsideACharacterAndLosesNothing) {
  const auto bytes = load_json(byte_level_json());
  const auto pieces = load_json(sentencepiece_json());
  const std::string text = "he said: naïve 日本 🙂 — done";
  for (const Tokenizer* tokenizer : {bytes.get(), pieces.get()}) {
    StreamDecoder stream(*tokenizer);
    std::string out;
    for (const TokenId id : tokenizer->encode(text)) {
      const std::string part = stream.add(id);
      EXPECT_TRUE(is_valid_utf8(part));
      out += part;
    }
    out += stream.finish();
    EXPECT_EQ(out, text);
  }
}

TEST(StreamDecoder, ReplacesWhatIsNoCharacter) {
  const auto tokenizer = load_json(byte_level_json());
  const auto stream = [&](std::string_view bytes) {
    StreamDecoder decoder(*tokenizer);
    std::string out;
    for (const char c : bytes) out += decoder.add(tokenizer->encode({&c, 1}).front());
    return out + decoder.finish();
  };
  EXPECT_EQ(stream("a\xE2\x82"), "a\uFFFD");
  EXPECT_EQ(stream("\xE2\x82z"), "\uFFFD\uFFFDz");
  EXPECT_EQ(stream("\xFFz"), "\uFFFDz");
}

TEST(WriteGguf, GivesTheSameTokensBack) {
  const auto shipped = shipped_tokenizer();
  const auto again = through_gguf(*shipped);
  const auto pieces = load_json(sentencepiece_json());
  const auto pieces_again = through_gguf(*pieces);
  EXPECT_EQ(again->special().end_of_generation, shipped->special().end_of_generation);
  Random random(2);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_bytes(&random, 60);
    ASSERT_EQ(again->encode(text, {.add_special = true}),
              shipped->encode(text, {.add_special = true}));
    ASSERT_EQ(pieces_again->encode(text), pieces->encode(text)) << text;
    ASSERT_EQ(pieces_again->decode(pieces->encode(text)), pieces->decode(pieces->encode(text)));
  }
}

TEST(WriteGguf, NamesThePreTokenizer) {
  Metadata metadata;
  shipped_tokenizer()->write_gguf(metadata);
  EXPECT_EQ(metadata.get_string("tokenizer.ggml.model"), "gpt2");
  EXPECT_EQ(metadata.get_string("tokenizer.ggml.pre"), "llama-bpe");
  EXPECT_EQ(metadata.get_bool("tokenizer.ggml.add_bos_token"), true);
  EXPECT_EQ(metadata.get_int("tokenizer.ggml.eos_token_id"), 1);
  Json gpt2 = byte_level_json();
  gpt2["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  load_json(gpt2)->write_gguf(metadata);
  EXPECT_EQ(metadata.get_string("tokenizer.ggml.pre"), "gpt-2");
}

TEST(WriteGguf, RefusesWhatGgufCannotSay) {
  Json json = byte_level_json();
  json["pre_tokenizer"]["pretokenizers"][0]["pattern"] = {{"Regex", R"(\p{L}+|\s)"}};
  Metadata metadata;
  try {
    load_json(json)->write_gguf(metadata);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find(R"(\p{L}+|\s)"), std::string::npos);
    EXPECT_NE(error.message().find("llama-bpe"), std::string::npos);
  }
}

TEST(WriteGguf, FillsRowsWithoutATokenWithUnusedOnes) {
  Metadata metadata;
  load_json(byte_level_json())->write_gguf(metadata, 270);
  const auto* tokens = metadata.get_strings("tokenizer.ggml.tokens");
  ASSERT_EQ(tokens->size(), 270u);
  EXPECT_EQ(tokens->back(), "[PAD269]");
  const auto again = load_tokenizer(metadata);
  EXPECT_EQ(again->token_type(269), TokenType::kUnused);
  EXPECT_EQ(again->piece(269), "");
  EXPECT_THROW(load_json(byte_level_json())->write_gguf(metadata, 100), Error);
}

class GgufKeys : public testing::Test {
 protected:
  void SetUp() override { load_json(byte_level_json())->write_gguf(metadata_); }
  std::string error() const {
    try {
      load_tokenizer(metadata_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.message();
    }
    return "no error";
  }
  void set(const char* key, MetadataValue value) {
    metadata_.set(std::string("tokenizer.ggml.") + key, std::move(value));
  }
  Metadata metadata_;
};

TEST_F(GgufKeys, UnknownPreTokenizerListsTheKnown) {
  set("pre", std::string("from-the-future"));
  EXPECT_NE(error().find("from-the-future"), std::string::npos);
  EXPECT_NE(error().find("llama-bpe"), std::string::npos);
}

TEST_F(GgufKeys, MistakesNameTheirKey) {
  const auto fresh = metadata_;
  const auto expect = [&](const char* key, MetadataValue value) {
    metadata_ = fresh;
    set(key, std::move(value));
    EXPECT_NE(error().find(key), std::string::npos) << error();
  };
  expect("model", std::string("rwkv"));
  expect("tokens", uint32_t(7));
  expect("token_type", MetadataArray(std::vector<int32_t>{1, 2}));
  expect("token_type", MetadataArray(std::vector<int32_t>(263, 9)));
  expect("scores", MetadataArray(std::vector<float>(263, NAN)));
  expect("merges", MetadataArray(std::vector<std::string>{"nospace"}));
  expect("merges", MetadataArray(std::vector<std::string>{""}));
  metadata_ = fresh;
  metadata_.erase("tokenizer.ggml.tokens");
  EXPECT_NE(error().find("tokens"), std::string::npos);
}

TEST_F(GgufKeys, AbsentOnesHaveTheDefaultsOfLlamaCpp) {
  for (const char* key :
       {"bos_token_id", "eos_token_id", "add_bos_token", "add_eos_token", "token_type"}) {
    metadata_.erase(std::string("tokenizer.ggml.") + key);
  }
  const auto tokenizer = load_tokenizer(metadata_);
  EXPECT_EQ(tokenizer->special().bos, 11);
  EXPECT_FALSE(tokenizer->special().add_eos);
  set("bos_token_id", uint32_t(4'000'000'000u));  // out of range: as if absent
  EXPECT_EQ(load_tokenizer(metadata_)->special().bos, 11);
}

TEST_F(GgufKeys, EndTokensByKeyAndByText) {
  set("eot_token_id", uint32_t(258));
  EXPECT_EQ(load_tokenizer(metadata_)->special().end_of_generation, (Ids{11, 258, 261}));
}

// Merges may name what is no token: it stands between, and ends as bytes.
TEST_F(GgufKeys, MergesMayPassThroughTextsThatAreNoTokens) {
  set("merges", MetadataArray(std::vector<std::string>{"x y", "xy z", "l l"}));
  const auto tokenizer = load_tokenizer(metadata_);
  EXPECT_EQ(tokenizer->encode("xyz"), (Ids{'x', 'y', 'z'}));
  EXPECT_EQ(tokenizer->vocabulary_size(), 263u);
  EXPECT_EQ(tokenizer->encode("ll"), (Ids{256}));
}

}  // namespace
}  // namespace nibble
