#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace nibble {

// The tokens of a model: text, type and score by id, and id by text. Texts lie in one buffer.
class Vocabulary {
 public:
  static constexpr size_t kMaxTokens = 2'000'000;
  static constexpr size_t kMaxTokenBytes = 64 << 10;

  // Appends a token; its id is the old size(). Several tokens may share a text: find() then gives
  // the last. Throws Error(kBadInput) past the limits above, or 1 GiB of text in all.
  TokenId add(std::string_view text, TokenType type, float score = 0);

  size_t size() const { return tokens_.size(); }
  bool contains(int64_t id) const { return id >= 0 && size_t(id) < size(); }
  std::string_view text(TokenId id) const;
  TokenType type(TokenId id) const { return tokens_[size_t(id)].type; }
  float score(TokenId id) const { return tokens_[size_t(id)].score; }
  void set_type(TokenId id, TokenType type) { tokens_[size_t(id)].type = type; }
  void set_score(TokenId id, float score) { tokens_[size_t(id)].score = score; }

  TokenId find(std::string_view text) const;  // -1 when there is none
  // Like find(), among the tokens ordinary text may become: normal ones, and user-defined ones.
  TokenId find_piece(std::string_view text) const;
  bool is_piece(TokenId id) const {
    return type(id) == TokenType::kNormal || type(id) == TokenType::kUserDefined;
  }
  size_t longest_token() const { return longest_; }

 private:
  struct Token {
    uint32_t begin, length;
    float score;
    TokenType type;
  };
  struct Slot {
    uint32_t tag;
    TokenId id = -1;
  };

  size_t slot_of(std::string_view text, uint32_t* tag) const;
  void grow();

  std::string texts_;
  std::vector<Token> tokens_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  size_t longest_ = 0;
};

// The value of a byte token "<0x00>" … "<0xFF>" (capital digits), or -1.
int byte_token_value(std::string_view text);
std::string byte_token_text(uint8_t byte);

}  // namespace nibble
