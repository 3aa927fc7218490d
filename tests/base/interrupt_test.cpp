#include "base/interrupt.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "base/error.h"
#include "base/file.h"
#include "support/support.h"

namespace nibble {
namespace {

[[noreturn]] void work_until_stopped(const fs::path& out, int signals) {
  install_interrupt_handler();
  int code = 0;
  try {
    AtomicFile file(out);
    check_interrupt();
    for (int i = 0; i < signals; ++i) std::raise(SIGINT);
    file.write("half");
    check_interrupt();
    file.commit();
  } catch (const Error& error) {
    code = int(error.kind());
  }
  ::_exit(code);
}

class Interrupt : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
};

TEST_F(Interrupt, WithoutASignalWorkIsFinished) {
  EXPECT_EXIT(work_until_stopped(folder_ / "out", 0), testing::ExitedWithCode(0), "");
  EXPECT_TRUE(fs::exists(folder_ / "out"));
}

TEST_F(Interrupt, TheFirstSignalStopsWorkAtASafePoint) {
  EXPECT_EXIT(work_until_stopped(folder_ / "out", 1),
              testing::ExitedWithCode(int(ErrorKind::kInterrupted)), "");
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(Interrupt, TheSecondSignalStopsItAtOnce) {
  EXPECT_EXIT(work_until_stopped(folder_ / "out", 2), testing::ExitedWithCode(128 + SIGINT), "");
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

}  // namespace
}  // namespace nibble
