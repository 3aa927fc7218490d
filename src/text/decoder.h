#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace nibble {

// The "decoder" of a tokenizer.json: from the spelling of a token to its bytes in a text. Known
// types: Sequence, ByteLevel, Metaspace, ByteFallback, Fuse, Strip, Replace (of a string).
class Decoder {
 public:
  Decoder() = default;
  // Throws Error(kBadInput) naming a type it does not know.
  explicit Decoder(JsonObject config);

  // Tokens added to the vocabulary stand for themselves, but for a space mark that is replaced.
  std::string bytes_of(std::string_view token, TokenType type) const;
  // Removes what encoding put in front of a whole text.
  std::string_view strip(std::string_view text) const;

 private:
  struct Step {
    enum Kind { kByteLevel, kReplace, kStrip } kind;
    std::string from, to;         // kReplace, or what kStrip removes
    int64_t start = 0, stop = 0;  // kStrip: at most so often at either end
  };
  void add(JsonObject config);

  std::vector<Step> steps_;        // on every token
  std::vector<Step> text_strips_;  // on the whole text
  bool byte_tokens_ = false, fused_ = false;
};

}  // namespace nibble
