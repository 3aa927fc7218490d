#include "text/vocabulary.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

#include "base/error.h"

namespace nibble {

TokenId Vocabulary::add(std::string_view text, TokenType type, float score) {
  constexpr size_t kMaxTextBytes = size_t(1) << 30;
  if (tokens_.size() == kMaxTokens) throw bad_input("more than {} tokens", kMaxTokens);
  if (text.size() > kMaxTokenBytes) {
    throw bad_input("token {}: {} bytes; at most {} are read", tokens_.size(), text.size(),
                    kMaxTokenBytes);
  }
  if (text.size() > kMaxTextBytes - texts_.size()) {
    throw bad_input("the tokens are longer than {} bytes together", kMaxTextBytes);
  }
  if ((tokens_.size() + 1) * 2 > slots_.size()) grow();
  const TokenId id = TokenId(tokens_.size());
  tokens_.push_back({uint32_t(texts_.size()), uint32_t(text.size()), score, type});
  texts_.append(text);
  longest_ = std::max(longest_, text.size());
  uint32_t tag = 0;
  const size_t slot = slot_of(text, &tag);
  slots_[slot] = {tag, id};
  return id;
}

std::string_view Vocabulary::text(TokenId id) const {
  const Token& token = tokens_[size_t(id)];
  return std::string_view(texts_).substr(token.begin, token.length);
}

TokenId Vocabulary::find(std::string_view text) const {
  if (slots_.empty()) return -1;
  uint32_t tag = 0;
  return slots_[slot_of(text, &tag)].id;
}

TokenId Vocabulary::find_piece(std::string_view text) const {
  const TokenId id = find(text);
  return id >= 0 && is_piece(id) ? id : -1;
}

size_t Vocabulary::slot_of(std::string_view wanted, uint32_t* tag) const {
  const uint64_t hash = XXH3_64bits(wanted.data(), wanted.size());
  *tag = uint32_t(hash >> 32);
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].id >= 0 && (slots_[at].tag != *tag || text(slots_[at].id) != wanted)) {
    at = (at + 1) & mask;
  }
  return at;
}

void Vocabulary::grow() {
  slots_.assign(std::max<size_t>(1024, slots_.size() * 4), Slot{});
  for (TokenId id = 0; size_t(id) < tokens_.size(); ++id) {
    uint32_t tag = 0;
    const size_t slot = slot_of(text(id), &tag);
    slots_[slot] = {tag, id};
  }
}

int byte_token_value(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  const int high = digit(text[3]), low = digit(text[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string byte_token_text(uint8_t byte) { return fmt::format("<0x{:02X}>", byte); }

}  // namespace nibble
