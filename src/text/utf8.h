#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// UTF-8 one character at a time, over bytes that may be anything.

namespace nibble {

inline constexpr uint32_t kReplacement = 0xFFFD;

struct Utf8Char {
  uint32_t code_point;
  uint32_t bytes;  // 1..4
  bool valid;      // false: one byte that starts no well-formed character; code_point is U+FFFD
};

// The character at the front of `text`. REQUIRES !text.empty().
// Overlong forms, surrogates and values above U+10FFFF are invalid (RFC 3629).
inline Utf8Char utf8_front(std::string_view text) {
  const auto byte = [&](size_t i) { return uint8_t(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  constexpr Utf8Char kInvalid{kReplacement, 1, false};
  const uint32_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return kInvalid;
  uint32_t code_point = lead & (0xFFu >> (length + 1));
  for (uint32_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return kInvalid;
    code_point = code_point << 6 | (byte(i) & 0x3Fu);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point < 0xE000;
  if (code_point < kSmallest[length] || code_point > 0x10FFFF || surrogate) return kInvalid;
  return {code_point, length, true};
}

void append_utf8(uint32_t code_point, std::string* out);

bool is_valid_utf8(std::string_view text);
// Every byte that belongs to no character becomes U+FFFD.
std::string replace_invalid_utf8(std::string_view text);

// Bytes at the end of `text` that begin a character whose rest is missing: 0 to 3.
size_t unfinished_utf8_suffix(std::string_view text);

}  // namespace nibble
