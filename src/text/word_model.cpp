#include "text/word_model.h"

#include <algorithm>

namespace nibble {

bool pieces_end_before_marks(const Vocabulary& vocabulary) {
  if (vocabulary.find_piece(kSpaceMark) < 0) return false;
  for (TokenId id = 0; size_t(id) < vocabulary.size(); ++id) {
    if (!vocabulary.is_piece(id)) continue;
    std::string_view text = vocabulary.text(id);
    while (text.starts_with(kSpaceMark)) text.remove_prefix(kSpaceMark.size());
    if (text.find(kSpaceMark) != text.npos) return false;
  }
  return true;
}

ByteTokens::ByteTokens(const Vocabulary& vocabulary) {
  for (int byte = 0; byte < 256; ++byte) {
    const TokenId id = vocabulary.find(byte_token_text(uint8_t(byte)));
    ids_[byte] = id >= 0 && vocabulary.type(id) == TokenType::kByte ? id : -1;
  }
}

bool ByteTokens::append(std::string_view text, std::vector<TokenId>* out) const {
  const auto id = [this](char c) { return ids_[uint8_t(c)]; };
  if (std::any_of(text.begin(), text.end(), [&](char c) { return id(c) < 0; })) return false;
  for (const char c : text) out->push_back(id(c));
  return true;
}

}  // namespace nibble
