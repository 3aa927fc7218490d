#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace nibble {

// A regular expression over UTF-8 (PCRE2, JIT-compiled). Never std::regex: it recurses on its input
// and long texts overflow its stack.
class Regex {
 public:
  // Throws Error(kUsage) saying what is wrong with the pattern and where.
  explicit Regex(std::string_view pattern);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  struct Match {
    size_t begin, end;  // byte offsets
  };
  // The first match at or after byte `from`. Returns false when there is none.
  // Throws Error(kRuntime) when matching exceeds its limits.
  bool find(std::string_view text, size_t from, Match* match) const;
  bool found_in(std::string_view text) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace nibble
