#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "text/function_ref.h"

namespace nibble {

// A regular expression of a tokenizer file, run by PCRE2 (JIT where the machine allows it).
//
// Text is UTF-8; classes, \d, \w and caseless matching follow Unicode, and \s is White_Space; ^ and
// $ match at every line, as in Oniguruma, which Hugging Face uses. A byte that belongs to no
// character counts as a control character.
//
// Time stays linear in the text. A search sees 256 bytes at a time; a match that depends on more
// (PCRE2's partial matching tells) is looked at again with a longer view, so the result is that of
// a search over the whole text. An expression that keeps looking far ahead, or backtracks without
// end, uses up a budget proportional to the text; from there on no view is longer than 256 bytes,
// which can only cut runs longer than that.
class Regex {
 public:
  // Throws Error(kBadInput) quoting the pattern when PCRE2 cannot compile it.
  explicit Regex(std::string pattern);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  // Calls match(begin, end) for every match from left to right; empty matches are passed over.
  // Safe on many threads at once.
  void for_each_match(std::string_view text, FunctionRef<void(size_t, size_t)> match) const;

  const std::string& pattern() const { return pattern_; }

 private:
  struct Compiled;
  std::string pattern_;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace nibble
