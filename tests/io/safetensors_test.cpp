#include "io/safetensors.h"

#include <nlohmann/json.hpp>

#include "io/fixtures.h"

namespace nibble::test {
namespace {

Model plain_model() {
  Model model;
  model.metadata.set("format", std::string("pt"));
  model.add("embed", {10, 32}, formats::bf16);
  model.add("scalar", {}, formats::f32);
  model.add("empty", {3, 0}, formats::f16);
  model.add("codes", {3, 5}, formats::u8);
  model.add("norm", {7}, formats::f32);
  model.add("layers.0.w", {4, 4}, formats::bf16);
  return model;
}

TEST(Safetensors, KeepsEveryDtype) {
  TemporaryFolder folder;
  Model model;
  size_t count = 0;
  for (const char* dtype :
       {"BOOL",    "F4",          "F6_E2M3",     "F6_E3M2", "U8",  "I8",  "F8_E5M2", "F8_E4M3",
        "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I16",     "U16", "F16", "BF16",    "I32",
        "U32",     "F32",         "C64",         "F64",     "I64", "U64"}) {
    const Format* format = find_safetensors_format(dtype);
    ASSERT_NE(format, nullptr) << dtype;
    // Rows of 3: dtypes below a byte need whole bytes in all, not in each row.
    model.add(dtype, {4, 3}, *format);
    ++count;
  }
  EXPECT_EQ(count, 22u);
  write_model(*create_safetensors(folder.path()), model, 5);
  const auto reader = open_container(folder.path());
  EXPECT_EQ(reader->container(), "safetensors");
  expect_same_tensors(*reader, model);
}

TEST(Safetensors, ScalarsAndEmptyTensorsAreLegal) {
  TemporaryFolder folder;
  write_model(*create_safetensors(folder.path()), plain_model());
  const auto reader = open_container(folder / "model.safetensors");
  expect_same_tensors(*reader, plain_model());
  const auto& scalar = reader->tensors()[size_t(reader->find("scalar"))];
  EXPECT_EQ(scalar.elements(), 1u);
  EXPECT_EQ(scalar.row_size(), 1u);
  EXPECT_EQ(scalar.rows(), 1u);
  const auto& empty = reader->tensors()[size_t(reader->find("empty"))];
  EXPECT_EQ(empty.bytes(), 0u);
  EXPECT_EQ(empty.rows(), 0u);
}

TEST(Safetensors, TensorsLieAtTheirNaturalAlignment) {
  TemporaryFolder folder;
  write_model(*create_safetensors(folder.path()), plain_model(), 3);
  const std::string file = read_file(folder / "model.safetensors");
  uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof header);
  EXPECT_EQ(header % 8, 0u);
  const auto parsed = parse_safetensors(as_bytes(file), file.size());
  for (size_t i = 0; i < parsed.tensors.size(); ++i) {
    EXPECT_EQ(parsed.offsets[i] % parsed.tensors[i].format->block_bytes, 0u);
  }
}

TEST(Safetensors, MetadataKeepsStringsAndAlwaysSaysPt) {
  TemporaryFolder folder;
  Model model = plain_model();
  model.metadata = {};
  model.metadata.set("note", std::string("quote \" and ä"));
  model.metadata.set("number", uint32_t(3));
  write_model(*create_safetensors(folder.path()), model);
  const auto reader = open_container(folder.path());
  EXPECT_EQ(reader->metadata().get_string("format"), "pt");
  EXPECT_EQ(reader->metadata().get_string("note"), "quote \" and ä");
  EXPECT_FALSE(reader->metadata().contains("number"));
}

TEST(Safetensors, ReadsTheShippedModel) {
  if (!fs::exists(shipped_model())) GTEST_SKIP() << "the shipped model is not there";
  const auto reader = open_container(shipped_model());
  EXPECT_GT(reader->tensors().size(), 50u);
  EXPECT_GT(reader->total_bytes(), 11'000'000u);
}

TEST(Safetensors, RefusesToWriteWhatItWouldRefuseToRead) {
  TemporaryFolder folder;
  const auto error = [&](std::vector<TensorInfo> tensors) {
    return error_of([&] { create_safetensors(folder.path())->begin({}, tensors); });
  };
  const TensorInfo f32{"a", {1}, &formats::f32};
  EXPECT_HAS(error({f32, f32}), "the tensor \"a\" is there twice");
  EXPECT_HAS(error({{"a", {32}, &formats::q4_0}}), "safetensors has no dtype for Q4_0");
  EXPECT_HAS(error({{"a", {3}, &formats::f4}}), "multiple of 2 elements for F4, got 3");
  EXPECT_HAS(error({{"\xff", {1}, &formats::f32}}), "expected UTF-8, got \"\\xff\"");
  EXPECT_HAS(error({{"", {1}, &formats::f32}}), "tensor name of 1 to 4096 bytes");
  EXPECT_HAS(error({{"__metadata__", {1}, &formats::f32}}), "it is there twice");
  EXPECT_EQ(error({f32}), "no error");
  EXPECT_TRUE(files_in(folder.path()).empty());
}

// ---- shards ----

class ShardTest : public ::testing::Test {
 protected:
  ShardTest() {
    for (int i = 0; i < 5; ++i) model_.add(fmt::format("t{}", i), {100}, formats::f32);
    model_.metadata.set("format", std::string("pt"));
    write_model(*create_safetensors(folder_.path(), {900}), model_, 64);
  }
  fs::path index() const { return folder_ / std::string(kSafetensorsIndex); }
  nlohmann::json read_index() const { return nlohmann::json::parse(read_file(index())); }
  std::string error_with(const nlohmann::json& json) const {
    write_file(index(), json.dump());
    return error_of([&] { open_container(folder_.path()); });
  }
  std::string error_with_name(const std::string& name) const {
    auto json = read_index();
    json["weight_map"]["t0"] = name;
    return error_with(json);
  }

  TemporaryFolder folder_;
  Model model_;
};

TEST_F(ShardTest, WritesShardsAndAnIndexThatReadBack) {
  EXPECT_EQ(files_in(folder_.path()),
            (std::vector<std::string>{
                "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
                "model-00003-of-00003.safetensors", "model.safetensors.index.json"}));
  const auto json = read_index();
  EXPECT_EQ(json["metadata"]["total_size"], 2000);
  EXPECT_EQ(json["weight_map"]["t4"], "model-00003-of-00003.safetensors");
  for (const auto& path : {folder_.path(), index()}) {
    const auto reader = open_container(path);
    expect_same_tensors(*reader, model_);
    EXPECT_EQ(reader->total_bytes(), 2000u);
    EXPECT_EQ(reader->metadata().get_string("format"), "pt");
  }
}

TEST_F(ShardTest, TheIndexMayNameOnlyFilesBesideIt) {
  for (const char* name : {"../../etc/passwd", "/etc/passwd", "..", ".", "", "a/b.safetensors",
                           "..\\x", "./model-00001-of-00003.safetensors"}) {
    EXPECT_HAS(error_with_name(name), "expected the name of a file beside the index") << name;
  }
  EXPECT_HAS(error_with_name(std::string("a\0b", 3)), "got \"a\\x00b\"");
  EXPECT_HAS(error_with_name("pytorch_model.bin"), "is a pickle");
  EXPECT_HAS(error_with_name("nothing.safetensors"), "which cannot be found");
  EXPECT_HAS(error_with_name(std::string(5000, 'n')), "which cannot be found: File name too long");
  EXPECT_HAS(error_with_name("\x1b[2J"), "got \"\\x1b[2J\"");
}

TEST_F(ShardTest, ALinkOutOfTheFolderIsRefused) {
  TemporaryFolder elsewhere;
  const std::string name = "model-00001-of-00003.safetensors";
  fs::rename(folder_ / name, elsewhere / name);
  fs::create_symlink(elsewhere / name, folder_ / name);
  EXPECT_HAS(error_of([&] { open_container(folder_.path()); }), "outside the folder of the model");
  fs::rename(elsewhere / name, folder_ / "inside");
  fs::remove(folder_ / name);
  fs::create_symlink("inside", folder_ / name);
  expect_same_tensors(*open_container(folder_.path()), model_);
}

TEST_F(ShardTest, LinksOfAHuggingFaceCacheAreFollowed) {
  TemporaryFolder cache;
  const fs::path snapshot = cache / "snapshots/abc";
  fs::create_directories(snapshot);
  fs::create_directories(cache / "blobs");
  for (const auto& name : files_in(folder_.path())) {
    fs::copy_file(folder_ / name, cache / ("blobs/" + name));
    fs::create_symlink("../../blobs/" + name, snapshot / name);
  }
  expect_same_tensors(*open_container(snapshot), model_);
}

TEST_F(ShardTest, IndexAndShardsMustAgree) {
  auto json = read_index();
  json["weight_map"]["t9"] = "model-00003-of-00003.safetensors";
  EXPECT_HAS(error_with(json), "the index places tensor \"t9\" here, which is not there");
  json["weight_map"].erase("t9");
  json["weight_map"].erase("t3");
  EXPECT_HAS(error_with(json), "the index does not place tensor \"t3\" here");
  json["weight_map"]["t3"] = "model-00001-of-00003.safetensors";
  EXPECT_HAS(error_with(json), "the index places tensor \"t3\" here, which is not there");
}

TEST_F(ShardTest, HostileIndexesAreRefused) {
  const auto error = [&](std::string_view text) {
    write_file(index(), text);
    return error_of([&] { open_container(index()); });
  };
  EXPECT_HAS(error("{"), "not valid JSON");
  EXPECT_HAS(error("{}"), "expected an object \"weight_map\"");
  EXPECT_HAS(error(R"({"weight_map": {}})"), "names no file");
  EXPECT_HAS(error(R"({"weight_map": []})"), "expected an object");
  EXPECT_HAS(error(R"({"weight_map": {"a": 1}})"), "names of files as strings");
  const std::string shard = "model-00001-of-00003.safetensors";
  EXPECT_HAS(error(fmt::format(R"({{"weight_map": {{"t0": "{0}", "t0": "{0}"}}}})", shard)),
             "\"t0\" is there twice");
  EXPECT_HAS(error(std::string(1000, '[')), "expected GGUF, safetensors or an index.json");
  EXPECT_HAS(error("{\"a\":" + std::string(1000, '[')), "not valid JSON");
}

TEST_F(ShardTest, AModelInAnotherLayoutIsNotWrittenBeside) {
  EXPECT_HAS(error_of([&] { create_safetensors(folder_.path())->begin({}, model_.tensors); }),
             "the folder holds a model in shards, this one comes in one file");
  TemporaryFolder single;
  write_model(*create_safetensors(single.path()), model_);
  EXPECT_HAS(error_of([&] { create_safetensors(single.path(), {900})->begin({}, model_.tensors); }),
             "the folder holds a model in one file, this one comes in shards");
}

}  // namespace
}  // namespace nibble::test
