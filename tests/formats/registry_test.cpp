#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "base/error.h"
#include "formats/format.h"

namespace nibble {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = char(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

TEST(Registry, HasNoTwoRowsOfOneNameOrId) {
  std::set<std::string> names, dtypes;
  std::set<int32_t> ids;
  for (const Format* format : all_formats()) {
    EXPECT_TRUE(names.insert(lower(format->name)).second) << format->name;
    if (!format->safetensors_name.empty()) {
      EXPECT_TRUE(dtypes.insert(std::string(format->safetensors_name)).second) << format->name;
    }
    if (format->gguf_id >= 0) {
      EXPECT_TRUE(ids.insert(format->gguf_id).second) << format->name;
      EXPECT_EQ(foreign_gguf_type(uint32_t(format->gguf_id)), "") << format->name;
    }
  }
}

TEST(Registry, FindsEveryFormatByAllItIsKnownBy) {
  for (const Format* format : all_formats()) {
    EXPECT_EQ(find_format(format->name), format);
    EXPECT_EQ(find_format(lower(format->name)), format);
    EXPECT_EQ(&format_by_name(format->name), format);
    if (format->gguf_id >= 0) {
      EXPECT_EQ(find_gguf_format(uint32_t(format->gguf_id)), format);
    }
    if (!format->safetensors_name.empty()) {
      EXPECT_EQ(find_safetensors_format(format->safetensors_name), format);
    }
  }
}

TEST(Registry, KnowsTheGgufIdsOfItsFormats) {
  const std::pair<uint32_t, std::string_view> ids[] = {
      {0, "F32"}, {1, "F16"},  {2, "Q4_0"}, {3, "Q4_1"}, {6, "Q5_0"}, {7, "Q5_1"}, {8, "Q8_0"},
      {24, "I8"}, {25, "I16"}, {26, "I32"}, {27, "I64"}, {28, "F64"}, {30, "BF16"}};
  for (const auto& [id, name] : ids) {
    ASSERT_NE(find_gguf_format(id), nullptr) << name;
    EXPECT_EQ(find_gguf_format(id)->name, name);
  }
}

TEST(Registry, CarriesEveryDtypeOfSafetensors) {
  const std::pair<std::string_view, double> bits[] = {
      {"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
      {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
      {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
      {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
      {"I64", 64},        {"U64", 64}};
  for (const auto& [dtype, width] : bits) {
    ASSERT_NE(find_safetensors_format(dtype), nullptr) << dtype;
    EXPECT_EQ(find_safetensors_format(dtype)->bits_per_weight(), width) << dtype;
    EXPECT_FALSE(find_safetensors_format(dtype)->is_quantized()) << dtype;
  }
}

TEST(Registry, UnderstandsWhatPeopleSay) {
  const std::pair<std::string_view, const Format*> said[] = {
      {"FP64", &formats::f64},    {"double", &formats::f64},    {"FP32", &formats::f32},
      {"float32", &formats::f32}, {"FP16", &formats::f16},      {"half", &formats::f16},
      {"Float16", &formats::f16}, {"bfloat16", &formats::bf16}, {"INT8", &formats::q8_0},
      {"q8", &formats::q8_0},     {"int4", &formats::q4_0},     {"Q4", &formats::q4_0}};
  for (const auto& [name, format] : said) EXPECT_EQ(find_format(name), format) << name;
}

TEST(Registry, FindsNothingUnderOtherNames) {
  for (const std::string_view name : {"", " ", "Q4_0 ", "Q4_2", "Q", "Q4_K_M", "Q4_00"}) {
    EXPECT_EQ(find_format(name), nullptr) << name;
  }
  EXPECT_EQ(find_safetensors_format(""), nullptr);
  EXPECT_EQ(find_safetensors_format("f16"), nullptr);
  EXPECT_EQ(find_safetensors_format("Q8_0"), nullptr);
  for (const uint32_t id : {4u, 10u, 43u, 1000u, 0xFFFFFFFFu}) {
    EXPECT_EQ(find_gguf_format(id), nullptr) << id;
  }
}

TEST(Registry, SaysWhatCanBeWrittenAndWhatWasMeant) {
  try {
    format_by_name("BF61");
    FAIL() << "there is no such format";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_STREQ(error.what(), "there is no format named \"BF61\"");
    EXPECT_EQ(error.hint_text(),
              "did you mean BF16? weights can be written as "
              "F32, F16, BF16, F64, Q8_0, Q5_1, Q5_0, Q4_1, Q4_0");
  }
  try {
    format_by_name("something else");
    FAIL() << "there is no such format";
  } catch (const Error& error) {
    EXPECT_TRUE(error.hint_text().starts_with("weights can be written as F32"));
  }
}

TEST(Registry, NamesWhatOthersWrite) {
  const std::pair<uint32_t, std::string_view> known[] = {{12, "Q4_K"},
                                                         {42, "Q2_0"},
                                                         {33, "Q4_0_8_8 (removed from llama.cpp)"},
                                                         {139, "IQ4_K (ik_llama.cpp)"},
                                                         {399, "Q8_K_R8 (ik_llama.cpp)"}};
  for (const auto& [id, text] : known) EXPECT_EQ(foreign_gguf_type(id), text);
  for (const uint32_t id : {0u, 43u, 132u, 500u, 0xFFFFFFFFu}) {
    EXPECT_EQ(foreign_gguf_type(id), "") << id;
  }
}

// Up to 42 every id is a format of ours, a foreign one, or was never given out.
TEST(Registry, LeavesNoIdOfLlamaCppUnexplained) {
  for (uint32_t id = 0; id <= 42; ++id) {
    EXPECT_NE(find_gguf_format(id) != nullptr, !foreign_gguf_type(id).empty()) << id;
  }
}

}  // namespace
}  // namespace nibble
