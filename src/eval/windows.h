#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "text/tokenizer.h"

namespace nibble {

// How a text is cut for scoring. Both protocols cut it into windows that do not overlap.
enum class ScoreProtocol {
  // llama.cpp's: windows of `context` tokens, the first replaced by BOS where the model has one;
  // only tokens after the first half are scored.
  kSecondHalf,
  // BOS and context - 1 tokens; every one of them is scored.
  kAll,
};

struct WindowOptions {
  size_t context = 512;
  size_t max_windows = 0;  // 0 = as many as the text gives
  ScoreProtocol protocol = ScoreProtocol::kSecondHalf;
};

// Tokens to run, and which of their predictions count: logits at positions first_scored .. size - 2
// predict the tokens after them.
struct Window {
  std::vector<TokenId> tokens;
  size_t first_scored = 0;
  size_t scored() const { return tokens.size() - 1 - first_scored; }
};

// Throws Error(kUsage) when the text is too short for one window or the context below 4.
std::vector<Window> cut_windows(std::span<const TokenId> text, const Tokenizer& tokenizer,
                                const WindowOptions& options);

}  // namespace nibble
