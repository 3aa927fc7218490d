#pragma once

#include <string_view>
#include <vector>

#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace nibble {

// Turns one word (what pre-tokenizers leave) into tokens. Immutable; used by many threads at once.
class WordModel {
 public:
  virtual ~WordModel() = default;
  // Appends the tokens of `word` to `*out`.
  virtual void encode(std::string_view word, std::vector<TokenId>* out) const = 0;
};

// SentencePiece's spelling of a space, U+2581.
inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

// True when no piece goes on after a space mark that follows another character, so that text may be
// cut in front of such marks without changing its tokens.
bool pieces_end_before_marks(const Vocabulary& vocabulary);

// Tokens for text no piece covers.
struct Fallback {
  TokenId unknown = -1;       // -1: such text is dropped
  bool bytes = false;         // prefer byte tokens <0xNN> where all that are needed exist
  bool fuse_unknown = false;  // neighbouring unknowns within a word become one
};

// The byte tokens of a vocabulary, -1 where one is missing.
class ByteTokens {
 public:
  explicit ByteTokens(const Vocabulary& vocabulary);
  // Appends the tokens of all bytes of `text`, or returns false and appends nothing.
  bool append(std::string_view text, std::vector<TokenId>* out) const;

 private:
  TokenId ids_[256];
};

}  // namespace nibble
