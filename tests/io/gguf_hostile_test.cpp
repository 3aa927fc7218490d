#include "fuzz/mutate_gguf.h"
#include "io/fixtures.h"

// Files written by hand, byte by byte, each wrong in one place.

namespace nibble::test {
namespace {

constexpr uint32_t kU8 = 0, kU32 = 4, kF32Value = 6, kBool = 7, kString = 8, kArray = 9;
constexpr uint32_t kF32 = 0, kF16 = 1, kQ4_0 = 2, kQ8_0 = 8;

struct RawGguf {
  std::string bytes;

  explicit RawGguf(uint64_t tensors = 0, uint64_t keys = 0, uint32_t version = 3) {
    bytes = "GGUF";
    u32(version).u64(tensors).u64(keys);
  }
  RawGguf& u8(uint8_t v) { return number(v); }
  RawGguf& u32(uint32_t v) { return number(v); }
  RawGguf& u64(uint64_t v) { return number(v); }
  RawGguf& text(const std::string& v) {
    u64(v.size());
    bytes += v;
    return *this;
  }
  RawGguf& tensor(const std::string& name, const std::vector<uint64_t>& ne, uint32_t type,
                  uint64_t offset) {
    text(name).u32(uint32_t(ne.size()));
    for (const uint64_t dimension : ne) u64(dimension);
    return u32(type).u64(offset);
  }
  RawGguf& data(size_t size, size_t alignment = 32) {
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment, '\0');
    bytes.append(size, 'x');
    return *this;
  }
  std::string error() const { return gguf_error(bytes); }

 private:
  template <typename T>
  RawGguf& number(T v) {
    bytes.append(reinterpret_cast<const char*>(&v), sizeof v);
    return *this;
  }
};

RawGguf one_key(const std::string& key) { return std::move(RawGguf(0, 1).text(key)); }
RawGguf one_tensor(const std::string& name, const std::vector<uint64_t>& ne, uint32_t type,
                   uint64_t offset = 0, size_t data = 4096) {
  return std::move(RawGguf(1).tensor(name, ne, type, offset).data(data));
}

TEST(HostileGguf, ValidFilesForComparison) {
  EXPECT_EQ(RawGguf().error(), "no error");
  EXPECT_EQ(one_key("a").u32(kU32).u32(1).error(), "no error");
  EXPECT_EQ(one_tensor("a", {32}, kF32).error(), "no error");
}

TEST(HostileGguf, MagicAndVersion) {
  EXPECT_HAS(gguf_error(""), "m.gguf: byte 0: expected 4 more bytes, but the file ends after 0");
  EXPECT_HAS(gguf_error("GGUX1234"), "byte 0: expected the letters \"GGUF\"");
  EXPECT_HAS(RawGguf(0, 0, 0).error(), "byte 4: expected GGUF version 2 or 3, got 0");
  EXPECT_HAS(RawGguf(0, 0, 1).error(), "got 1 (version 1 is from 2023");
  EXPECT_HAS(RawGguf(0, 0, 4).error(), "got 4");
  EXPECT_HAS(RawGguf(0, 0, 0x03000000).error(), "the file is big-endian");
}

TEST(HostileGguf, CountsAreHeldAgainstTheBytesLeft) {
  for (const uint64_t count :
       {uint64_t(1) << 20, uint64_t(1) << 40, uint64_t(1) << 63, ~uint64_t(0)}) {
    EXPECT_HAS(RawGguf(count).error(), "byte 8: expected at most 0 tensors");
    EXPECT_HAS(RawGguf(0, count).error(), "byte 16: expected at most 0 keys");
    EXPECT_HAS(one_key("a").u32(kString).u64(count).error(),
               "key \"a\": byte 37: expected at most 0 bytes of text");
    EXPECT_HAS(one_key("a").u32(kArray).u32(kU32).u64(count).error(),
               "key \"a\": byte 41: expected at most 0 array elements");
    EXPECT_HAS(one_key("a").u32(kArray).u32(kString).u64(count).u64(0).error(),
               "expected at most 1 array elements");
    EXPECT_HAS(RawGguf(0, 1).u64(count).u64(0).error(), "key 1 of 1: byte 24: expected at most 8");
  }
}

TEST(HostileGguf, Keys) {
  EXPECT_HAS(one_key("").u32(kU32).u32(1).error(), "key 1 of 1: byte 24: the key is empty");
  EXPECT_HAS(one_key(std::string(65536, 'k')).u32(kU32).u32(1).error(),
             "at most 65535 bytes of text");
  EXPECT_HAS(one_key("a\x1b[2J").u32(kU32).u32(1).error(),
             "expected a key of printable ASCII, got \"a\\x1b[2J\"");
  EXPECT_HAS(one_key(std::string("a\0b", 3)).u32(kU32).u32(1).error(), "got \"a\\x00b\"");
  EXPECT_HAS(RawGguf(0, 3)
                 .text("a")
                 .u32(kU8)
                 .u8(1)
                 .text("b")
                 .u32(kU8)
                 .u8(1)
                 .text("a")
                 .u32(kU8)
                 .u8(1)
                 .error(),
             "byte 52: the key \"a\" is there twice");
}

TEST(HostileGguf, Values) {
  EXPECT_HAS(one_key("a").u32(13).u64(0).error(),
             "key \"a\": byte 33: expected a value type below 13, got 13");
  EXPECT_HAS(one_key("a").u32(~0u).u64(0).error(), "got 4294967295");
  EXPECT_HAS(one_key("a").u32(kBool).u8(2).error(), "byte 37: expected a bool of 0 or 1, got 2");
  EXPECT_HAS(one_key("a").u32(kArray).u32(kBool).u64(2).u8(1).u8(255).error(),
             "byte 50: expected a bool of 0 or 1, got 255");
  EXPECT_HAS(one_key("a").u32(kArray).u32(kArray).u64(1).u32(kU32).u64(0).error(),
             "key \"a\": byte 37: arrays of arrays are not read");
  EXPECT_HAS(one_key("a").u32(kArray).u32(13).u64(0).error(), "byte 37: expected a value type");
  EXPECT_HAS(one_key("a").u32(kF32Value).u8(1).error(),
             "key \"a\": byte 37: expected 4 more bytes, but the file ends after 1");
}

TEST(HostileGguf, Alignment) {
  const auto error = [](uint32_t alignment) {
    return one_key("general.alignment").u32(kU32).u32(alignment).error();
  };
  for (const uint32_t bad : {0u, 1u, 4u, 33u, 48u, (1u << 20) + 1, 1u << 21, 1u << 31, ~0u}) {
    EXPECT_HAS(error(bad),
               "key \"general.alignment\": expected a u32, a power of two from 8 to 1048576, got");
  }
  for (const uint32_t good : {8u, 32u, 4096u, 1u << 20}) EXPECT_EQ(error(good), "no error");
  EXPECT_HAS(one_key("general.alignment").u32(kString).text("32").error(), "got string");
}

TEST(HostileGguf, TensorNames) {
  EXPECT_EQ(one_tensor(std::string(63, 'n'), {1}, kF32).error(), "no error");
  EXPECT_HAS(one_tensor(std::string(64, 'n'), {1}, kF32).error(),
             "tensor 1 of 1: byte 24: expected a tensor name of 1 to 63 bytes, got 64 bytes");
  EXPECT_HAS(one_tensor("", {1}, kF32).error(), "1 to 63 bytes, got 0 bytes");
  EXPECT_HAS(one_tensor(std::string("a\0b", 3), {1}, kF32).error(),
             "without control characters, got \"a\\x00b\"");
  EXPECT_HAS(one_tensor("a\u009b2J", {1}, kF32).error(), "without control characters");
  EXPECT_HAS(one_tensor("../a", {1}, kF32).error(), "expected a tensor name without '/'");
  EXPECT_HAS(RawGguf(2).tensor("same", {1}, kF32, 0).tensor("same", {1}, kF32, 32).data(64).error(),
             "the tensor \"same\" is there twice");
}

TEST(HostileGguf, Dimensions) {
  const uint64_t k32 = uint64_t(1) << 32;
  EXPECT_HAS(one_tensor("a", {}, kF32).error(),
             "tensor \"a\": byte 33: expected 1 to 4 dimensions, got 0");
  EXPECT_HAS(one_tensor("a", {1, 1, 1, 1, 1}, kF32).error(), "expected 1 to 4 dimensions, got 5");
  EXPECT_HAS(one_tensor("a", {4, 0}, kF32).error(), "expected dimensions of 1 or more, got 4 x 0");
  EXPECT_HAS(one_tensor("a", {k32, k32}, kF32).error(),
             "tensor \"a\": byte 33: expected at most 2^62 elements, got dimensions 4294967296 x "
             "4294967296");
  EXPECT_HAS(one_tensor("a", {k32, k32}, kQ8_0).error(), "expected at most 2^62 elements");
  EXPECT_HAS(one_tensor("a", {uint64_t(1) << 63, 2}, kF32).error(),
             "expected at most 2^62 elements");
  EXPECT_HAS(one_tensor("a", {k32, k32, k32, k32}, kF32).error(), "expected at most 2^62 elements");
  EXPECT_HAS(one_tensor("a", {~uint64_t(0)}, kF32).error(), "expected at most 2^62 elements");
  EXPECT_HAS(one_tensor("a", {uint64_t(1) << 62}, kF32).error(), "expected at most 2^64 bytes");
  EXPECT_HAS(one_tensor("a", {48}, kQ4_0).error(),
             "rows of a multiple of 32 elements for Q4_0, got 48");
  EXPECT_HAS(one_tensor("a", {16, 2}, kQ4_0).error(),
             "rows of a multiple of 32 elements for Q4_0, got 16");
}

TEST(HostileGguf, ForeignTypesAreNamed) {
  EXPECT_HAS(one_tensor("a", {256}, 139).error(), "tensor \"a\": byte 45: its type 139, ");
  EXPECT_HAS(one_tensor("a", {256}, 139).error(), "IQ4_K");
  EXPECT_HAS(one_tensor("a", {256}, 1000).error(),
             "expected a tensor type that nibble knows, got 1000");
  EXPECT_HAS(one_tensor("a", {256}, ~0u).error(), "got -1");
}

TEST(HostileGguf, TensorsLieInsideTheFile) {
  EXPECT_EQ(one_tensor("a", {1024}, kF32, 0, 4096).error(), "no error");
  EXPECT_HAS(one_tensor("a", {1025}, kF32, 0, 4096).error(),
             "tensor \"a\": its 4100 bytes at offset 0 go past the end of the file, which has 4096 "
             "bytes of data");
  EXPECT_HAS(one_tensor("a", {1024}, kF32, 32, 4096).error(),
             "4096 bytes at offset 32 go past the end");
  EXPECT_HAS(one_tensor("a", {1}, kF32, ~uint64_t(0) - 31).error(), "go past the end");
  EXPECT_HAS(one_tensor("a", {1}, kF32, uint64_t(1) << 63).error(), "go past the end");
  EXPECT_HAS(one_tensor("a", {uint64_t(1) << 61}, kF32, 32).error(), "go past the end");
  EXPECT_HAS(one_tensor("a", {1}, kF32, 16).error(),
             "expected an offset that is a multiple of 32, got 16");
  EXPECT_HAS(RawGguf(1).tensor("a", {1}, kF32, 0).error(),
             "go past the end of the file, which has 0 bytes");
}

TEST(HostileGguf, TensorsDoNotOverlap) {
  const auto two = [](uint64_t first, uint64_t second) {
    return RawGguf(2)
        .tensor("a", {64}, kF16, first)
        .tensor("b", {64}, kF16, second)
        .data(4096)
        .error();
  };
  EXPECT_EQ(two(0, 128), "no error");
  EXPECT_EQ(two(1024, 0), "no error") << "any order, with gaps";
  EXPECT_HAS(two(0, 96),
             "tensor \"b\": its bytes [192, 320) overlap those of tensor \"a\", [96, 224)");
  EXPECT_HAS(two(96, 0), "tensor \"a\": its bytes [192, 320) overlap those of tensor \"b\"");
  EXPECT_HAS(two(0, 0), "overlap");
}

TEST(HostileGguf, GapsAreCounted) {
  const auto unused = [](const RawGguf& file) {
    return open_gguf(as_bytes(file.bytes), "m.gguf")->unused_bytes();
  };
  EXPECT_EQ(unused(one_tensor("a", {1}, kF32, 0, 4)), 0u);
  EXPECT_EQ(unused(one_tensor("a", {1}, kF32, 0, 32)), 0u);
  EXPECT_EQ(unused(one_tensor("a", {1}, kF32, 64, 96)), 64u);
  EXPECT_EQ(unused(one_tensor("a", {1}, kF32, 0, 132)), 100u);
  EXPECT_EQ(unused(RawGguf()), 0u);
}

TEST(HostileGguf, ManyKeysAndTensorsTakeNoQuadraticTime) {
  RawGguf file(200'000, 65'536);
  for (int i = 0; i < 65'536; ++i) file.text(fmt::format("k{}", i)).u32(kU8).u8(0);
  for (uint64_t i = 0; i < 200'000; ++i) file.tensor(fmt::format("t{}", i), {8}, kF32, 32 * i);
  file.data(200'000 * 32);
  const auto reader = open_gguf(as_bytes(file.bytes), "m.gguf");
  EXPECT_EQ(reader->find("t199999"), 199'999);
}

TEST(HostileGguf, TheHeaderHasALimit) {
  RawGguf file(0, 3);
  for (int i = 0; i < 2; ++i) {
    file.text(fmt::format("k{}", i)).u32(kString).text(std::string(48 << 20, 'x'));
  }
  file.text("last").u32(kU8).u8(0);
  EXPECT_HAS(file.error(), "key \"k1\"");
  RawGguf long_text(0, 1);
  long_text.text("k").u32(kString).text(std::string((64 << 20) + 1, 'x'));
  EXPECT_HAS(long_text.error(), "expected at most 67108864 bytes of text");
}

// ---- every way to be cut short, every flipped bit ----

TEST(HostileGguf, EveryTruncationIsAnError) {
  const std::string file = fuzz::gguf_seed();
  for (size_t size = 0; size < file.size(); ++size) {
    ASSERT_NE(gguf_error(std::string_view(file).substr(0, size)), "no error") << size;
  }
}

TEST(HostileGguf, EveryFlippedBitIsAnErrorOrASoundFile) {
  std::string file = fuzz::gguf_seed();
  const auto parsed = parse_gguf(as_bytes(file), file.size());
  for (size_t bit = 0; bit < 8 * parsed.offsets[0]; ++bit) {
    file[bit / 8] = char(file[bit / 8] ^ (1 << bit % 8));
    try {
      const auto reader = open_gguf(as_bytes(file), "m.gguf");
      for (size_t i = 0; i < reader->tensors().size(); ++i) {
        const Bytes bytes = reader->bytes(i);
        ASSERT_GE(bytes.data(), as_bytes(file).data());
        ASSERT_LE(bytes.data() + bytes.size(), as_bytes(file).data() + file.size());
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      EXPECT_FALSE(error.hint_text().empty()) << error.message();
    }
    file[bit / 8] = char(file[bit / 8] ^ (1 << bit % 8));
  }
}

}  // namespace
}  // namespace nibble::test
