#include "base/json.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "base/error.h"
#include "support/support.h"

namespace nibble {
namespace {

// The message of the Error an action throws; "" when it throws none.
template <typename Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.message();
  }
  return "";
}

TEST(Json, FindsTypedFields) {
  const JsonFile file(R"({"i": 7, "f": 2.5, "s": "x", "b": true, "o": {"k": 1}, "a": [1, 2]})",
                      "t");
  const auto o = file.object();
  EXPECT_EQ(find_int(o, "i"), 7);
  EXPECT_EQ(find_number(o, "i"), 7.0);
  EXPECT_EQ(find_number(o, "f"), 2.5);
  EXPECT_EQ(find_string(o, "s"), "x");
  EXPECT_EQ(find_bool(o, "b"), true);
  EXPECT_EQ(find_int(*find_object(o, "o"), "k"), 1);
  EXPECT_EQ(find_array(o, "a")->size(), 2u);
}

TEST(Json, GivesNothingForAbsentAndNull) {
  const JsonFile file(R"({"n": null})", "t");
  for (const auto* key : {"n", "absent", ""}) {
    EXPECT_FALSE(find_value(file.object(), key)) << key;
    EXPECT_FALSE(find_int(file.object(), key)) << key;
    EXPECT_FALSE(find_string(file.object(), key)) << key;
  }
}

TEST(Json, NamesTheKeyOfAWrongType) {
  const JsonFile file(R"({"hidden_size": "many"})", "config.json");
  EXPECT_EQ(message_of([&] { find_int(file.object(), "hidden_size"); }),
            "\"hidden_size\": expected an integer");
  EXPECT_NE(message_of([&] { find_bool(file.object(), "hidden_size"); }), "");
}

TEST(Json, TakesWholeFloatsAsIntegersAndNothingInexact) {
  const JsonFile file(
      R"({"whole": 1e4, "part": 0.5, "big": 9223372036854775807, "past": 9223372036854775808,
          "huge": 1e300})",
      "t");
  EXPECT_EQ(find_int(file.object(), "whole"), 10000);
  EXPECT_EQ(find_int(file.object(), "big"), INT64_MAX);
  for (const auto* key : {"part", "past", "huge"}) {
    EXPECT_NE(message_of([&] { find_int(file.object(), key); }), "") << key;
  }
}

TEST(Json, MalformedTextIsOneErrorNamingTheFile) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  for (const std::string& text :
       {std::string(""), std::string("{"), std::string("{\"a\": 01}"), std::string("[1,]"),
        std::string("{\"a\": \"\xff\"}"), std::string("nul"), std::string("{} {}"), deep,
        std::string("[1e999]")}) {
    const std::string message = message_of([&] { JsonFile file(text, "config.json"); });
    EXPECT_TRUE(message.starts_with("config.json: not valid JSON")) << text << " → " << message;
  }
}

TEST(Json, EveryTruncationOfADocumentIsAnError) {
  const std::string text = R"({"a": [1, 2.5, "x\u00e9"], "b": {"c": null, "d": true}})";
  for (size_t n = 0; n < text.size(); ++n) {
    EXPECT_NE(message_of([&] { JsonFile file(text.substr(0, n), "t"); }), "") << n;
  }
}

TEST(Json, TheRootMustBeAnObjectWhereOneIsAsked) {
  const JsonFile file("[1]", "t");
  EXPECT_EQ(message_of([&] { (void)file.object(); }), "t: expected a JSON object at the top");
}

TEST(Json, AMovedDocumentKeepsItsValues) {
  const test::TemporaryFolder folder;
  write_text_file(folder / "x.json", R"({"k": "value"})");
  JsonFile first = JsonFile::read(folder / "x.json");
  const JsonFile second = std::move(first);
  EXPECT_EQ(find_string(second.object(), "k"), "value");
}

}  // namespace
}  // namespace nibble
