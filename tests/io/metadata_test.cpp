#include "io/metadata.h"

#include "io/fixtures.h"

namespace nibble::test {
namespace {

TEST(Metadata, KeepsOrderAndReplacesInPlace) {
  Metadata m;
  m.set("b", uint32_t(1));
  m.set("a", uint32_t(2));
  m.set("b", std::string("x"));
  ASSERT_EQ(m.entries().size(), 2u);
  EXPECT_EQ(m.entries()[0].first, "b");
  EXPECT_EQ(m.get_string("b"), "x");
  m.erase("b");
  m.erase("not there");
  EXPECT_FALSE(m.contains("b"));
  EXPECT_TRUE(m.contains("a"));
}

TEST(Metadata, GettersWidenWhatLosesNothing) {
  const Metadata m = every_metadata_type();
  EXPECT_EQ(m.get_int("u8"), 255);
  EXPECT_EQ(m.get_int("i8"), -128);
  EXPECT_EQ(m.get_int("u16"), 65535);
  EXPECT_EQ(m.get_int("i16"), -32768);
  EXPECT_EQ(m.get_int("u32"), 4294967295);
  EXPECT_EQ(m.get_int("i64"), int64_t(-1) << 62);
  EXPECT_EQ(m.get_number("i32"), -2147483647.0);
  EXPECT_EQ(m.get_number("f32"), double(0.1f));
  EXPECT_EQ(m.get_number("f64"), 0.0);
  EXPECT_EQ(m.get_bool("bool"), true);
  EXPECT_EQ(m.get_ints("array.i32"), (std::vector<int64_t>{-7, 7}));
  EXPECT_EQ(m.get_ints("array.u8"), (std::vector<int64_t>{0, 255}));
  EXPECT_EQ(m.get_strings("array.string")->size(), 3u);
  EXPECT_EQ(m.get_floats("array.f32")->at(1), -2.0f);
}

TEST(Metadata, AbsentKeysAreNotErrors) {
  const Metadata m;
  EXPECT_EQ(m.get_int("x"), std::nullopt);
  EXPECT_EQ(m.get_number("x"), std::nullopt);
  EXPECT_EQ(m.get_bool("x"), std::nullopt);
  EXPECT_EQ(m.get_string("x"), std::nullopt);
  EXPECT_EQ(m.get_strings("x"), nullptr);
  EXPECT_EQ(m.get_floats("x"), nullptr);
  EXPECT_EQ(m.get_ints("x"), std::nullopt);
}

TEST(Metadata, WrongTypesNameTheKeyAndBothTypes) {
  const Metadata m = every_metadata_type();
  const auto error = [&](auto get) { return error_of([&] { get(); }); };
  EXPECT_EQ(error([&] { m.get_int("f32"); }), "key \"f32\": expected an integer, got f32");
  EXPECT_EQ(error([&] { m.get_int("bool"); }), "key \"bool\": expected an integer, got bool");
  EXPECT_EQ(error([&] { m.get_int("u64"); }),
            "key \"u64\": expected an integer below 2^63, got 18446744073709551615");
  EXPECT_EQ(error([&] { m.get_number("array.f32"); }),
            "key \"array.f32\": expected a number, got array of f32");
  EXPECT_EQ(error([&] { m.get_bool("u8"); }), "key \"u8\": expected bool, got u8");
  EXPECT_EQ(error([&] { m.get_string("u8"); }), "key \"u8\": expected a string, got u8");
  EXPECT_EQ(error([&] { m.get_strings("array.f32"); }),
            "key \"array.f32\": expected an array of strings, got array of f32");
  EXPECT_EQ(error([&] { m.get_floats("f32"); }), "key \"f32\": expected an array of f32, got f32");
  EXPECT_EQ(error([&] { m.get_ints("array.f64"); }),
            "key \"array.f64\": expected an array of integers, got array of f64");
}

}  // namespace
}  // namespace nibble::test
