#include "text/byte_level.h"

#include <array>

#include "text/utf8.h"

namespace nibble {
namespace {

constexpr uint32_t kAlphabetEnd = 0x100 + 68;

struct Alphabet {
  std::array<uint16_t, 256> spelling{};
  std::array<int16_t, kAlphabetEnd> byte{};
};

constexpr bool is_itself(uint32_t byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  for (auto& byte : alphabet.byte) byte = -1;
  uint32_t next = 0x100;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const uint32_t spelling = is_itself(byte) ? byte : next++;
    alphabet.spelling[byte] = uint16_t(spelling);
    alphabet.byte[spelling] = int16_t(byte);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

uint32_t byte_level_char(uint8_t byte) { return kAlphabet.spelling[byte]; }

std::string to_byte_level(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) append_utf8(byte_level_char(uint8_t(c)), &out);
  return out;
}

std::optional<std::string> from_byte_level(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Char c = utf8_front(text);
    if (!c.valid || c.code_point >= kAlphabetEnd || kAlphabet.byte[c.code_point] < 0) {
      return std::nullopt;
    }
    out += char(kAlphabet.byte[c.code_point]);
    text.remove_prefix(c.bytes);
  }
  return out;
}

}  // namespace nibble
