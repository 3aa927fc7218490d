#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/function_ref.h"

namespace nibble {

// A stretch of text on its way to becoming words.
struct Piece {
  std::string_view text;
  bool first = false;  // it begins where the whole text begins
};
using PieceSink = FunctionRef<void(const Piece&)>;

// One step that cuts a piece into smaller ones, in order; it may rewrite them (Metaspace), so a
// piece lives only as long as the call to the sink.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void split(const Piece& piece, PieceSink sink) const = 0;
};

// The steps of the "pre_tokenizer" of a tokenizer.json, in order; none when it is null. Known
// types: Sequence, ByteLevel, Split, Metaspace, Digits, Whitespace, WhitespaceSplit, Punctuation.
// (The spelling of bytes that ByteLevel prescribes is the vocabulary's business.) Throws
// Error(kBadInput) naming a type it does not know.
class PreTokenizerChain {
 public:
  PreTokenizerChain() = default;
  explicit PreTokenizerChain(JsonObject config);
  void split(const Piece& piece, PieceSink sink) const { split_from(0, piece, sink); }

 private:
  void split_from(size_t step, const Piece& piece, PieceSink sink) const;
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

}  // namespace nibble
