// What happens when the machine fails under us: a full disk, a file that shrinks while it is read.
// Each case runs in a child process, for it changes limits and ends by _exit.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <iterator>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "support/support.h"

namespace nibble {
namespace {

using test::TemporaryFolder;

// Files may not grow past `bytes` in this process: the same path through the code as a full disk.
void limit_file_size(uint64_t bytes) {
  install_file_fault_handler();
  const rlimit limit = {bytes, bytes};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

// The exit code a command would end with.
template <typename Action>
[[noreturn]] void exit_with_kind_of(Action action) {
  int code = 0;
  try {
    action();
  } catch (const Error& error) {
    code = int(error.kind());
    if (error.hint_text().find("intact") == std::string::npos) code = 99;
  }
  ::_exit(code);
}

class FullDisk : public testing::Test {
 protected:
  FullDisk() { write_text_file(folder_ / "out", "old"); }
  void expect_the_old_file_and_nothing_else() {
    EXPECT_EQ(read_text_file(folder_ / "out"), "old");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1);
  }
  TemporaryFolder folder_;
};

constexpr auto kFull = int(ErrorKind::kResources);

TEST_F(FullDisk, IsAnErrorWhenSpaceIsReserved) {
  EXPECT_EXIT(exit_with_kind_of([&] {
                limit_file_size(1 << 16);
                AtomicFile file(folder_ / "out", 1 << 20);
              }),
              testing::ExitedWithCode(kFull), "");
  expect_the_old_file_and_nothing_else();
}

TEST_F(FullDisk, IsAnErrorInTheMiddleOfWriting) {
  EXPECT_EXIT(exit_with_kind_of([&] {
                limit_file_size(1 << 16);
                AtomicFile file(folder_ / "out");
                const std::string piece(10000, 'x');
                for (int i = 0; i < 100; ++i) file.write(piece);
                file.commit();
              }),
              testing::ExitedWithCode(kFull), "");
  expect_the_old_file_and_nothing_else();
}

TEST(ShrunkFile, EndsTheProgramWithAMessageAndNoLeftovers) {
  const TemporaryFolder folder;
  write_text_file(folder / "model", std::string(1 << 16, 'x'));
  const auto read_while_it_shrinks = [&] {
    install_file_fault_handler();
    const AtomicFile unfinished(folder / "out");
    const MappedFile file(folder / "model");
    if (::truncate((folder / "model").c_str(), 0) != 0) ::_exit(98);
    const volatile std::byte* bytes = file.bytes().data();
    ::_exit(std::to_integer<int>(bytes[40000]));
  };
  EXPECT_EXIT(read_while_it_shrinks(), testing::ExitedWithCode(int(ErrorKind::kBadInput)),
              "error: .*model: the file shrank");
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(ShrunkFile, ABusErrorElsewhereIsNotExplainedAway) {
  EXPECT_EXIT(
      {
        install_file_fault_handler();
        ::raise(SIGBUS);
      },
      testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace nibble
