#include "fuzz/mutate_safetensors.h"
#include "io/fixtures.h"

namespace nibble::test {
namespace {

std::string raw(const std::string& json, size_t data = 0) {
  const uint64_t length = json.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + json +
         std::string(data, 'x');
}
// One tensor "a" whose entry is the given text.
std::string error_of_entry(const std::string& entry, size_t data = 8) {
  return safetensors_error(raw("{\"a\":" + entry + "}", data));
}
std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return fmt::format(R"({{"dtype":"{}","shape":[{}],"data_offsets":[{}]}})", dtype, shape, offsets);
}

TEST(HostileSafetensors, ValidFilesForComparison) {
  EXPECT_EQ(safetensors_error(raw("{}")), "no error");
  EXPECT_EQ(error_of_entry(entry("F32", "2", "0,8")), "no error");
  EXPECT_EQ(safetensors_error(raw("{}   ")), "no error") << "padded with spaces";
}

TEST(HostileSafetensors, HeaderLength) {
  const auto with_length = [](uint64_t length) {
    std::string file = raw("{}");
    std::memcpy(file.data(), &length, sizeof length);
    return safetensors_error(file);
  };
  EXPECT_HAS(safetensors_error("1234567"), "expected 8 more bytes, but the file ends after 7");
  EXPECT_HAS(with_length(0), "byte 8: expected a header that begins with '{'");
  EXPECT_HAS(with_length(3),
             "byte 0: expected at most 2 bytes of header (limit 100000000, 2 bytes left), got 3");
  EXPECT_HAS(with_length(100'000'001), "expected at most 2 bytes of header");
  EXPECT_HAS(with_length(~uint64_t(0)), "expected at most 2 bytes of header");
  EXPECT_HAS(safetensors_error(raw(" {}")), "begins with '{'");
}

TEST(HostileSafetensors, Json) {
  EXPECT_HAS(safetensors_error(raw("{")), "m.safetensors: header: not valid JSON");
  EXPECT_HAS(safetensors_error(raw("{}{}")), "not valid JSON");
  EXPECT_HAS(safetensors_error(raw("{\"\xff\":1}")), "not valid JSON");
  EXPECT_HAS(safetensors_error(raw("{\"a\":" + std::string(100'000, '[') + "}")), "not valid JSON");
  EXPECT_HAS(safetensors_error(raw("{\"a\":1}")), "tensor \"a\": expected an object");
}

TEST(HostileSafetensors, DuplicatesAreRefused) {
  const std::string a = entry("F32", "0", "0,0");
  EXPECT_HAS(safetensors_error(raw("{\"a\":" + a + ",\"a\":" + a + "}")),
             "tensor \"a\": it is there twice");
  EXPECT_HAS(safetensors_error(raw("{\"a\":" + a + ",\"\\u0061\":" + a + "}")), "it is there twice")
      << "also when spelled differently";
  EXPECT_HAS(error_of_entry(R"({"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,8]})"),
             "tensor \"a\": \"dtype\" is there twice");
  EXPECT_HAS(error_of_entry(R"({"dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,8]})"),
             "\"shape\" is there twice");
  EXPECT_HAS(safetensors_error(raw(R"({"__metadata__":{},"__metadata__":{}})")),
             "it is there twice");
  EXPECT_HAS(safetensors_error(raw(R"({"__metadata__":{"k":"1","k":"2"}})")),
             "the key \"k\" is there twice");
}

TEST(HostileSafetensors, Metadata) {
  EXPECT_EQ(safetensors_error(raw(R"({"__metadata__":{"format":"pt"}})")), "no error");
  EXPECT_HAS(safetensors_error(raw(R"({"__metadata__":{"format":1}})")),
             "\"format\": expected a string");
  EXPECT_HAS(safetensors_error(raw(R"({"__metadata__":[]})")), "expected an object");
}

TEST(HostileSafetensors, Entries) {
  EXPECT_HAS(error_of_entry(R"({"shape":[2],"data_offsets":[0,8]})"), "\"dtype\" is missing");
  EXPECT_HAS(error_of_entry(R"({"dtype":"F32","data_offsets":[0,8]})"), "\"shape\" is missing");
  EXPECT_HAS(error_of_entry(R"({"dtype":"F32","shape":[2]})"), "\"data_offsets\" is missing");
  EXPECT_HAS(error_of_entry(R"({"dtype":5,"shape":[2],"data_offsets":[0,8]})"),
             "\"dtype\": expected a string");
  EXPECT_HAS(error_of_entry(entry("F31", "2", "0,8")), "unknown dtype \"F31\"");
  EXPECT_HAS(error_of_entry(entry("", "2", "0,8")), "unknown dtype \"\"");
  EXPECT_HAS(error_of_entry(entry("F32", "-1", "0,8")), "\"shape\": expected whole numbers");
  EXPECT_HAS(error_of_entry(entry("F32", "2.0", "0,8")), "\"shape\": expected whole numbers");
  EXPECT_HAS(error_of_entry(entry("F32", "\"2\"", "0,8")), "\"shape\": expected whole numbers");
  EXPECT_HAS(error_of_entry(entry("F32", "2", "0")),
             "\"data_offsets\": expected begin <= end <= 8, got [0]");
  EXPECT_HAS(error_of_entry(entry("F32", "2", "0,8,8")),
             "\"data_offsets\": expected at most 2 numbers");
  EXPECT_HAS(error_of_entry(entry("F32", "2", "8,0")), "got [8, 0]");
  EXPECT_HAS(error_of_entry(entry("F32", "2", "0,9")), "got [0, 9]");
  EXPECT_HAS(error_of_entry(entry("F32", "2", "0,18446744073709551615")),
             "expected begin <= end <= 8");
  EXPECT_HAS(error_of_entry(entry("F32", "2", "0,18446744073709551616")), "not valid JSON");
  EXPECT_HAS(safetensors_error(raw("{\"\":" + entry("F32", "0", "0,0") + "}")),
             "1 to 4096 bytes, got 0");
  EXPECT_HAS(safetensors_error(raw("{\"\\u0000\":" + entry("F32", "0", "0,0") + "}")),
             "without control characters");
}

TEST(HostileSafetensors, Sizes) {
  EXPECT_HAS(error_of_entry(entry("F32", "3", "0,8")), "expected 12 bytes for F32 [3], got 8");
  EXPECT_HAS(error_of_entry(entry("F32", "4294967296,4294967296", "0,0"), 0),
             "expected at most 2^62 elements");
  EXPECT_HAS(error_of_entry(entry("F32", "0,4294967296,4294967296", "0,0"), 0),
             "expected at most 2^62 elements");
  EXPECT_HAS(error_of_entry(entry("F64", "4611686018427387904", "0,0"), 0),
             "expected at most 2^64 bytes");
  EXPECT_HAS(error_of_entry(entry("F4", "3", "0,2"), 2), "a multiple of 2 elements for F4, got 3");
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  EXPECT_HAS(error_of_entry(entry("U8", ones, "0,1"), 1), "\"shape\": expected at most 64 numbers");
}

TEST(HostileSafetensors, TensorsTileTheFile) {
  const auto two = [](const std::string& a, const std::string& b, size_t data) {
    return safetensors_error(
        raw("{\"a\":" + entry("U8", "4", a) + ",\"b\":" + entry("U8", "4", b) + "}", data));
  };
  EXPECT_EQ(two("0,4", "4,8", 8), "no error");
  EXPECT_EQ(two("4,8", "0,4", 8), "no error") << "any order of entries";
  EXPECT_HAS(two("0,4", "5,9", 9),
             "tensor \"b\": expected it to begin at 4, where the one before ends, got 5");
  EXPECT_HAS(two("1,5", "5,9", 9), "tensor \"a\": expected it to begin at 0");
  EXPECT_HAS(two("0,4", "3,7", 7),
             "tensor \"b\": its bytes [3, 7) overlap those of tensor \"a\", [0, 4)");
  EXPECT_HAS(two("0,4", "0,4", 4), "overlap");
  EXPECT_HAS(two("0,4", "4,8", 9), "expected 9 bytes of tensors up to the end of the file, got 8");
  EXPECT_HAS(safetensors_error(raw("{}", 1)), "expected 1 bytes of tensors");
}

TEST(HostileSafetensors, EveryTruncationIsAnError) {
  const std::string file = fuzz::safetensors_seed();
  EXPECT_EQ(safetensors_error(file), "no error");
  for (size_t size = 0; size < file.size(); ++size) {
    ASSERT_NE(safetensors_error(std::string_view(file).substr(0, size)), "no error") << size;
  }
}

TEST(HostileSafetensors, EveryFlippedBitIsAnErrorOrASoundFile) {
  std::string file = fuzz::safetensors_seed();
  const auto parsed = parse_safetensors(as_bytes(file), file.size());
  for (size_t bit = 0; bit < 8 * parsed.offsets[0]; ++bit) {
    file[bit / 8] = char(file[bit / 8] ^ (1 << bit % 8));
    try {
      const auto reader = open_safetensors(as_bytes(file), "m.safetensors");
      EXPECT_EQ(reader->total_bytes(), file.size() - parsed.offsets[0]);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    }
    file[bit / 8] = char(file[bit / 8] ^ (1 << bit % 8));
  }
}

}  // namespace
}  // namespace nibble::test
