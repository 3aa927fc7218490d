#include "generate/generator.h"

#include <chrono>

#include "base/error.h"

namespace nibble {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TokenId next_token(Sampler& sampler, const Forward& forward, std::span<const float> logits,
                   std::span<const TokenId> history) {
  try {
    return sampler.sample(logits, history);
  } catch (Error& error) {
    throw error.at(forward.model().checkpoint().path().string());
  }
}

// Logits of the last of the states.
void last_logits(Forward& forward, MatView<const float> states, std::vector<float>& logits) {
  forward.logits(states.rows_from(states.rows - 1, 1),
                 MatView<float>(logits.data(), 1, logits.size()));
}

}  // namespace

GenerateResult generate(Forward& forward, KvCache& cache, std::span<const TokenId> prompt,
                        const GenerateOptions& options,
                        const std::function<bool(std::string_view)>& on_text) {
  NIBBLE_CHECK(!prompt.empty());
  const Tokenizer& tokenizer = forward.model().checkpoint().tokenizer();
  Sampler sampler(options.sampling);
  StreamDecoder decoder(tokenizer);
  std::vector<float> logits(forward.model().output().w.rows);
  std::vector<TokenId> history(prompt.begin(), prompt.end());
  GenerateResult result;
  result.prompt_tokens = prompt.size();

  const auto start = std::chrono::steady_clock::now();
  last_logits(forward, forward.run(prompt, cache), logits);
  result.prefill_s = seconds_since(start);

  const auto decode_start = std::chrono::steady_clock::now();
  while (result.tokens.size() < options.max_tokens) {
    const TokenId token = next_token(sampler, forward, logits, history);
    if (tokenizer.ends_generation(token) && !options.ignore_end) {
      result.stop = GenerateResult::Stop::kEndOfGeneration;
      break;
    }
    history.push_back(token);
    result.tokens.push_back(token);
    if (!on_text(decoder.add(token))) {
      result.stop = GenerateResult::Stop::kCallback;
      break;
    }
    if (cache.length() == cache.capacity()) {
      result.stop = GenerateResult::Stop::kContextFull;
      break;
    }
    if (result.tokens.size() < options.max_tokens) {
      last_logits(forward, forward.run(std::span(&token, 1), cache), logits);
    }
  }
  result.decode_s = seconds_since(decode_start);
  on_text(decoder.finish());
  return result;
}

}  // namespace nibble
