#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "cli.h"
#include "io/container.h"
#include "model/checkpoint.h"

// Ctrl-C at any time.

namespace nibble::test {
namespace {

// The program running beside the test, its output thrown away, its input never ending.
class Running {
 public:
  explicit Running(std::vector<std::string> words) {
    words.insert(words.begin(), nibble_program().string());
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (::pipe(input_) != 0) throw std::runtime_error("pipe failed");
    child_ = ::fork();
    if (child_ < 0) throw std::runtime_error("fork failed");
    if (child_ > 0) return;
    ::dup2(input_[0], 0);
    ::close(input_[1]);
    if (std::freopen("/dev/null", "w", stdout) == nullptr) ::_exit(126);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(126);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ~Running() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    ::close(input_[0]);
    ::close(input_[1]);
  }

  // Does nothing once the program has ended: kill(-1) would reach every process there is.
  void interrupt() const {
    if (child_ > 0) ::kill(child_, SIGINT);
  }
  bool ended() {
    int status = 0;
    if (child_ > 0 && ::waitpid(child_, &status, WNOHANG) == child_) finish(status);
    return child_ < 0;
  }
  int exit_code() {
    int status = 0;
    if (child_ > 0 && ::waitpid(child_, &status, 0) == child_) finish(status);
    return exit_code_;
  }

 private:
  void finish(int status) {
    child_ = -1;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  int input_[2];
  pid_t child_ = -1;
  int exit_code_ = -1;
};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

// The shipped model made wider in its feed-forward layers, zeros all, so that quantizing takes long
// enough to be interrupted: 300 MB of F32.
void write_wide_model(const fs::path& path) {
  const auto shipped = Checkpoint::open(shipped_model());
  constexpr uint64_t kFfn = 16384;
  Metadata metadata = shipped->gguf_metadata();
  metadata.set("llama.feed_forward_length", uint32_t(kFfn));
  std::vector<TensorInfo> tensors;
  for (const auto& tensor : shipped->tensors()) {
    TensorInfo info{tensor.name, tensor.info.shape, &formats::f32};
    if (tensor.row->rows == Dim::kFfn) info.shape[0] = kFfn;
    if (tensor.row->cols == Dim::kFfn) info.shape.back() = kFfn;
    tensors.push_back(std::move(info));
  }
  const std::vector<std::byte> zeros(1 << 20);
  const auto writer = create_gguf(path);
  writer->begin(metadata, tensors);
  for (const auto& info : tensors) {
    for (uint64_t left = info.bytes(); left > 0;) {
      const size_t n = std::min<uint64_t>(left, zeros.size());
      writer->append(std::span(zeros).first(n));
      left -= n;
    }
  }
  writer->finish();
}

TEST(Interrupt, WhileWaitingForAPromptEndsWith75) {
  Running run({"run", shipped_model()});
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  ASSERT_FALSE(run.ended()) << run.exit_code();
  run.interrupt();
  EXPECT_EQ(run.exit_code(), 75);
}

TEST(Interrupt, WhileQuantizingLeavesTheOldOutputAndNothingElse) {
  const TemporaryFolder folder;
  write_wide_model(folder / "wide.gguf");
  fs::create_directory(folder / "out");
  write_text_file(folder / "out/x.gguf", "old");
  Running run({"quantize", folder / "wide.gguf", "-o", folder / "out/x.gguf", "--type", "q5_1",
               "-f", "-j", "1"});
  while (!run.ended() && names_in(folder / "out").size() < 2) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (run.ended()) GTEST_SKIP() << "quantizing was over before it could be interrupted";
  run.interrupt();
  const int code = run.exit_code();
  EXPECT_EQ(names_in(folder / "out"), std::vector<std::string>{"x.gguf"});
  if (code == 0) GTEST_SKIP() << "quantizing was over before it could be interrupted";
  EXPECT_EQ(code, 75);
  EXPECT_EQ(read_text_file(folder / "out/x.gguf"), "old");
}

}  // namespace
}  // namespace nibble::test
