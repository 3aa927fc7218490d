#pragma once

#include <memory>

#include "text/word_model.h"

namespace nibble {

// The unigram language model (Kudo, 2018): of all ways to cut a word into pieces, the one whose
// scores have the greatest sum. A character that is no piece may stand as unknown, at the least
// score of all pieces minus 10; unknown neighbours become one token.
// Keeps a reference to `vocabulary`. Throws Error(kBadInput) for pieces longer than 1024 bytes,
// which would make encoding slow.
std::unique_ptr<WordModel> make_unigram(const Vocabulary& vocabulary, const Fallback& fallback);

}  // namespace nibble
