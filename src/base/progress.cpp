#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "base/log.h"
#include "base/units.h"

namespace nibble {
namespace {

std::atomic<bool> line_shown{false};

// Progress nobody can read is no reason to stop: failures are ignored.
void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

void clear_progress_line() {
  if (!line_shown.exchange(false)) return;
  print("\r\x1b[K");
}

Progress::Progress(std::string task, uint64_t total)
    : task_(std::move(task)), total_(std::max<uint64_t>(total, 1)) {
  start_ = last_drawn_ = last_rate_ = Clock::now();
  terminal_ = ::isatty(STDERR_FILENO) == 1;
}

Progress::~Progress() { clear_progress_line(); }

double Progress::elapsed_s() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

double Progress::remaining_s() const {
  return rate_ > 0 ? double(total_ - std::min(done_, total_)) / rate_ : -1;
}

void Progress::advance(uint64_t cost, std::string_view item) {
  done_ += cost;
  const auto now = Clock::now();
  const double since = std::chrono::duration<double>(now - last_rate_).count();
  if (since >= 0.2) {
    const double rate = double(done_ - done_at_last_rate_) / since;
    // Older measurements fade with a time constant of five seconds.
    const double weight = rate_ == 0 ? 1 : 1 - 1 / (1 + since / 5);
    rate_ += weight * (rate - rate_);
    last_rate_ = now;
    done_at_last_rate_ = done_;
  }
  const auto interval = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  if (now - last_drawn_ < interval) return;
  last_drawn_ = now;
  draw(item);
}

void Progress::draw(std::string_view item) {
  if (log::level() == log::Level::kQuiet) return;
  const int percent = int(100 * std::min(done_, total_) / total_);
  std::string text = fmt::format("{} {:3d} %", task_, percent);
  if (remaining_s() >= 0) text += fmt::format(", {} left", format_duration(remaining_s()));
  if (!item.empty()) text += fmt::format("  {}", item);
  if (!terminal_) {
    print(text + "\n");
    return;
  }
  if (text.size() > 79) text.resize(79);
  print("\r\x1b[K" + text);
  line_shown = true;
}

}  // namespace nibble
