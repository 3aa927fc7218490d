#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The alphabet of byte-level vocabularies (GPT-2): each byte is spelled as one visible character,
// ! to ~, ¡ to ¬ and ® to ÿ as themselves, the other 68 in order as U+0100, U+0101 … ("Ġ" is a
// space).

namespace nibble {

uint32_t byte_level_char(uint8_t byte);
std::string to_byte_level(std::string_view bytes);
// nullopt when a character is not of the alphabet.
std::optional<std::string> from_byte_level(std::string_view text);

}  // namespace nibble
