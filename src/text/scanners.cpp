#include "text/scanners.h"

#include <cstdint>

#include "text/unicode.h"
#include "text/utf8.h"

namespace nibble {
namespace {

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Spelling {
  std::string_view pattern;
  Scanner scanner;
};
constexpr Spelling kSpellings[] = {
    {kGpt2Pattern, Scanner::kGpt2},
    {kLlama3Pattern, Scanner::kLlama3},
    {kQwen2Pattern, Scanner::kQwen2},
    {R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|)"
     R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     Scanner::kLlama3},
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|)"
     R"(\s*[\r\n]+|\s+(?!\S)|\s+)",
     Scanner::kLlama3},
    {R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|)"
     R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     Scanner::kQwen2},
};

// A place in the text with the class of the character there.
class Cursor {
 public:
  Cursor(std::string_view text, size_t at) : text_(text), at_(at) { look(); }

  bool done() const { return at_ >= text_.size(); }
  size_t at() const { return at_; }
  uint32_t code_point() const { return code_point_; }
  bool is(unsigned classes) const { return (class_ & classes) != 0; }
  bool is_newline() const { return code_point_ == '\n' || code_point_ == '\r'; }
  // Neither white space nor letter nor number.
  bool is_symbol() const { return !done() && !is(kSpace | kLetter | kNumber); }
  void step() {
    at_ += bytes_;
    look();
  }
  void skip(unsigned classes) {
    while (is(classes)) step();
  }

 private:
  // At the end of the text the class is 0, the code point one that nothing asks for.
  void look() {
    code_point_ = UINT32_MAX, bytes_ = 0, class_ = 0;
    if (done()) return;
    const Utf8Char c = utf8_front(text_.substr(at_));
    code_point_ = c.code_point, bytes_ = c.bytes, class_ = table_[c.code_point];
  }

  const uint8_t* table_ = char_class_table();
  std::string_view text_;
  size_t at_;
  uint32_t code_point_ = 0, bytes_ = 0;
  uint8_t class_ = 0;
};

uint32_t fold(uint32_t c) {
  constexpr uint32_t kLongS = 0x17F;
  return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c == kLongS ? 's' : c;
}

// 's 't 'm 'd 're 've 'll behind an apostrophe; true when the cursor moved past one.
bool take_contraction(Cursor* cursor, bool caseless) {
  Cursor ahead = *cursor;
  ahead.step();
  const auto letter = [&] { return caseless ? fold(ahead.code_point()) : ahead.code_point(); };
  const uint32_t first = letter();
  if (first == 's' || first == 't' || first == 'm' || first == 'd') {
    ahead.step();
    *cursor = ahead;
    return true;
  }
  if (first != 'r' && first != 'v' && first != 'l') return false;
  ahead.step();
  if (letter() != (first == 'l' ? 'l' : 'e')) return false;
  ahead.step();
  *cursor = ahead;
  return true;
}

// \s+(?!\S)|\s+ : a run of white space, without its last character when a word follows.
void take_spaces(Cursor* cursor) {
  Cursor last = *cursor;
  size_t count = 0;
  while (cursor->is(kSpace)) {
    last = *cursor;
    cursor->step();
    ++count;
  }
  if (!cursor->done() && count > 1) *cursor = last;
}

void take_gpt2_word(Cursor* cursor) {
  if (cursor->code_point() == '\'' && take_contraction(cursor, false)) return;
  Cursor body = *cursor;
  if (body.code_point() == ' ') body.step();
  if (body.is(kLetter)) {
    body.skip(kLetter);
  } else if (body.is(kNumber)) {
    body.skip(kNumber);
  } else if (body.is_symbol()) {
    while (body.is_symbol()) body.step();
  } else {
    return take_spaces(cursor);
  }
  *cursor = body;
}

// \s*[\r\n]+ up to the last newline of the run of white space, else as take_spaces.
void take_lines(Cursor* cursor) {
  Cursor ahead = *cursor, last = *cursor, after_newline = *cursor;
  size_t count = 0;
  bool newline = false;
  while (ahead.is(kSpace)) {
    last = ahead;
    const bool is_newline = ahead.is_newline();
    ahead.step();
    ++count;
    if (is_newline) after_newline = ahead, newline = true;
  }
  *cursor = newline ? after_newline : !ahead.done() && count > 1 ? last : ahead;
}

void take_llama3_word(Cursor* cursor, int digits) {
  if (cursor->code_point() == '\'' && take_contraction(cursor, true)) return;
  if (cursor->is(kLetter)) return cursor->skip(kLetter);
  if (cursor->is(kNumber)) {
    for (int i = 0; i < digits && cursor->is(kNumber); ++i) cursor->step();
    return;
  }
  Cursor body = *cursor;
  if (!body.is_newline()) {
    body.step();
    if (body.is(kLetter)) {
      body.skip(kLetter);
      *cursor = body;
      return;
    }
  }
  body = *cursor;
  if (body.code_point() == ' ') body.step();
  if (!body.is_symbol()) return take_lines(cursor);
  while (body.is_symbol()) body.step();
  while (body.is_newline()) body.step();
  *cursor = body;
}

}  // namespace

std::string_view scanner_pattern(Scanner scanner) {
  switch (scanner) {
    case Scanner::kGpt2:
      return kGpt2Pattern;
    case Scanner::kLlama3:
      return kLlama3Pattern;
    case Scanner::kQwen2:
      return kQwen2Pattern;
  }
  return {};
}

std::optional<Scanner> scanner_for(std::string_view pattern) {
  for (const Spelling& spelling : kSpellings) {
    if (spelling.pattern == pattern) return spelling.scanner;
  }
  return std::nullopt;
}

void scan_words(Scanner scanner, std::string_view text, FunctionRef<void(size_t, size_t)> word) {
  Cursor cursor(text, 0);
  while (!cursor.done()) {
    const size_t begin = cursor.at();
    if (scanner == Scanner::kGpt2) {
      take_gpt2_word(&cursor);
    } else {
      take_llama3_word(&cursor, scanner == Scanner::kLlama3 ? 3 : 1);
    }
    word(begin, cursor.at());
  }
}

}  // namespace nibble
