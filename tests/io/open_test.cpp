#include "io/fixtures.h"

namespace nibble::test {
namespace {

class OpenTest : public ::testing::Test {
 protected:
  std::string error(const std::string& name = "") const {
    return error_of([&] { open_container(name.empty() ? folder_.path() : folder_ / name); });
  }
  void write_gguf(const std::string& name) const {
    write_model(*create_gguf(folder_ / name), model_);
  }

  TemporaryFolder folder_;
  Model model_ = small_model();
};

TEST_F(OpenTest, ContentDecidesNotTheName) {
  write_gguf("model.safetensors");
  expect_same_tensors(*open_container(folder_ / "model.safetensors"), model_);
  expect_same_tensors(*open_container(folder_.path()), model_);
  fs::copy_file(folder_ / "model.safetensors", folder_ / "no_ending");
  expect_same_tensors(*open_container(folder_ / "no_ending"), model_);
}

TEST_F(OpenTest, AFolderWithOneGgufIsThatModel) {
  write_gguf("x.gguf");
  write_file(folder_ / "README.md", "text");
  expect_same_tensors(*open_container(folder_.path()), model_);
}

TEST_F(OpenTest, SeveralModelsInAFolderAreListed) {
  write_gguf("a.gguf");
  write_gguf("b.gguf");
  EXPECT_HAS(error(), "the folder holds several models: \"a.gguf\", \"b.gguf\"");
}

TEST_F(OpenTest, PicklesAreNotReadAndTheErrorSaysWhy) {
  write_file(folder_ / "pytorch_model.bin", "PK\x03\x04 rest of a zip archive");
  EXPECT_HAS(error(), "expected a model in the folder, found \"pytorch_model.bin\"");
  EXPECT_HAS(error(), "pickles can run code when they are opened");
  EXPECT_HAS(error("pytorch_model.bin"), "this is a PyTorch pickle");
}

TEST_F(OpenTest, OtherFilesAreExplained) {
  EXPECT_HAS(error("nothing"), "nothing: cannot open the file");
  EXPECT_HAS(error(), "the folder is empty");
  write_file(folder_ / "empty", "");
  EXPECT_HAS(error("empty"), "expected GGUF, safetensors or an index.json");
  write_file(folder_ / "old", "tjgg\x03\0\0\0");
  EXPECT_HAS(error("old"), "GGML file from before August 2023");
  write_file(folder_ / "lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
  EXPECT_HAS(error("lfs"), "Git LFS pointer");
  write_file(folder_ / "config.json", "{\"model_type\": \"llama\"}");
  EXPECT_HAS(error("config.json"), "expected an object \"weight_map\"");
  EXPECT_HAS(error(),
             "expected a model in the folder, found \"config.json\", \"empty\", \"lfs\", \"old\"");
}

TEST_F(OpenTest, LinksInACircleAndLongNamesAreErrors) {
  fs::create_symlink("b", folder_ / "a");
  fs::create_symlink("a", folder_ / "b");
  EXPECT_HAS(error("a"), "cannot open the file");
  EXPECT_HAS(error(std::string(5000, 'n')), "cannot open the file");
}

TEST_F(OpenTest, ALinkToAnEndlessFileIsRefused) {
  EXPECT_HAS(error_of([] { open_container("/dev/zero"); }), "expected a regular file");
}

}  // namespace
}  // namespace nibble::test
