#pragma once

#include <memory>
#include <vector>

#include "text/word_model.h"

namespace nibble {

// Byte-pair encoding (Sennrich et al., 2016): a word starts as its smallest symbols, and the pair
// of neighbours of the best rank becomes one, leftmost first, until no pair has a rank.
//
//   byte level        symbols are bytes, ranks come from a list of merges   (GPT-2, Llama 3, Qwen)
//   merged characters symbols are characters, ranks from a list of merges   (Llama 2 as
//   tokenizer.json) scored pieces     symbols are characters; a pair merges when its text is a
//   piece, the piece of
//                     the highest score first                               (SentencePiece, GGUF)

struct Merge {
  TokenId left, right;
};

struct BpeOptions {
  bool byte_level = false;
  bool ignore_merges = false;  // a word that is a piece as a whole is not taken apart
  Fallback fallback;
};

// The models keep a reference to `vocabulary`. A merge's rank is its place in the list; one whose
// result is not in the vocabulary throws Error(kBadInput).
std::unique_ptr<WordModel> make_merge_bpe(const Vocabulary& vocabulary,
                                          const std::vector<Merge>& merges,
                                          const BpeOptions& options);
std::unique_ptr<WordModel> make_score_bpe(const Vocabulary& vocabulary, const Fallback& fallback);

}  // namespace nibble
