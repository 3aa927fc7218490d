#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>

#include "base/error.h"
#include "text/utf8.h"

namespace nibble {
namespace {

constexpr size_t kWindow = 256;
constexpr uint32_t kMatchLimit = 1'000'000, kFrugalMatchLimit = 50'000;
constexpr uint32_t kDepthLimit = 10'000, kHeapLimitKib = 4 << 10;

// \s of PCRE2 also takes U+180E, which lost the property White_Space in Unicode 6.3; tokenizers do
// not take it. \S inside a class cannot be spelled as a class, and keeps PCRE2's meaning.
std::string with_unicode_spaces(std::string_view pattern) {
  constexpr std::string_view kSpaces = R"(\t-\r\x{85}\p{Z})";
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      if (next == 's') {
        out += in_class ? std::string(kSpaces) : "[" + std::string(kSpaces) + "]";
      } else if (next == 'S' && !in_class) {
        out += "[^" + std::string(kSpaces) + "]";
      } else {
        out += {c, next};
      }
      continue;
    }
    if (c == '[' && !in_class) {
      in_class = true;
      out += c;
      // A ']' that comes first is a member, not the end.
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') out += pattern[++i];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') out += pattern[++i];
      continue;
    }
    if (c == ']') in_class = false;
    out += c;
  }
  return out;
}

// \s+$ looks at the rest of a run from each of its characters. Where it fails at the first it fails
// at all, so only the first needs a look.
std::string_view cheaper(std::string_view pattern) {
  return pattern == R"(\s+$)" ? R"((?<!\s)\s+$)" : pattern;
}

// Valid UTF-8 of the same length: bytes that belong to no character become U+001A SUBSTITUTE.
std::string with_substitutes(std::string_view text) {
  std::string out(text);
  for (size_t i = 0; i < out.size();) {
    const Utf8Char c = utf8_front(text.substr(i));
    if (!c.valid) out[i] = '\x1A';
    i += c.bytes;
  }
  return out;
}

size_t back_to_boundary(std::string_view text, size_t at) {
  while (at < text.size() && at > 0 && (uint8_t(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

struct MatchDeleter {
  void operator()(pcre2_match_data* p) const { pcre2_match_data_free(p); }
  void operator()(pcre2_match_context* p) const { pcre2_match_context_free(p); }
  void operator()(pcre2_jit_stack* p) const { pcre2_jit_stack_free(p); }
  void operator()(pcre2_code* p) const { pcre2_code_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, MatchDeleter>;

// What PCRE2 works in. One per thread serves every expression: a match leaves its bounds here, and
// they are read before anything else can run.
struct Workspace {
  Owned<pcre2_match_data> data{pcre2_match_data_create(1, nullptr)};
  Owned<pcre2_match_context> context{pcre2_match_context_create(nullptr)};
  Owned<pcre2_jit_stack> stack{pcre2_jit_stack_create(32 << 10, kHeapLimitKib << 10, nullptr)};

  Workspace() {
    if (!data || !context || !stack) throw out_of_resources("no memory for a regular expression");
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
    pcre2_set_depth_limit(context.get(), kDepthLimit);
    pcre2_set_heap_limit(context.get(), kHeapLimitKib);
  }
};

Workspace& workspace() {
  thread_local Workspace workspace;
  return workspace;
}

// One pass over one text.
class Search {
 public:
  Search(const pcre2_code* code, std::string_view text)
      : code_(code), text_(text), budget_(32 * text.size() + (1 << 20)), work_(workspace()) {}

  // The next match at or after `from`; false when there is none.
  bool next(size_t from, size_t* begin, size_t* end) {
    while (from < text_.size()) {
      const size_t window_end = window(from, kWindow);
      const bool frugal = budget_ == 0;
      const int result = match(from, window_end, 0);
      if (result >= 0) return found(begin, end);  // 0: more groups than bounds kept
      if (result == PCRE2_ERROR_PARTIAL) {
        const size_t start = pcre2_get_startchar(work_.data.get());
        if (match_at(start)) return found(begin, end);
        from = start + utf8_front(text_.substr(start)).bytes;
      } else if (result == PCRE2_ERROR_NOMATCH || frugal) {
        from = window_end;
      } else {  // a limit: too much backtracking
        budget_ = 0;
      }
    }
    return false;
  }

 private:
  // Matches at `start` alone, showing more and more of the text.
  bool match_at(size_t start) {
    for (size_t size = 2 * kWindow; budget_ > 0; size *= 2) {
      const size_t end = window(start, size);
      budget_ -= std::min(budget_, end - start);
      const int result = match(start, end, PCRE2_ANCHORED);
      if (result >= 0) return true;
      if (result == PCRE2_ERROR_NOMATCH) return false;
      if (result != PCRE2_ERROR_PARTIAL) budget_ = 0;
    }
    return match(start, window(start, kWindow), PCRE2_ANCHORED) >= 0;
  }

  bool found(size_t* begin, size_t* end) const {
    const size_t* bounds = pcre2_get_ovector_pointer(work_.data.get());
    *begin = bounds[0], *end = bounds[1];
    return true;
  }

  // The end of a window that starts at `from`: on a character boundary, and after `from`.
  size_t window(size_t from, size_t size) const {
    return size >= text_.size() - from ? text_.size() : back_to_boundary(text_, from + size);
  }

  int match(size_t from, size_t end, uint32_t options) {
    const bool frugal = budget_ == 0;
    pcre2_set_match_limit(work_.context.get(), frugal ? kFrugalMatchLimit : kMatchLimit);
    if (end < text_.size()) options |= frugal ? PCRE2_NOTEOL : PCRE2_PARTIAL_HARD;
    // Empty matches cut nothing, and would have to be stepped over.
    return pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text_.data()), end, from,
                       options | PCRE2_NOTEMPTY | PCRE2_NO_UTF_CHECK, work_.data.get(),
                       work_.context.get());
  }

  const pcre2_code* code_;
  std::string_view text_;
  size_t budget_;  // bytes that long looks may still take; at 0 no look goes past the first window
  Workspace& work_;
};

}  // namespace

struct Regex::Compiled {
  Owned<pcre2_code> code;
};

Regex::Regex(std::string pattern)
    : pattern_(std::move(pattern)), compiled_(std::make_unique<Compiled>()) {
  constexpr size_t kMaxPattern = 64 << 10;
  if (pattern_.size() > kMaxPattern) {
    throw bad_input("a regular expression of {} bytes; at most {} are read", pattern_.size(),
                    kMaxPattern);
  }
  const std::string spelled = with_unicode_spaces(cheaper(pattern_));
  int error = 0;
  size_t offset = 0;
  compiled_->code.reset(pcre2_compile(
      reinterpret_cast<PCRE2_SPTR>(spelled.data()), spelled.size(),
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr));
  if (!compiled_->code) {
    char message[128] = "";
    pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(message), sizeof message);
    throw bad_input("the regular expression \"{}\" does not compile: {}", pattern_, message);
  }
  // Without JIT (no executable memory) pcre2_match interprets, with the same results.
  pcre2_jit_compile(compiled_->code.get(), PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

void Regex::for_each_match(std::string_view text, FunctionRef<void(size_t, size_t)> match) const {
  std::string substituted;
  if (!is_valid_utf8(text)) text = substituted = with_substitutes(text);
  Search search(compiled_->code.get(), text);
  size_t begin = 0, end = 0;
  while (search.next(end, &begin, &end)) match(begin, end);
}

}  // namespace nibble
