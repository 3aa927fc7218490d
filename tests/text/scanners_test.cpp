#include "text/scanners.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "text/regex.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace nibble {
namespace {

using Cuts = std::vector<std::pair<size_t, size_t>>;

Cuts scanned(Scanner scanner, std::string_view text) {
  Cuts cuts;
  scan_words(scanner, text, [&](size_t begin, size_t end) { cuts.emplace_back(begin, end); });
  return cuts;
}

Cuts matched(const Regex& regex, std::string_view text) {
  Cuts cuts;
  regex.for_each_match(text, [&](size_t begin, size_t end) { cuts.emplace_back(begin, end); });
  return cuts;
}

// Code points that PCRE2 and utf8proc class alike: all but those assigned between the two versions
// of Unicode they were built with.
std::vector<uint32_t> agreed_code_points() {
  const Regex letter(R"(\p{L})"), number(R"(\p{N})"), space(R"(\s)");
  std::vector<uint32_t> agreed;
  for (uint32_t c = 1; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append_utf8(c, &text);
    const bool same = matched(letter, text).empty() == !(char_class(c) & kLetter) &&
                      matched(number, text).empty() == !(char_class(c) & kNumber) &&
                      matched(space, text).empty() == !(char_class(c) & kSpace);
    if (same) agreed.push_back(c);
  }
  return agreed;
}

// Runs of characters of one sort after another, with everything the patterns single out.
std::string random_text(Random* random, const std::vector<uint32_t>& code_points) {
  constexpr const char* kSpecial[] = {
      "'s", "'T",  "'re",    "'Ve",    "'LL",    "'ſ",     "'", "\r\n", "\n",
      "\t", "  ",  " ",      "   ",    "a",      "Z",      "7", "123",  "1234567",
      "!",  "...", "\u00A0", "\u0085", "\u2028", "\u180E", "é", "中"};
  std::string text;
  for (uint64_t parts = random->below(16); parts > 0; --parts) {
    if (random->below(3) == 0) {
      append_utf8(code_points[random->below(code_points.size())], &text);
    } else {
      text += kSpecial[random->below(std::size(kSpecial))];
    }
  }
  return text;
}

class ScannerEqualsPattern : public testing::TestWithParam<Scanner> {};

TEST_P(ScannerEqualsPattern, OnRandomText) {
  static const std::vector<uint32_t> code_points = agreed_code_points();
  // The versions are a year apart: almost everything is agreed.
  ASSERT_GT(code_points.size(), 0x110000u - 0x800 - 12000);
  const Regex pattern{std::string(scanner_pattern(GetParam()))};
  Random random(7);
  for (int i = 0; i < 100'000; ++i) {
    const std::string text = random_text(&random, code_points);
    ASSERT_EQ(scanned(GetParam(), text), matched(pattern, text)) << text;
  }
}

TEST_P(ScannerEqualsPattern, OnLongRuns) {
  const Regex pattern{std::string(scanner_pattern(GetParam()))};
  for (const std::string unit : {"A", " ", "\n", " \n", "1", "!", "é", "'s", "\r\n\t"}) {
    std::string text;
    while (text.size() < 5000) text += unit;
    for (const char* tail : {"", "x", "\n", "!"}) {
      ASSERT_EQ(scanned(GetParam(), text + tail), matched(pattern, text + tail)) << unit << tail;
    }
  }
}

TEST_P(ScannerEqualsPattern, AndItsWordsCoverAnyBytes) {
  Random random(8);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes;
    for (uint64_t n = random.below(20); n > 0; --n) bytes += char(random.below(256));
    size_t done = 0;
    for (const auto& [begin, end] : scanned(GetParam(), bytes)) {
      ASSERT_EQ(begin, done);
      ASSERT_GT(end, begin);
      done = end;
    }
    ASSERT_EQ(done, bytes.size());
  }
}

INSTANTIATE_TEST_SUITE_P(All, ScannerEqualsPattern,
                         testing::Values(Scanner::kGpt2, Scanner::kLlama3, Scanner::kQwen2));

TEST(Scanners, KnowTheirOwnPatterns) {
  for (const Scanner scanner : {Scanner::kGpt2, Scanner::kLlama3, Scanner::kQwen2}) {
    EXPECT_EQ(scanner_for(scanner_pattern(scanner)), scanner);
  }
  EXPECT_EQ(scanner_for(R"(\w+)"), std::nullopt);
}

TEST(RegexSearch, SeesAsFarAsTheMatchDependsOn) {
  const std::string spaces(3000, ' ');
  EXPECT_EQ(matched(Regex(R"(\s+(?=x)|\s)"), spaces + "x"), (Cuts{{0, 3000}}));
  EXPECT_EQ(matched(Regex(R"(\s+$)"), "a" + spaces), (Cuts{{1, 3001}}));
  EXPECT_EQ(matched(Regex(R"(\s+$)"), spaces + "a"), Cuts{});
  EXPECT_EQ(matched(Regex("(?<=ab)c"), std::string(255, 'a') + "bc"), (Cuts{{256, 257}}));
}

TEST(RegexSearch, PassesOverEmptyMatches) {
  EXPECT_EQ(matched(Regex("x*"), "axxb"), (Cuts{{1, 3}}));
}

// Finished at all is what counts: each of these takes hours by plain backtracking.
TEST(RegexSearch, EndsOnPatternsThatBacktrackWithoutEnd) {
  const std::string letters(1'000'000, 'a'), spaces(1'000'000, ' ');
  for (const char* pattern : {"(a+)+$b", "(a|aa)+c", "(.*)*x", "a+b|a"}) {
    matched(Regex(pattern), letters + "!");
  }
  matched(Regex(R"( +x| )"), spaces);
  matched(Regex(R"(\s+\z)"), spaces + "x");
}

TEST(RegexSearch, TakesBytesThatAreNoText) {
  EXPECT_EQ(matched(Regex(R"(\p{L}+)"), "ab\xFF\xC3zz"), (Cuts{{0, 2}, {4, 6}}));
}

TEST(RegexSearch, QuotesAPatternItCannotCompile) {
  try {
    Regex("(unclosed");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("(unclosed"), std::string::npos);
  }
}

}  // namespace
}  // namespace nibble
