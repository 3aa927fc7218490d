#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

// Two kinds of wrong. What comes from outside (files, flags, requests, full disks) throws `Error`,
// which carries what a person needs to mend it. What would be a bug of ours is NIBBLE_CHECK.

namespace nibble {

// What went wrong, as the shell sees it. The values are the exit codes and never change.
enum class ErrorKind : int {
  kRuntime = 1,       // it could not be done
  kUsage = 2,         // the command line is off
  kNegative = 3,      // the question was answered with no (nothing fits, a threshold is not met)
  kBadInput = 4,      // a file is damaged, hostile or of a kind we do not read
  kResources = 5,     // no memory, no disk
  kInterrupted = 75,  // stopped on request; nothing was lost
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, std::string what) : std::runtime_error(std::move(what)), kind_(kind) {}

  // Where it happened: "file.gguf: tensor blk.0.attn_q.weight, byte 4096". Outer callers that know
  // more call it again; their words go in front.
  Error& at(std::string_view where);
  // What the user may do about it, one sentence.
  Error& hint(std::string_view text);

  ErrorKind kind() const { return kind_; }
  const std::string& where() const { return where_; }
  const std::string& hint_text() const { return hint_; }

  // "WHERE: WHAT", and " (HINT)" where there is one. Commands print the parts on lines of their
  // own.
  std::string message() const;

 private:
  ErrorKind kind_;
  std::string where_, hint_;
};

// bad_input("expected {} bytes, got {}", 4, 3) makes the Error; the caller throws it.
template <typename... Args>
Error bad_input(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::kBadInput, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Error usage_error(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::kUsage, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Error runtime_failure(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::kRuntime, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Error out_of_resources(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::kResources, fmt::format(format, std::forward<Args>(args)...));
}

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

// A condition that only a bug of ours can break. Prints it and aborts, in every build.
#define NIBBLE_CHECK(condition) \
  ((condition) ? void(0) : ::nibble::check_failed(#condition, __FILE__, __LINE__))

}  // namespace nibble
