#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "support/support.h"
#include "text/small_tokenizers.h"

namespace nibble {
namespace {

using test::byte_level_json;
using test::Json;
using test::load_json;
using test::sentencepiece_json;
using Ids = std::vector<TokenId>;

std::string error_of(const Json& json) {
  try {
    load_json(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.message();
  }
  return "no error";
}

TEST(TokenizerJson, MergesInTheOrderOfTheList) {
  const auto tokenizer = load_json(byte_level_json());
  EXPECT_EQ(tokenizer->kind(), "byte-level BPE");
  EXPECT_EQ(tokenizer->vocabulary_size(), 263u);
  EXPECT_EQ(tokenizer->encode("hello w"), (Ids{258, 257, 259}));
  EXPECT_EQ(tokenizer->encode("lll"), (Ids{256, 'l'}));
}

TEST(TokenizerJson, ReadsMergesInBothSpellings) {
  Json json = byte_level_json();
  json["model"]["merges"] = test::pairs({{"l", "l"}, {"ll", "o"}, {"h", "e"}, {"Ġ", "w"}});
  EXPECT_EQ(load_json(json)->encode("hello w"), (Ids{258, 257, 259}));
}

TEST(TokenizerJson, IgnoresMergesForWholeWordsWhenAsked) {
  Json json = byte_level_json();
  json["model"]["vocab"]["hello"] = 263;
  EXPECT_EQ(load_json(json)->encode("hello"), (Ids{258, 257}));
  json["model"]["ignore_merges"] = true;
  EXPECT_EQ(load_json(json)->encode("hello"), (Ids{263}));
}

TEST(TokenizerJson, PostProcessorsPutTokensAround) {
  Json json = byte_level_json();
  EXPECT_EQ(load_json(json)->encode("he", {.add_special = true}), (Ids{260, 258}));
  EXPECT_TRUE(load_json(json)->special().add_bos);
  json["post_processor"] = {{"type", "RobertaProcessing"},
                            {"sep", {"<|im_end|>", 261}},
                            {"cls", {"<|start|>", 260}},
                            {"trim_offsets", true},
                            {"add_prefix_space", false}};
  EXPECT_EQ(load_json(json)->encode("he", {.add_special = true}), (Ids{260, 258, 261}));
  json["post_processor"] = {{"type", "ByteLevel"}, {"trim_offsets", true}};
  EXPECT_EQ(load_json(json)->encode("he", {.add_special = true}), (Ids{258}));
}

TEST(TokenizerJson, AddedTokensKeepTheirManners) {
  Json json = byte_level_json();
  const auto added = [&](const char* content, Json manners) {
    Json copy = json;
    Json token = {{"id", 263}, {"content", content}, {"special", false}, {"normalized", false}};
    token.update(manners);
    copy["added_tokens"].push_back(token);
    return load_json(copy);
  };
  EXPECT_EQ(added("ab", Json::object())->encode("xabx"), (Ids{'x', 263, 'x'}));
  EXPECT_EQ(added("ab", {{"single_word", true}})->encode("xab ab"), (Ids{'x', 'a', 'b', ' ', 263}));
  EXPECT_EQ(added("ab", {{"lstrip", true}})->encode("x  ab "), (Ids{'x', 263, ' '}));
  EXPECT_EQ(added("ab", {{"rstrip", true}})->encode("x ab \n x"), (Ids{'x', ' ', 263, 'x'}));
  // The longest of those that begin first.
  EXPECT_EQ(added("<tool>s", Json::object())->encode("<tool>s<tool>"), (Ids{263, 262}));
}

TEST(TokenizerJson, NormalizedAddedTokensAreFoundAfterNormalization) {
  Json json = byte_level_json();
  json["normalizer"] = {{"type", "Lowercase"}};
  Json token = {{"id", 263}, {"content", "AB"}, {"special", false}, {"normalized", true}};
  json["added_tokens"].push_back(token);
  EXPECT_EQ(load_json(json)->encode("aB"), (Ids{263}));
  json["added_tokens"].back()["normalized"] = false;
  EXPECT_EQ(load_json(json)->encode("aBAB"), (Ids{'a', 'b', 263}));
}

TEST(TokenizerJson, SentencePieceFallsBackToBytes) {
  const auto tokenizer = load_json(sentencepiece_json());
  EXPECT_EQ(tokenizer->kind(), "SentencePiece BPE");
  EXPECT_EQ(tokenizer->encode("ab a"), (Ids{269, 267}));
  EXPECT_EQ(tokenizer->encode("é"), (Ids{259, 3 + 0xC3, 3 + 0xA9}));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("ab é a")), "ab é a");
  EXPECT_EQ(tokenizer->encode("\xFF"), tokenizer->encode("\uFFFD"));
}

TEST(TokenizerJson, UnknownTextWithoutBytesIsOneUnknownToken) {
  Json json = sentencepiece_json();
  json["model"]["byte_fallback"] = false;
  EXPECT_EQ(load_json(json)->encode("éé"), (Ids{259, 0}));
  json["model"]["fuse_unk"] = false;
  EXPECT_EQ(load_json(json)->encode("éé"), (Ids{259, 0, 0}));
}

TEST(TokenizerJson, UnigramTakesTheBestPath) {
  const Json json = {
      {"added_tokens", Json::array()},
      {"pre_tokenizer",
       {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}}},
      {"decoder", {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}}},
      {"model",
       {{"type", "Unigram"},
        {"unk_id", 0},
        {"vocab", test::pairs({{"<unk>", 0.0},
                               {"▁", -2.0},
                               {"a", -2.0},
                               {"b", -2.5},
                               {"ab", -3.0},
                               {"▁ab", -6.5},
                               {"▁a", -3.0}})}}}};
  const auto tokenizer = load_json(json);
  EXPECT_EQ(tokenizer->kind(), "Unigram");
  EXPECT_EQ(tokenizer->encode("ab a"), (Ids{1, 4, 6}));  // -2 - 3 beats -6.5 and -3 - 2.5
  EXPECT_EQ(tokenizer->encode("aéé"), (Ids{6, 0}));
  EXPECT_EQ(tokenizer->decode(Ids{1, 4, 6}), "ab a");
}

TEST(TokenizerJson, EveryMistakeHasItsMessage) {
  const auto broken = [](const auto& change) {
    Json json = byte_level_json();
    change(json);
    return error_of(json);
  };
  const std::pair<std::string, std::string> cases[] = {
      {broken([](Json& j) { j.erase("model"); }), "no \"model\""},
      {broken([](Json& j) { j["model"]["type"] = "WordPiece"; }), "WordPiece"},
      {broken([](Json& j) { j["model"].erase("vocab"); }), "no \"vocab\""},
      {broken([](Json& j) { j["model"].erase("merges"); }), "no \"merges\""},
      {broken([](Json& j) {
         j["model"]["merges"] = {"l l", "llx"};
       }),
       "merge 1"},
      {broken([](Json& j) { j["model"]["merges"] = {"l l l"}; }), "merge 0"},
      {broken([](Json& j) { j["model"]["merges"] = {7}; }), "merge 0"},
      {broken([](Json& j) { j["model"]["merges"] = {"zz l"}; }), "zz"},
      {broken([](Json& j) { j["model"]["merges"] = {"l o"}; }), "\"lo\" is not"},
      {broken([](Json& j) { j["model"]["vocab"]["x"] = -1; }), "token id -1"},
      {broken([](Json& j) { j["model"]["vocab"]["x"] = 2000000; }), "token id 2000000"},
      {broken([](Json& j) { j["model"]["vocab"]["x"] = "7"; }), "no integer"},
      {broken([](Json& j) { j["model"]["vocab"]["two"] = 5; }), "id 5 is given to"},
      {broken([](Json& j) { j["model"]["vocab"][std::string(70000, 'x')] = 263; }), "70000 bytes"},
      {broken([](Json& j) { j["model"]["unk_token"] = "nope"; }), "nope"},
      {broken([](Json& j) { j["model"]["end_of_word_suffix"] = "</w>"; }), "end_of_word_suffix"},
      {broken([](Json& j) { j["model"]["dropout"] = 0.1; }), "dropout"},
      {broken([](Json& j) { j["added_tokens"] = {1}; }), "added_tokens"},
      {broken([](Json& j) { j["added_tokens"][0].erase("content"); }), "no \"content\""},
      {broken([](Json& j) { j["added_tokens"][0]["content"] = std::string(2000, 'x'); }),
       "2000 bytes"},
      {broken([](Json& j) {
         j["normalizer"] = {{"type", "Whatever"}};
       }),
       "Whatever"},
      {broken([](Json& j) { j["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Odd"; }), "Odd"},
      {broken([](Json& j) {
         j["pre_tokenizer"]["pretokenizers"][0]["pattern"] = {{"Regex", "("}};
       }),
       "does not compile"},
      {broken([](Json& j) { j["post_processor"]["type"] = "Fancy"; }), "Fancy"},
      {broken([](Json& j) { j["post_processor"]["special_tokens"] = Json::object(); }),
       "<|start|>"},
      {broken([](Json& j) {
         j["decoder"] = {{"type", "CTC"}};
       }),
       "CTC"},
  };
  for (const auto& [message, expected] : cases) {
    EXPECT_NE(message.find(expected), std::string::npos) << expected << " in: " << message;
    EXPECT_NE(message.find("tokenizer.json"), std::string::npos) << message;
  }
}

TEST(TokenizerJson, DuplicateKeysOfTheVocabularyAreAnError) {
  std::string text = byte_level_json().dump();
  const size_t at = text.find("\"ll\":256");
  text.replace(at, 8, "\"ll\":256,\"ll\":263");
  EXPECT_THROW(test::load_json_text(text), Error);
}

TEST(TokenizerJson, DamagedTextIsAnErrorAndNothingWorse) {
  const std::string text = sentencepiece_json().dump();
  Random random(11);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = text;
    for (uint64_t n = 1 + random.below(3); n > 0; --n) {
      damaged[random.below(damaged.size())] = char(random.below(256));
    }
    if (random.below(2) == 0) damaged.resize(random.below(damaged.size()));
    try {
      test::load_json_text(damaged)->encode("ab é <s>");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    }
  }
}

TEST(TokenizerFolder, WithoutATokenizerSaysWhatItLacks) {
  const test::TemporaryFolder folder;
  try {
    load_tokenizer(folder.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("tokenizer.json"), std::string::npos);
    EXPECT_NE(error.message().find(folder.path().string()), std::string::npos);
  }
}

TEST(TokenizerFolder, TakesSpecialTokensFromTheFilesBesideIt) {
  const test::TemporaryFolder folder;
  write_text_file(folder / "tokenizer.json", byte_level_json().dump());
  write_text_file(folder / "tokenizer_config.json",
                  R"({"bos_token":{"content":"<|start|>"},"eos_token":"<|im_end|>"})");
  write_text_file(folder / "special_tokens_map.json", R"({"pad_token":"<tool>"})");
  write_text_file(folder / "generation_config.json", R"({"eos_token_id":[258,261,99999]})");
  const auto tokenizer = load_tokenizer(folder.path());
  EXPECT_EQ(tokenizer->special().bos, 260);
  EXPECT_EQ(tokenizer->special().eos, 261);
  EXPECT_EQ(tokenizer->special().padding, 262);
  EXPECT_EQ(tokenizer->special().end_of_generation, (Ids{258, 261}));
  const auto config = Json::parse(tokenizer_config_json(*tokenizer));
  EXPECT_EQ(config["bos_token"], "<|start|>");
  EXPECT_EQ(config["add_bos_token"], true);
}

}  // namespace
}  // namespace nibble
