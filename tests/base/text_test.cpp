// What people read and type: suggestions, sizes, durations, errors.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/checked.h"
#include "base/error.h"
#include "base/random.h"
#include "base/suggest.h"
#include "base/units.h"

namespace nibble {
namespace {

TEST(Suggest, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("quantize", "quantise"), 1u);
  EXPECT_EQ(edit_distance("Q4_0", "q4_0"), 0u);
  EXPECT_EQ(edit_distance("ab", "ba"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Suggest, DistanceIsAMetricOnShortWords) {
  Random random(5);
  const auto word = [&] {
    std::string text(random.below(6), ' ');
    for (char& c : text) c = char('a' + random.below(3));
    return text;
  };
  for (int i = 0; i < 2000; ++i) {
    const std::string a = word(), b = word();
    EXPECT_EQ(edit_distance(a, b), edit_distance(b, a)) << a << " " << b;
    EXPECT_EQ(edit_distance(a, b) == 0, a == b);
    EXPECT_LE(edit_distance(a, b), std::max(a.size(), b.size()));
  }
}

TEST(Suggest, OffersTheNearestWithinTwoEditsOnly) {
  const std::vector<std::string_view> words = {"quantize", "eval", "inspect", "run"};
  EXPECT_EQ(did_you_mean("quantise", words), "did you mean quantize?");
  EXPECT_EQ(did_you_mean("evla", words), "did you mean eval?");
  EXPECT_EQ(did_you_mean("INSPECT", words), "did you mean inspect?");
  EXPECT_EQ(did_you_mean("frobnicate", words), "");
  EXPECT_EQ(did_you_mean("", words), "");
  EXPECT_EQ(did_you_mean("run", {}), "");
}

TEST(Units, FormatsForPeople) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1536), "1.50 KiB");
  EXPECT_EQ(format_bytes(uint64_t(3) << 30), "3.00 GiB");
  EXPECT_EQ(format_bytes(uint64_t(150) << 20), "150 MiB");
  EXPECT_EQ(format_bytes(~uint64_t(0)), "16384 PiB");
  EXPECT_EQ(format_duration(0.85), "850 ms");
  EXPECT_EQ(format_duration(5.25), "5.2 s");
  EXPECT_EQ(format_duration(12.4), "12 s");
  EXPECT_EQ(format_duration(59.7), "1 min 00 s");
  EXPECT_EQ(format_duration(200), "3 min 20 s");
  EXPECT_EQ(format_duration(7500), "2 h 05 min");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(5770000), "5.77 M");
  EXPECT_EQ(format_count(1100000000), "1.10 B");
}

TEST(Units, ParsesSizesAsPeopleWriteThem) {
  EXPECT_EQ(parse_bytes("42"), 42u);
  EXPECT_EQ(parse_bytes("6GiB"), uint64_t(6) << 30);
  EXPECT_EQ(parse_bytes("6g"), uint64_t(6) << 30);
  EXPECT_EQ(parse_bytes("6 GB"), 6000000000u);
  EXPECT_EQ(parse_bytes("1500M"), uint64_t(1500) << 20);
  EXPECT_EQ(parse_bytes("0.5kb"), 500u);
  EXPECT_EQ(parse_bytes("1.5TiB"), uint64_t(1536) << 30);
}

TEST(Units, RefusesWhatIsNotASize) {
  for (const auto* text :
       {"", "GiB", "-1", "1 lightyear", "nan", "inf", "1e30", "0x10", "6GiBs", "1 2"}) {
    EXPECT_THROW(parse_bytes(text), Error) << text;
  }
}

TEST(Units, WholeBinarySizesSurviveTheRoundTrip) {
  for (const std::string unit : {"KiB", "MiB", "GiB", "TiB"}) {
    for (int n = 1; n < 10; ++n) {
      const std::string text = std::to_string(n) + ".00 " + unit;
      EXPECT_EQ(format_bytes(parse_bytes(text)), text);
    }
  }
}

TEST(Error, SaysWhereWhatAndWhatToDo) {
  Error error = bad_input("expected {} bytes, got {}", 4, 3);
  error.at("tensor x").at("a.gguf").hint("download it again");
  EXPECT_STREQ(error.what(), "expected 4 bytes, got 3");
  EXPECT_EQ(error.where(), "a.gguf: tensor x");
  EXPECT_EQ(error.message(), "a.gguf: tensor x: expected 4 bytes, got 3 (download it again)");
  EXPECT_EQ(bad_input("plain").message(), "plain");
}

TEST(Error, KindsAreTheDocumentedExitCodes) {
  EXPECT_EQ(int(runtime_failure("x").kind()), 1);
  EXPECT_EQ(int(usage_error("x").kind()), 2);
  EXPECT_EQ(int(bad_input("x").kind()), 4);
  EXPECT_EQ(int(out_of_resources("x").kind()), 5);
}

TEST(Check, ABrokenPromiseOfOursAborts) {
  EXPECT_DEATH(NIBBLE_CHECK(1 + 1 == 3),
               "internal error: 1 \\+ 1 == 3 does not hold at .*text_test");
}

TEST(Checked, ArithmeticReportsEveryOverflow) {
  constexpr uint64_t kMax = ~uint64_t(0);
  uint64_t out = 0;
  EXPECT_TRUE(checked_add(kMax - 1, 1, &out));
  EXPECT_EQ(out, kMax);
  EXPECT_FALSE(checked_add(kMax, 1, &out));
  EXPECT_TRUE(checked_mul(uint64_t(1) << 32, (uint64_t(1) << 32) - 1, &out));
  EXPECT_FALSE(checked_mul(uint64_t(1) << 32, uint64_t(1) << 32, &out));
  EXPECT_TRUE(checked_align(33, 32, &out));
  EXPECT_EQ(out, 64u);
  EXPECT_TRUE(checked_align(64, 32, &out));
  EXPECT_EQ(out, 64u);
  EXPECT_FALSE(checked_align(kMax - 3, 32, &out));
}

}  // namespace
}  // namespace nibble
