#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/function_ref.h"
#include "text/prefix_index.h"
#include "text/tokenizer.h"

namespace nibble {

// A token that is found in the text as it stands, before words are made.
struct AddedToken {
  std::string content;
  TokenId id = -1;
  bool special = false;        // a control token: only where the caller lets text name those
  bool normalized = false;     // looked for after normalization, and itself normalized first
  bool as_normalized = false;  // looked for after normalization, spelled as it is there
  bool single_word = false;    // only between characters that are no word characters
  bool lstrip = false;         // takes the white space on its left with it
  bool rstrip = false;         // and on its right
};

// Finds added tokens from left to right, the longest first.
class AddedTokenMatcher {
 public:
  // Throws Error(kBadInput) for content longer than 1024 bytes.
  explicit AddedTokenMatcher(std::vector<AddedToken> tokens);
  AddedTokenMatcher(const AddedTokenMatcher&) = delete;
  AddedTokenMatcher& operator=(const AddedTokenMatcher&) = delete;

  // Cuts `text` into tokens and what lies between, in order: part(text, id), id -1 for text.
  void split(std::string_view text, bool parse_special,
             FunctionRef<void(std::string_view, TokenId)> part) const;

 private:
  // The longest token at the front of `text`, or nullptr.
  const AddedToken* longest(std::string_view text, bool parse_special) const;

  std::vector<AddedToken> tokens_;
  PrefixIndex index_;  // its ids are places in tokens_
  bool any_ordinary_ = false;
};

}  // namespace nibble
