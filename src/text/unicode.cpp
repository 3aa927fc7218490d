#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "text/utf8.h"

namespace nibble {
namespace {

constexpr uint32_t kCodePoints = 0x110000;

bool is_white_space(uint32_t c, int category) {
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP || (c >= '\t' && c <= '\r') || c == 0x85;
}

bool is_ascii_punctuation(uint32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

// Other_Alphabetic outside L, M and N: the circled and squared Latin letters (So).
bool is_enclosed_letter(uint32_t c) {
  return (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
         (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
}

uint8_t classify(uint32_t c) {
  const int category = utf8proc_category(utf8proc_int32_t(c));
  const bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
  const bool mark = category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
  const bool number = category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
  const bool punctuation = category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
  const bool word = letter || mark || (number && category != UTF8PROC_CATEGORY_NO) ||
                    category == UTF8PROC_CATEGORY_PC || c == 0x200C || c == 0x200D ||
                    is_enclosed_letter(c);
  unsigned bits = 0;
  if (letter) bits |= kLetter;
  if (number) bits |= kNumber;
  if (is_white_space(c, category)) bits |= kSpace;
  if (punctuation || is_ascii_punctuation(c)) bits |= kPunctuation;
  if (mark) bits |= kMark;
  if (word) bits |= kWordChar;
  return uint8_t(bits);
}

using CodePoints = std::vector<utf8proc_int32_t>;

void decompose(uint32_t c, int options, CodePoints* out) {
  constexpr size_t kLongest = 18;  // U+FDFA under NFKD
  utf8proc_int32_t parts[kLongest];
  int last_boundary_class = 0;
  const auto count = utf8proc_decompose_char(utf8proc_int32_t(c), parts, kLongest,
                                             utf8proc_option_t(options), &last_boundary_class);
  NIBBLE_CHECK(count >= 0 && size_t(count) <= kLongest);
  out->insert(out->end(), parts, parts + count);
}

// Canonical ordering: a stable sort of every run of marks. (utf8proc's own is an insertion sort,
// quadratic in a long run.)
void order_marks(CodePoints* text) {
  const auto mark_class = [](utf8proc_int32_t c) {
    return utf8proc_get_property(c)->combining_class;
  };
  for (auto begin = text->begin(); begin != text->end();) {
    begin = std::find_if(begin, text->end(), mark_class);
    const auto end = std::find_if_not(begin, text->end(), mark_class);
    std::stable_sort(begin, end, [&](auto a, auto b) { return mark_class(a) < mark_class(b); });
    begin = end;
  }
}

void normalize_run(std::string_view run, NormalForm form, std::string* out) {
  const bool compose = form == NormalForm::kNfc || form == NormalForm::kNfkc;
  const bool compatible = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
  const int options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
  CodePoints text;
  for (size_t at = 0; at < run.size();) {
    const Utf8Char c = utf8_front(run.substr(at));
    decompose(c.code_point, options, &text);
    at += c.bytes;
  }
  order_marks(&text);
  size_t count = text.size();
  if (compose) {
    const auto composed =
        utf8proc_normalize_utf32(text.data(), utf8proc_ssize_t(count),
                                 utf8proc_option_t(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    NIBBLE_CHECK(composed >= 0);
    count = size_t(composed);
  }
  for (size_t i = 0; i < count; ++i) append_utf8(uint32_t(text[i]), out);
}

// Calls edit(code_point, out) for every character; copies bytes that are none.
template <typename Edit>
std::string map_characters(std::string_view text, const Edit& edit) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Char c = utf8_front(text);
    if (c.valid) {
      edit(c.code_point, &out);
    } else {
      out += text.front();
    }
    text.remove_prefix(c.bytes);
  }
  return out;
}

}  // namespace

const uint8_t* char_class_table() {
  static const std::vector<uint8_t> table = [] {
    std::vector<uint8_t> classes(kCodePoints);
    for (uint32_t c = 0; c < kCodePoints; ++c) classes[c] = classify(c);
    return classes;
  }();
  return table.data();
}

std::string normalize(std::string_view text, NormalForm form) {
  const auto is_ascii = [](char c) { return uint8_t(c) < 0x80; };
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    // ASCII is in every normal form, and only its last character can combine with what follows.
    size_t end = at;
    while (end < text.size() && is_ascii(text[end])) ++end;
    const bool at_end = end == text.size();
    const size_t keep = at_end || end == at ? end : end - 1;
    out.append(text.substr(at, keep - at));
    at = keep;
    while (end < text.size() && !is_ascii(text[end])) {
      const Utf8Char c = utf8_front(text.substr(end));
      if (!c.valid) break;
      end += c.bytes;
    }
    if (end > at) normalize_run(text.substr(at, end - at), form, &out);
    at = end;
    if (at < text.size() && !is_ascii(text[at]) && !utf8_front(text.substr(at)).valid) {
      out += text[at++];
    }
  }
  return out;
}

std::string to_lowercase(std::string_view text) {
  return map_characters(text, [](uint32_t c, std::string* out) {
    constexpr uint32_t kDottedCapitalI = 0x130;  // the one character that becomes two
    if (c == kDottedCapitalI) {
      out->append("i\xCC\x87");
    } else {
      append_utf8(uint32_t(utf8proc_tolower(utf8proc_int32_t(c))), out);
    }
  });
}

std::string strip_marks(std::string_view text) {
  return map_characters(text, [](uint32_t c, std::string* out) {
    if (!(char_class(c) & kMark)) append_utf8(c, out);
  });
}

}  // namespace nibble
