#include "base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/error.h"

namespace nibble {
namespace {

std::string pcre_message(int code) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

}  // namespace

struct Regex::Compiled {
  pcre2_code* code = nullptr;
  ~Compiled() { pcre2_code_free(code); }
};

Regex::Regex(std::string_view pattern) : compiled_(std::make_unique<Compiled>()) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  compiled_->code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (compiled_->code == nullptr) {
    throw usage_error("not a regular expression: {} at character {} of \"{}\"",
                      pcre_message(error), offset, pattern);
  }
  // Without JIT support the interpreter does the same, slower.
  pcre2_jit_compile(compiled_->code, PCRE2_JIT_COMPLETE);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

bool Regex::find(std::string_view text, size_t from, Match* match) const {
  struct MatchData {
    pcre2_match_data* data;
    ~MatchData() { pcre2_match_data_free(data); }
  };
  const MatchData found{pcre2_match_data_create_from_pattern(compiled_->code, nullptr)};
  if (found.data == nullptr) throw out_of_resources("no memory to match a regular expression");
  const int result = pcre2_match(compiled_->code, reinterpret_cast<PCRE2_SPTR>(text.data()),
                                 text.size(), from, 0, found.data, nullptr);
  if (result == PCRE2_ERROR_NOMATCH) return false;
  if (result < 0) throw runtime_failure("regular expression: {}", pcre_message(result));
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(found.data);
  *match = {offsets[0], offsets[1]};
  return true;
}

bool Regex::found_in(std::string_view text) const {
  Match ignored;
  return find(text, 0, &ignored);
}

}  // namespace nibble
