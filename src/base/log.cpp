#include "base/log.h"

#include <atomic>
#include <cstdio>
#include <string>

#include "base/progress.h"

namespace nibble::log {
namespace {

std::atomic<Level> current{Level::kNormal};

void print_line(std::string_view prefix, std::string_view text) {
  clear_progress_line();
  // Not fmt::print: it throws where standard error is full or closed, and no work ends for a
  // message.
  const std::string line = fmt::format("{}{}\n", prefix, text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

void set_level(Level level) { current = level; }
Level level() { return current; }

void warn_text(std::string_view text) {
  if (current != Level::kQuiet) print_line("warning: ", text);
}
void info_text(std::string_view text) {
  if (current != Level::kQuiet) print_line("", text);
}
void debug_text(std::string_view text) {
  if (current == Level::kVerbose) print_line("", text);
}

}  // namespace nibble::log
