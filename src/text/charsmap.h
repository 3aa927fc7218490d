#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

// The normalization table of a SentencePiece model (precompiled_charsmap):
//
//   u32 trie_bytes | trie: u32 units of a double-array trie (Darts) | replacements, each NUL-ended
//
// The trie maps a string of UTF-8 to the offset of its replacement. At each place of a text the
// longest string of the trie is replaced; other characters stay.
class Charsmap {
 public:
  // Throws Error(kBadInput) when the blob is not of that form. An empty blob changes nothing.
  explicit Charsmap(std::string_view blob);
  std::string apply(std::string_view text) const;

 private:
  // Bytes the longest key at the front of `text` covers, 0 for none, and its replacement.
  size_t longest_match(std::string_view text, std::string_view* replacement) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
};

std::string base64_encode(std::string_view bytes);
std::string base64_decode(std::string_view text);  // throws Error(kBadInput)

}  // namespace nibble
