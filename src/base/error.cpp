#include "base/error.h"

#include <cstdio>
#include <cstdlib>

namespace nibble {

Error& Error::at(std::string_view where) {
  where_ = where_.empty() ? std::string(where) : fmt::format("{}: {}", where, where_);
  return *this;
}

Error& Error::hint(std::string_view text) {
  hint_ = text;
  return *this;
}

std::string Error::message() const {
  std::string text = where_.empty() ? what() : fmt::format("{}: {}", where_, what());
  if (!hint_.empty()) text += fmt::format(" ({})", hint_);
  return text;
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "nibble: internal error: %s does not hold at %s:%d. Please report this.\n",
               condition, file, line);
  std::abort();
}

}  // namespace nibble
