#include "text/utf8.h"

#include <algorithm>

namespace nibble {

void append_utf8(uint32_t c, std::string* out) {
  if (c < 0x80) {
    *out += char(c);
  } else if (c < 0x800) {
    *out += {char(0xC0 | c >> 6), char(0x80 | (c & 0x3F))};
  } else if (c < 0x10000) {
    *out += {char(0xE0 | c >> 12), char(0x80 | (c >> 6 & 0x3F)), char(0x80 | (c & 0x3F))};
  } else {
    *out += {char(0xF0 | c >> 18), char(0x80 | (c >> 12 & 0x3F)), char(0x80 | (c >> 6 & 0x3F)),
             char(0x80 | (c & 0x3F))};
  }
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const Utf8Char c = utf8_front(text);
    if (!c.valid) return false;
    text.remove_prefix(c.bytes);
  }
  return true;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Char c = utf8_front(text);
    if (c.valid) {
      out.append(text.substr(0, c.bytes));
    } else {
      append_utf8(kReplacement, &out);
    }
    text.remove_prefix(c.bytes);
  }
  return out;
}

size_t unfinished_utf8_suffix(std::string_view text) {
  const size_t most = std::min<size_t>(3, text.size());
  for (size_t length = 1; length <= most; ++length) {
    const uint8_t byte = uint8_t(text[text.size() - length]);
    if ((byte & 0xC0) == 0x80) continue;  // a continuation: its lead byte is further left
    const size_t wanted = byte < 0xC2 || byte > 0xF4 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    if (wanted <= length) return 0;
    // Completing with continuation bytes must be able to give a character (not ED A0, F4 90 …).
    std::string completed(text.substr(text.size() - length));
    for (const char next : {'\x80', '\xBF'}) {
      std::string trial = completed;
      trial.resize(wanted, next);
      if (utf8_front(trial).valid) return length;
    }
    return 0;
  }
  return 0;
}

}  // namespace nibble
