#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"

// The components of tokenizer.json one by one; what they should give is what the documentation and
// the tests of Hugging Face tokenizers say.

namespace nibble {
namespace {

std::vector<std::string> split(const char* config, std::string_view text) {
  const JsonFile file(config, "config");
  std::vector<std::string> pieces;
  PreTokenizerChain(file.object()).split({text, true}, [&](const Piece& piece) {
    pieces.emplace_back(piece.text);
  });
  return pieces;
}

std::string normalized(const char* config, std::string_view text) {
  const JsonFile file(config, "config");
  std::string storage;
  return std::string(NormalizerChain(file.object()).apply(text, &storage));
}

using Pieces = std::vector<std::string>;

std::string word_split(const char* behavior) {
  return std::string(R"({"type":"Split","pattern":{"Regex":"\\w+|[^\\w\\s]+"},"invert":true,)") +
         R"("behavior":")" + behavior + R"("})";
}

TEST(PreTokenizer, SplitKnowsAllBehaviors) {
  const char* text = "How are you doing?";
  EXPECT_EQ(split(word_split("Removed").c_str(), text),
            (Pieces{"How", "are", "you", "doing", "?"}));
  EXPECT_EQ(split(word_split("Isolated").c_str(), text),
            (Pieces{"How", " ", "are", " ", "you", " ", "doing", "?"}));
  EXPECT_EQ(split(word_split("MergedWithPrevious").c_str(), text),
            (Pieces{"How ", "are ", "you ", "doing", "?"}));
  EXPECT_EQ(split(word_split("MergedWithNext").c_str(), text),
            (Pieces{"How", " are", " you", " doing", "?"}));
  EXPECT_EQ(split(word_split("Contiguous").c_str(), text),
            (Pieces{"How", " ", "are", " ", "you", " ", "doing?"}));
}

TEST(PreTokenizer, MergingTakesOneMatchOnly) {
  const auto at_dash = [](const char* behavior) {
    return std::string(R"({"type":"Split","pattern":{"String":"-"},"behavior":")") + behavior +
           "\"}";
  };
  const char* text = "the-final--countdown";
  EXPECT_EQ(split(at_dash("MergedWithPrevious").c_str(), text),
            (Pieces{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(split(at_dash("MergedWithNext").c_str(), text),
            (Pieces{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(split(at_dash("Contiguous").c_str(), text),
            (Pieces{"the", "-", "final", "--", "countdown"}));
}

TEST(PreTokenizer, MetaspaceMarksAndCuts) {
  EXPECT_EQ(
      split(R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always"})", "Hey   friend!"),
      (Pieces{"▁Hey", "▁", "▁", "▁friend!"}));
  EXPECT_EQ(split(R"({"type":"Metaspace","prepend_scheme":"never","split":false})", "a b"),
            (Pieces{"a▁b"}));
  EXPECT_EQ(split(R"({"type":"Metaspace","add_prefix_space":false})", "a b"), (Pieces{"a", "▁b"}));
  EXPECT_EQ(split(R"({"type":"Metaspace","prepend_scheme":"first"})", " a"), (Pieces{"▁a"}));
}

TEST(PreTokenizer, CutsAtClassesOfCharacters) {
  EXPECT_EQ(split(R"({"type":"Digits","individual_digits":true})", "Hey 123 friend!"),
            (Pieces{"Hey ", "1", "2", "3", " friend!"}));
  EXPECT_EQ(split(R"({"type":"Digits","individual_digits":false})", "Hey 123 friend!"),
            (Pieces{"Hey ", "123", " friend!"}));
  EXPECT_EQ(split(R"({"type":"Punctuation"})", "Hey friend!     How are you?!?"),
            (Pieces{"Hey friend", "!", "     How are you", "?", "!", "?"}));
  EXPECT_EQ(split(R"({"type":"Whitespace"})", " Hey man_1! où\u3000x "),
            (Pieces{"Hey", "man_1", "!", "où", "x"}));
  EXPECT_EQ(split(R"({"type":"WhitespaceSplit"})", " Hey  man! \n"), (Pieces{"Hey", "man!"}));
}

TEST(PreTokenizer, ByteLevelMayPutASpaceInFront) {
  EXPECT_EQ(split(R"({"type":"ByteLevel"})", "Hello you've"), (Pieces{" Hello", " you", "'ve"}));
  EXPECT_EQ(split(R"({"type":"ByteLevel","add_prefix_space":false})", "a  b"),
            (Pieces{"a", " ", " b"}));
  EXPECT_EQ(split(R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})", "a b"),
            (Pieces{"a b"}));
}

TEST(PreTokenizer, SequencesWorkOnWhatIsLeft) {
  EXPECT_EQ(
      split(R"({"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},)"
            R"({"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true}]}]})",
            "a12 b"),
      (Pieces{"a", "1", "2", "b"}));
}

TEST(Normalizer, Steps) {
  EXPECT_EQ(normalized(R"({"type":"NFC"})", "e\u0301"), "é");
  EXPECT_EQ(normalized(R"({"type":"NFKC"})", "ﬁ Ⅷ"), "fi VIII");
  EXPECT_EQ(normalized(R"({"type":"Lowercase"})", "ÉA"), "éa");
  EXPECT_EQ(normalized(R"({"type":"Strip","strip_left":true,"strip_right":false})", " \u3000a "),
            "a ");
  EXPECT_EQ(normalized(R"({"type":"Strip","strip_left":false,"strip_right":true})", " a\n "), " a");
  EXPECT_EQ(normalized(R"({"type":"Strip"})", " \n "), "");
  EXPECT_EQ(normalized(R"({"type":"Prepend","prepend":"▁"})", "a"), "▁a");
  EXPECT_EQ(normalized(R"({"type":"Prepend","prepend":"▁"})", ""), "");
  EXPECT_EQ(normalized(R"({"type":"Replace","pattern":{"String":" "},"content":"▁"})", " a b"),
            "▁a▁b");
  EXPECT_EQ(
      normalized(R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "})", "a   b c"),
      "a b c");
  EXPECT_EQ(
      normalized(R"({"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"},)"
                 R"({"type":"Lowercase"}]})",
                 "Éàb"),
      "eab");
}

TEST(Decoder, Steps) {
  const auto bytes = [](const char* config, const char* token,
                        TokenType type = TokenType::kNormal) {
    const JsonFile file(config, "config");
    return Decoder(file.object()).bytes_of(token, type);
  };
  EXPECT_EQ(bytes(R"({"type":"ByteLevel"})", "ĠÃ©"), " é");
  EXPECT_EQ(bytes(R"({"type":"ByteLevel"})", "é", TokenType::kUserDefined), "é");
  EXPECT_EQ(bytes(R"({"type":"Metaspace"})", "▁a"), " a");
  EXPECT_EQ(bytes(R"({"type":"ByteFallback"})", "<0xE4>", TokenType::kByte), "\xE4");
  EXPECT_EQ(bytes(R"({"type":"ByteFallback"})", "<0xE4>"), "<0xE4>");
  EXPECT_EQ(bytes(R"({"type":"Strip","content":"_","start":1,"stop":2})", "__a___"), "_a_");
}

template <typename Make>
std::string error_of(const Make& make) {
  try {
    make();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.message();
  }
  return "no error";
}

TEST(Components, NameWhatTheyDoNotKnow) {
  const JsonFile file(R"({"type":"Frobnicate"})", "config");
  for (const auto& message : {error_of([&] { NormalizerChain chain(file.object()); }),
                              error_of([&] { PreTokenizerChain chain(file.object()); }),
                              error_of([&] { Decoder decoder(file.object()); })}) {
    EXPECT_NE(message.find("Frobnicate"), std::string::npos) << message;
  }
}

TEST(Components, RefuseEndlessNesting) {
  std::string config = R"({"type":"NFC"})";
  for (int i = 0; i < 12; ++i) {
    config = R"({"type":"Sequence","normalizers":[)" + config + "]}";
  }
  EXPECT_NE(error_of([&] { normalized(config.c_str(), "a"); }), "no error");
}

}  // namespace
}  // namespace nibble
