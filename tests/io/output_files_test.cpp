#include "io/output_files.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "io/fixtures.h"

// What stays on disk when writing fails: never half a model under a name a reader would open.

namespace nibble::test {
namespace {

Model model_of_bytes(uint64_t tensors, uint64_t bytes_each) {
  Model model;
  for (uint64_t i = 0; i < tensors; ++i) {
    model.add(fmt::format("t{}", i), {bytes_each / 64, 64}, formats::i8);
  }
  return model;
}

// Runs `body` in a child that may write files of at most `bytes` each; true when it throws
// Error(kResources).
bool runs_out_of_space(uint64_t bytes, const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int code = 0;
    try {
      body();
    } catch (const Error& error) {
      code = error.kind() == ErrorKind::kResources ? 42 : 43;
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

TEST(OutputFiles, AFullDiskIsKnownAtTheStartAndLeavesTheOldModel) {
  TemporaryFolder folder;
  write_model(*create_gguf(folder / "m.gguf"), small_model());
  write_model(*create_safetensors(folder.path()), model_of_bytes(1, 640));
  const std::string old_gguf = read_file(folder / "m.gguf");
  const std::string old_safetensors = read_file(folder / "model.safetensors");
  const auto names = files_in(folder.path());
  const Model large = model_of_bytes(4, 1 << 20);
  EXPECT_TRUE(runs_out_of_space(
      1 << 20, [&] { create_gguf(folder / "m.gguf")->begin(large.metadata, large.tensors); }));
  EXPECT_TRUE(runs_out_of_space(
      1 << 20, [&] { create_safetensors(folder.path())->begin(large.metadata, large.tensors); }));
  EXPECT_EQ(files_in(folder.path()), names);
  EXPECT_EQ(read_file(folder / "m.gguf"), old_gguf);
  EXPECT_EQ(read_file(folder / "model.safetensors"), old_safetensors);
}

TEST(OutputFiles, AWriterThatIsDroppedLeavesNothing) {
  TemporaryFolder folder;
  const Model model = model_of_bytes(4, 4096);
  {
    const auto one = create_gguf(folder / "m.gguf");
    const auto many = create_gguf(folder / "s.gguf", {6000});
    const auto shards = create_safetensors(folder.path(), {5000});
    for (Writer* writer : {one.get(), many.get(), shards.get()}) {
      writer->begin(model.metadata, model.tensors);
      writer->append(model.data[0]);
    }
    EXPECT_GT(files_in(folder.path()).size(), 8u) << "temporary files exist while writing";
  }
  EXPECT_TRUE(files_in(folder.path()).empty());
}

TEST(OutputFiles, NothingAppearsBeforeFinish) {
  TemporaryFolder folder;
  const Model model = model_of_bytes(2, 4096);
  const auto writer = create_gguf(folder / "m.gguf");
  writer->begin(model.metadata, model.tensors);
  for (const auto& data : model.data) writer->append(data);
  EXPECT_FALSE(fs::exists(folder / "m.gguf"));
  writer->finish();
  expect_same_tensors(*open_container(folder / "m.gguf"), model);
}

TEST(OutputFiles, AFailureBetweenTheFilesOfASplitLeavesNoMixedModel) {
  TemporaryFolder folder;
  const Model old_model = model_of_bytes(3, 4096);
  write_model(*create_gguf(folder / "m.gguf", {1}), old_model);
  const auto writer = create_gguf(folder / "m.gguf", {1});
  Model model = model_of_bytes(3, 4096);
  writer->begin(model.metadata, model.tensors);
  for (const auto& data : model.data) writer->append(data);
  // A folder under the name of the second file makes its rename fail.
  const fs::path second = gguf_split_path(folder / "m", 2, 3);
  fs::remove(second);
  fs::create_directory(second);
  EXPECT_HAS(error_of([&] { writer->finish(); }), second.string());
  EXPECT_FALSE(fs::exists(gguf_split_path(folder / "m", 1, 3)));
  EXPECT_HAS(error_of([&] { open_container(gguf_split_path(folder / "m", 3, 3)); }),
             "file 1 of 3 of the model is missing");
}

TEST(OutputFiles, TheIndexOfShardsIsWrittenLast) {
  TemporaryFolder folder;
  const Model model = model_of_bytes(3, 4096);
  write_model(*create_safetensors(folder.path(), {4096}), model);
  const auto writer = create_safetensors(folder.path(), {4096});
  writer->begin(model.metadata, model.tensors);
  for (const auto& data : model.data) writer->append(data);
  const fs::path second = folder / "model-00002-of-00003.safetensors";
  fs::remove(second);
  fs::create_directory(second);
  EXPECT_HAS(error_of([&] { writer->finish(); }), second.string());
  EXPECT_FALSE(fs::exists(folder / std::string(kSafetensorsIndex)));
}

TEST(OutputFiles, TooManyFilesAreRefusedBeforeAnyIsCreated) {
  TemporaryFolder folder;
  const Model model = model_of_bytes(600, 64);
  EXPECT_HAS(error_of([&] { create_gguf(folder / "m.gguf", {1})->begin({}, model.tensors); }),
             "expected at most 512");
  EXPECT_HAS(error_of([&] { create_safetensors(folder.path(), {1})->begin({}, model.tensors); }),
             "expected at most 512 files, got 601");
  EXPECT_TRUE(files_in(folder.path()).empty());
}

}  // namespace
}  // namespace nibble::test
