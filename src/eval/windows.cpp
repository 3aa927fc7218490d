#include "eval/windows.h"

#include <algorithm>

#include "base/error.h"

namespace nibble {
namespace {

Window second_half(std::span<const TokenId> piece, TokenId bos) {
  Window window{{piece.begin(), piece.end()}, piece.size() / 2};
  if (bos >= 0) window.tokens[0] = bos;
  // llama.cpp scores the predictions made at positions context/2 .. context-2.
  return window;
}

Window all_of(std::span<const TokenId> piece, TokenId bos) {
  Window window;
  if (bos >= 0) window.tokens.push_back(bos);
  window.tokens.insert(window.tokens.end(), piece.begin(), piece.end());
  return window;
}

}  // namespace

std::vector<Window> cut_windows(std::span<const TokenId> text, const Tokenizer& tokenizer,
                                const WindowOptions& options) {
  if (options.context < 4)
    throw usage_error("--context: expected 4 or more, got {}", options.context);
  const bool halves = options.protocol == ScoreProtocol::kSecondHalf;
  const TokenId bos = tokenizer.special().add_bos ? tokenizer.special().bos : -1;
  const size_t step = halves || bos < 0 ? options.context : options.context - 1;
  std::vector<Window> windows;
  for (size_t at = 0; at < text.size(); at += step) {
    if (options.max_windows != 0 && windows.size() == options.max_windows) break;
    const size_t n = std::min(step, text.size() - at);
    // A last piece that is not full is left out where only second halves count, and kept otherwise.
    if (n < step && (halves || n < 2)) break;
    const auto piece = text.subspan(at, n);
    windows.push_back(halves ? second_half(piece, bos) : all_of(piece, bos));
  }
  if (windows.empty()) {
    throw usage_error("the text has {} tokens, a window needs {}", text.size(), step)
        .hint("use a longer text or a shorter --context");
  }
  return windows;
}

}  // namespace nibble
