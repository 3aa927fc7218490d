#include "io/gguf.h"

#include "io/fixtures.h"

namespace nibble::test {
namespace {

Model of_reader(const Reader& reader) {
  Model model;
  model.metadata = reader.metadata();
  model.tensors.assign(reader.tensors().begin(), reader.tensors().end());
  for (size_t i = 0; i < model.tensors.size(); ++i) model.data.push_back(bytes_of(reader, i));
  return model;
}

TEST(Gguf, KeepsEveryMetadataTypeAndItsOrder) {
  TemporaryFolder folder;
  Model model;
  model.metadata = every_metadata_type();
  write_model(*create_gguf(folder / "m.gguf"), model);
  const auto reader = open_container(folder / "m.gguf");
  EXPECT_EQ(reader->metadata().entries(), model.metadata.entries());
}

TEST(Gguf, KeepsTensorsOfEveryFormatItHasATypeFor) {
  TemporaryFolder folder;
  Model model;
  for (const Format* format : all_formats()) {
    if (format->gguf_id < 0) continue;
    model.add(std::string(format->name), {3, format->block_size * uint64_t(2)}, *format);
  }
  EXPECT_GE(model.tensors.size(), 13u);
  write_model(*create_gguf(folder / "m.gguf"), model, 7);
  const auto reader = open_container(folder / "m.gguf");
  EXPECT_EQ(reader->container(), "GGUF");
  EXPECT_EQ(reader->path(), folder / "m.gguf");
  expect_same_tensors(*reader, model);
  EXPECT_EQ(reader->unused_bytes(), 0u);
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    EXPECT_EQ(reader->tensors()[i].name, model.tensors[i].name) << "tensors keep their order";
  }
}

TEST(Gguf, RewritingAFileGivesTheSameBytes) {
  TemporaryFolder folder;
  for (const uint32_t alignment : {0u, 8u, 32u, 64u, 4096u}) {
    Model model = small_model();
    model.metadata = every_metadata_type();
    if (alignment != 0) model.metadata.set("general.alignment", alignment);
    write_model(*create_gguf(folder / "a.gguf"), model);
    write_model(*create_gguf(folder / "b.gguf"), of_reader(*open_gguf(folder / "a.gguf")));
    EXPECT_EQ(read_file(folder / "a.gguf"), read_file(folder / "b.gguf")) << alignment;
  }
}

TEST(Gguf, AlignsEveryTensorAndPadsTheLast) {
  TemporaryFolder folder;
  Model model = small_model();
  model.metadata.set("general.alignment", uint32_t(256));
  write_model(*create_gguf(folder / "m.gguf"), model);
  const std::string file = read_file(folder / "m.gguf");
  EXPECT_EQ(file.size() % 256, 0u);
  const auto parsed = parse_gguf(as_bytes(file), file.size());
  for (const uint64_t offset : parsed.offsets) EXPECT_EQ(offset % 256, 0u);
}

TEST(Gguf, RewritingPublishedVocabulariesGivesTheSameBytes) {
  size_t found = 0;
  for (const char* name : {"gpt-2", "llama-spm", "starcoder", "deepseek-llm"}) {
    const auto path = test_data(fmt::format("vocabs/ggml-vocab-{}.gguf", name));
    if (!path) continue;
    ++found;
    TemporaryFolder folder;
    write_model(*create_gguf(folder / "m.gguf"), of_reader(*open_container(*path)));
    std::string original = read_file(*path);
    ASSERT_TRUE(original[4] == 2 || original[4] == 3);
    original[4] = 3;  // version 2 is written as 3, which has the same layout
    EXPECT_EQ(read_file(folder / "m.gguf"), original) << name;
  }
  if (found == 0) GTEST_SKIP() << "no vocabularies under NIBBLE_TEST_DATA";
}

TEST(Gguf, ReadsVersion2AsVersion3) {
  TemporaryFolder folder;
  const Model model = small_model();
  write_model(*create_gguf(folder / "m.gguf"), model);
  std::string file = read_file(folder / "m.gguf");
  file[4] = 2;
  expect_same_tensors(*open_gguf(as_bytes(file), "m.gguf"), model);
}

TEST(Gguf, FindsTensorsByName) {
  TemporaryFolder folder;
  write_model(*create_gguf(folder / "m.gguf"), small_model());
  const auto reader = open_gguf(folder / "m.gguf");
  for (size_t i = 0; i < reader->tensors().size(); ++i) {
    EXPECT_EQ(reader->find(reader->tensors()[i].name), ptrdiff_t(i));
    reader->will_need(i);
    reader->done_with(i);
  }
  EXPECT_EQ(reader->find(""), -1);
  EXPECT_EQ(reader->find("output.weigh"), -1);
  EXPECT_EQ(reader->find("zzz"), -1);
}

TEST(Gguf, ShapesAreReversedInTheFile) {
  TemporaryFolder folder;
  Model model;
  model.add("w", {3, 64}, formats::f32);
  write_model(*create_gguf(folder / "m.gguf"), model);
  const std::string file = read_file(folder / "m.gguf");
  uint64_t contiguous = 0;
  std::memcpy(&contiguous, file.data() + 4 + 4 + 8 + 8 + 8 + 1 + 4, sizeof contiguous);
  EXPECT_EQ(contiguous, 64u);
  EXPECT_EQ(open_gguf(folder / "m.gguf")->tensors()[0].rows(), 3u);
}

TEST(Gguf, RefusesToWriteWhatItWouldRefuseToRead) {
  TemporaryFolder folder;
  const auto error = [&](const std::string& name, std::vector<uint64_t> shape,
                         const Format& format) {
    Model model;
    model.tensors.push_back({name, std::move(shape), &format});
    return error_of([&] { create_gguf(folder / "m.gguf")->begin(model.metadata, model.tensors); });
  };
  EXPECT_HAS(error(std::string(64, 'x'), {1}, formats::f32), "1 to 63 bytes, got 64");
  EXPECT_HAS(error("a\nb", {1}, formats::f32), "without control characters, got \"a\\x0ab\"");
  EXPECT_HAS(error("a", {1, 1, 1, 1, 1}, formats::f32), "expected 1 to 4 dimensions, got 5");
  EXPECT_HAS(error("a", {}, formats::f32), "expected 1 to 4 dimensions, got 0");
  EXPECT_HAS(error("a", {0, 3}, formats::f32), "dimensions of 1 or more");
  EXPECT_HAS(error("a", {2, 48}, formats::q4_0), "rows of a multiple of 32");
  EXPECT_HAS(error("a", {1}, formats::f8_e4m3), "GGUF has no type for");
  EXPECT_EQ(error("a", {1}, formats::f32), "no error");
  EXPECT_TRUE(files_in(folder.path()).empty());
}

// ---- splits ----

class GgufSplitTest : public ::testing::Test {
 protected:
  void write_split(uint64_t max_bytes) {
    for (int i = 0; i < 7; ++i) model_.add(fmt::format("t{}", i), {4, 64}, formats::f32);
    model_.metadata = every_metadata_type();
    write_model(*create_gguf(folder_ / "m.gguf", {max_bytes}), model_, 100);
  }
  fs::path part(int number, int count) const {
    return gguf_split_path(folder_ / "m", uint64_t(number), uint64_t(count));
  }

  TemporaryFolder folder_;
  Model model_;
};

TEST_F(GgufSplitTest, AnyFileOpensTheWholeModelInOrder) {
  write_split(4096);
  const auto names = files_in(folder_.path());
  ASSERT_EQ(names.size(), 3u);
  for (const auto& name : names) {
    EXPECT_LE(fs::file_size(folder_ / name), 4096u);
    const auto reader = open_container(folder_ / name);
    expect_same_tensors(*reader, model_);
    for (size_t i = 0; i < model_.tensors.size(); ++i) {
      EXPECT_EQ(reader->tensors()[i].name, model_.tensors[i].name);
    }
    EXPECT_EQ(reader->metadata().entries(), model_.metadata.entries());
  }
  expect_same_tensors(*open_container(folder_.path()), model_);
}

TEST_F(GgufSplitTest, ATensorLargerThanTheLimitHasItsOwnFile) {
  write_split(1);
  EXPECT_EQ(files_in(folder_.path()).size(), 7u);
  expect_same_tensors(*open_container(part(1, 7)), model_);
}

TEST_F(GgufSplitTest, AModelBelowTheLimitIsOneFile) {
  write_split(1 << 20);
  EXPECT_EQ(files_in(folder_.path()), std::vector<std::string>{"m.gguf"});
  EXPECT_FALSE(open_gguf(folder_ / "m.gguf")->metadata().contains("split.count"));
}

TEST_F(GgufSplitTest, AMissingFileIsNamed) {
  write_split(4096);
  fs::remove(part(2, 3));
  const auto error = error_of([&] { open_gguf(part(1, 3)); });
  EXPECT_HAS(error, part(2, 3).string());
  EXPECT_HAS(error, "file 2 of 3 of the model is missing");
}

TEST_F(GgufSplitTest, ARenamedFileIsExplained) {
  write_split(4096);
  fs::rename(part(1, 3), folder_ / "model.gguf");
  const auto error = error_of([&] { open_gguf(folder_ / "model.gguf"); });
  EXPECT_HAS(error, "this is file 1 of 3 of a model, expected a name that ends in");
  EXPECT_HAS(error, "-00001-of-00003.gguf");
}

TEST_F(GgufSplitTest, FilesOfDifferentModelsAreNotMixed) {
  write_split(4096);
  Model other;
  for (int i = 0; i < 3; ++i) other.add(fmt::format("x{}", i), {4, 64}, formats::f32);
  write_model(*create_gguf(folder_ / "other.gguf", {1}), other);
  fs::copy_file(gguf_split_path(folder_ / "other", 2, 3), part(2, 3),
                fs::copy_options::overwrite_existing);
  EXPECT_HAS(error_of([&] { open_gguf(part(1, 3)); }),
             "expected file 2 of 3 of a model with 7 tensors, got file 2 of 3 of one with 3");
  write_model(*create_gguf(part(2, 3)), small_model());
  EXPECT_HAS(error_of([&] { open_gguf(part(1, 3)); }), "got a model in one file");
}

TEST_F(GgufSplitTest, ATensorInTwoFilesIsRefused) {
  const auto write_part = [&](uint64_t index) {
    Model model;
    set_split_keys(model.metadata, {index, 2, 2});
    model.add("same", {1}, formats::f32);
    write_model(*create_gguf(part(int(index) + 1, 2)), model);
  };
  write_part(0);
  write_part(1);
  EXPECT_HAS(error_of([&] { open_gguf(part(1, 2)); }), "another file of the model has a tensor");
}

TEST_F(GgufSplitTest, HostileSplitKeysAreRefused) {
  const auto error = [&](MetadataValue index, MetadataValue count, MetadataValue tensors) {
    Model model;
    model.metadata.set("split.no", std::move(index));
    model.metadata.set("split.count", std::move(count));
    model.metadata.set("split.tensors.count", std::move(tensors));
    const fs::path path = gguf_split_path(folder_ / "h", 1, 2);
    write_model(*create_gguf(path), model);
    return error_of([&] { open_gguf(path); });
  };
  const auto u16 = [](int v) { return MetadataValue(uint16_t(v)); };
  EXPECT_HAS(error(u16(0), u16(0), int32_t(0)), "\"split.count\": expected 1 to 9999, got 0");
  EXPECT_HAS(error(u16(0), u16(65535), int32_t(0)), "expected 1 to 9999, got 65535");
  EXPECT_HAS(error(u16(0), int32_t(-1), int32_t(0)), "expected 1 to 9999, got -1");
  EXPECT_HAS(error(u16(2), u16(2), int32_t(0)), "\"split.no\": expected 0 to 1, got 2");
  EXPECT_HAS(error(u16(0), u16(2), int32_t(-1)),
             "\"split.tensors.count\": expected a count, got -1");
  EXPECT_HAS(error(u16(0), std::string("../x"), int32_t(0)), "expected an integer, got string");
  EXPECT_HAS(error(~uint64_t(0), u16(2), int32_t(0)), "below 2^63");
  EXPECT_HAS(error(u16(0), u16(2), int32_t(0)), "file 2 of 2 of the model is missing");
}

}  // namespace
}  // namespace nibble::test
