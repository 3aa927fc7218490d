#include "base/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "base/error.h"
#include "base/file.h"

namespace nibble {
namespace {

std::atomic<int> requests{0};

extern "C" void on_interrupt(int signal_number) {
  if (requests.fetch_add(1) == 0) return;
  remove_unfinished_files();
  ::_exit(128 + signal_number);
}

}  // namespace

void install_interrupt_handler() {
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupt_requested() { return requests.load(std::memory_order_relaxed) > 0; }

void check_interrupt() {
  if (interrupt_requested()) {
    throw Error(ErrorKind::kInterrupted, "stopped on request")
        .hint("nothing was left half-written");
  }
}

}  // namespace nibble
