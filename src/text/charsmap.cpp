#include "text/charsmap.h"

#include <array>
#include <cstring>

#include "base/error.h"
#include "text/utf8.h"

namespace nibble {
namespace {

// A unit of the double array: bits 0-7 and 31 the label that leads here (31 set: a value instead),
// bit 8 "a value hangs here", bit 9 "the offset counts in 256s", bits 10-30 the offset of the
// children.
bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t label(uint32_t unit) { return unit & 0x800000FFu; }
uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }
uint32_t value(uint32_t unit) { return unit & 0x7FFFFFFFu; }

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

Charsmap::Charsmap(std::string_view blob) {
  if (blob.empty()) return;
  uint32_t trie_bytes = 0;
  if (blob.size() < sizeof trie_bytes) throw bad_input("precompiled charsmap: it is cut short");
  std::memcpy(&trie_bytes, blob.data(), sizeof trie_bytes);
  blob.remove_prefix(sizeof trie_bytes);
  if (trie_bytes > blob.size() || trie_bytes % 4 != 0 || trie_bytes == 0) {
    throw bad_input("precompiled charsmap: a trie of {} bytes in {}", trie_bytes, blob.size());
  }
  units_.resize(trie_bytes / 4);
  std::memcpy(units_.data(), blob.data(), trie_bytes);
  replacements_ = blob.substr(trie_bytes);
}

size_t Charsmap::longest_match(std::string_view text, std::string_view* replacement) const {
  size_t longest = 0;
  uint32_t node = offset(units_[0]);
  for (size_t i = 0; i < text.size(); ++i) {
    const uint32_t byte = uint8_t(text[i]);
    node ^= byte;
    if (byte == 0 || node >= units_.size() || label(units_[node]) != byte) break;
    const bool leaf = has_leaf(units_[node]);
    node ^= offset(units_[node]);
    if (!leaf || node >= units_.size()) continue;
    const uint32_t at = value(units_[node]);
    if (at >= replacements_.size()) continue;
    const size_t end = replacements_.find('\0', at);
    if (end == std::string::npos) continue;
    *replacement = std::string_view(replacements_).substr(at, end - at);
    longest = i + 1;
  }
  return longest;
}

std::string Charsmap::apply(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::string_view replacement;
    size_t taken = units_.empty() ? 0 : longest_match(text, &replacement);
    if (taken == 0) {
      taken = utf8_front(text).bytes;
      replacement = text.substr(0, taken);
    }
    out += replacement;
    text.remove_prefix(taken);
  }
  return out;
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j) bits = bits << 8 | (j < group.size() ? uint8_t(group[j]) : 0);
    for (size_t j = 0; j < 4; ++j) {
      out += j <= group.size() ? kDigits[bits >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

std::string base64_decode(std::string_view text) {
  static const auto values = [] {
    std::array<int8_t, 256> table;
    table.fill(-1);
    for (size_t i = 0; i < kDigits.size(); ++i) table[uint8_t(kDigits[i])] = int8_t(i);
    return table;
  }();
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = values[uint8_t(c)];
    if (digit < 0) throw bad_input("not base64");
    bits = bits << 6 | uint32_t(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += char(bits >> count);
    }
  }
  return out;
}

}  // namespace nibble
