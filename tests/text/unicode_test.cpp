#include "text/unicode.h"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include "base/error.h"
#include "base/random.h"
#include "text/byte_level.h"
#include "text/charsmap.h"
#include "text/utf8.h"

namespace nibble {
namespace {

std::string random_text(Random* random, size_t length) {
  std::string text;
  while (length-- > 0) {
    const uint64_t kind = random->below(4);
    const uint32_t c = kind == 0   ? uint32_t(0x20 + random->below(0x60))
                       : kind == 1 ? uint32_t(0x300 + random->below(0x70))  // combining marks
                       : kind == 2 ? uint32_t(0xA0 + random->below(0x2000))
                                   : uint32_t(0xAC00 + random->below(0x2BA4));
    append_utf8(c, &text);
  }
  return text;
}

std::string by_utf8proc(const std::string& text, int options) {
  utf8proc_uint8_t* out = nullptr;
  const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                   utf8proc_ssize_t(text.size()), &out,
                                   utf8proc_option_t(options | UTF8PROC_STABLE));
  std::string result(reinterpret_cast<const char*>(out), size_t(length));
  free(out);
  return result;
}

TEST(NormalForms, AreThoseOfUtf8proc) {
  Random random(1);
  for (int i = 0; i < 5000; ++i) {
    const std::string text = random_text(&random, random.below(12));
    EXPECT_EQ(normalize(text, NormalForm::kNfc), by_utf8proc(text, UTF8PROC_COMPOSE));
    EXPECT_EQ(normalize(text, NormalForm::kNfd), by_utf8proc(text, UTF8PROC_DECOMPOSE));
    EXPECT_EQ(normalize(text, NormalForm::kNfkc),
              by_utf8proc(text, UTF8PROC_COMPOSE | UTF8PROC_COMPAT));
    EXPECT_EQ(normalize(text, NormalForm::kNfkd),
              by_utf8proc(text, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT));
  }
}

TEST(NormalForms, LeaveBytesThatAreNoTextAlone) {
  EXPECT_EQ(normalize("e\u0301\xFF\xC3"
                      "a",
                      NormalForm::kNfc),
            "é\xFF\xC3"
            "a");
}

// An insertion sort of this run would take hours.
TEST(NormalForms, OrderMillionsOfMarks) {
  std::string marks = "a";
  for (int i = 0; i < 500'000; ++i) marks += "\u0301\u0316";
  EXPECT_EQ(normalize(marks, NormalForm::kNfd).size(), marks.size());
}

TEST(LowerCase, IsUnicodes) {
  EXPECT_EQ(to_lowercase("ÀÇΣЖİ A1\xFF"), "àçσжi\u0307 a1\xFF");
  EXPECT_EQ(strip_marks("e\u0301a\u0308x"), "eax");
}

TEST(Utf8, AcceptsExactlyTheWellFormed) {
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
  }
  for (uint32_t c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 97) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append_utf8(c, &text);
    const Utf8Char front = utf8_front(text);
    ASSERT_TRUE(front.valid);
    ASSERT_EQ(front.code_point, c);
    ASSERT_EQ(front.bytes, text.size());
    // Every proper beginning waits for the rest, the whole for nothing.
    for (size_t cut = 1; cut < text.size(); ++cut) {
      ASSERT_EQ(unfinished_utf8_suffix("x" + text.substr(0, cut)), cut);
    }
    ASSERT_EQ(unfinished_utf8_suffix(text), 0u);
  }
  for (const char* hopeless : {"\xED\xA0", "\xF4\x90", "\xE0\x80", "\x80\x80\x80", "\xC0"}) {
    EXPECT_EQ(unfinished_utf8_suffix(hopeless), 0u);
  }
  EXPECT_EQ(replace_invalid_utf8("a\xFF\xE2\x82z"), "a\uFFFD\uFFFD\uFFFDz");
}

TEST(ByteLevelAlphabet, SpellsEveryByteAndReadsItBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += char(byte);
  const std::string spelled = to_byte_level(all);
  EXPECT_TRUE(is_valid_utf8(spelled));
  EXPECT_EQ(from_byte_level(spelled), all);
  EXPECT_EQ(to_byte_level(" a\n"), "ĠaĊ");
  EXPECT_EQ(from_byte_level("中"), std::nullopt);
}

TEST(Base64, ReadsWhatItWrote) {
  Random random(2);
  for (size_t length = 0; length < 50; ++length) {
    std::string bytes;
    while (bytes.size() < length) bytes += char(random.below(256));
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
  }
  EXPECT_EQ(base64_encode("nibble!"), "bmliYmxlIQ==");
  EXPECT_THROW(base64_decode("a*b"), Error);
}

TEST(Charsmap, RefusesOrSurvivesRandomBlobs) {
  Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string blob(4, '\0');
    blob[0] = char(4 * random.below(16));
    for (uint64_t n = random.below(80); n > 0; --n) blob += char(random.below(256));
    try {
      Charsmap(blob).apply("some text of ordinary letters");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    }
  }
}

}  // namespace
}  // namespace nibble
