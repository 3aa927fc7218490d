#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "generate/sampler.h"
#include "model/forward.h"

namespace nibble {

struct GenerateOptions {
  SamplingOptions sampling;
  size_t max_tokens = 256;
  bool ignore_end = false;  // go on after an end-of-generation token
};

struct GenerateResult {
  enum class Stop { kEndOfGeneration, kMaxTokens, kContextFull, kCallback };
  std::vector<TokenId> tokens;
  Stop stop = Stop::kMaxTokens;
  size_t prompt_tokens = 0;
  double prefill_s = 0, decode_s = 0;  // wall time of the two phases
};

// Continues `prompt`. `on_text` gets the text as it appears, whole UTF-8 characters; it returns
// false to stop. REQUIRES: prompt not empty. The cache holds the prompt and the tokens of the
// answer afterwards, except the last one unless the model ended its text (that token is not part of
// the answer): what has no successor is never run. Throws Error(kUsage) when the prompt does not
// fit into the cache, Error(kBadInput) when the logits are not finite.
GenerateResult generate(Forward& forward, KvCache& cache, std::span<const TokenId> prompt,
                        const GenerateOptions& options,
                        const std::function<bool(std::string_view)>& on_text);

}  // namespace nibble
