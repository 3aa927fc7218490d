#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "support/support.h"

// Running the program as a user does.

namespace nibble::test {

inline CommandResult run_nibble(std::vector<std::string> words, const std::string& input = "") {
  words.insert(words.begin(), nibble_program().string());
  return run_command(words, input);
}

// The commands, as `nibble` alone lists them.
inline const std::vector<std::string>& command_names() {
  static const std::vector<std::string> kNames = {
      "inspect", "quantize", "run", "eval", "bench", "convert", "tokenize", "help", "completions"};
  return kNames;
}

// Sets an environment variable while it lives; "" unsets it.
class ScopedVariable {
 public:
  ScopedVariable(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* old = std::getenv(name_.c_str())) old_ = old;
    set(value);
  }
  ~ScopedVariable() { set(old_); }

 private:
  void set(const std::string& value) const {
    value.empty() ? ::unsetenv(name_.c_str()) : ::setenv(name_.c_str(), value.c_str(), 1);
  }
  std::string name_, old_;
};

}  // namespace nibble::test
