#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "io/metadata.h"

namespace nibble {

struct Arch;

// How the wavelengths of rotary embeddings are stretched for long contexts.
struct RopeScaling {
  enum class Kind { kNone, kLinear, kLlama3, kYarn };
  Kind kind = Kind::kNone;
  double factor = 1;
  double original_context = 0;                       // llama3, yarn
  double low_freq_factor = 1, high_freq_factor = 4;  // llama3
  double beta_fast = 32, beta_slow = 1;              // yarn
  double attention_factor = 0;                       // yarn; 0 = 0.1 ln(factor) + 1
};

// No model comes near it; token ids and tables of tokens stay small.
inline constexpr uint64_t kMaxVocabulary = uint64_t(1) << 22;

// The numbers of one model.
struct Hyperparameters {
  uint64_t layers = 0, hidden = 0, ffn = 0, heads = 0, kv_heads = 0, head_dim = 0;
  uint64_t vocabulary = 0, context = 0;
  double norm_epsilon = 1e-5, rope_base = 10000;
  RopeScaling rope_scaling;
  uint64_t rotary_dim = 0;      // elements of a head that rotate; head_dim when all do
  uint64_t sliding_window = 0;  // 0 = full attention
  bool tied_embeddings = false;
  // Divisors of the frequencies that a GGUF file carries as rope_freqs.weight, [rotary_dim / 2];
  // empty where rope_scaling says it all.
  std::vector<float> rope_factors;
  bool attention_bias = false;  // q, k, v (and, in llama, o) carry a bias
};

// Both check every number (heads > 0, heads % kv_heads == 0, even head_dim, layers <= 4096 …) and
// throw Error(kBadInput) naming the key, what was expected and what was found.
// GGUF does not say whether embeddings are tied or biases are there, and its vocabulary is 0 when
// no key tells: the tensors do.
Hyperparameters hyperparameters_from_gguf(const Arch& arch, const Metadata& metadata);
Hyperparameters hyperparameters_from_config(const Arch& arch, JsonObject config);

// The {arch}.* keys of a GGUF file.
void write_gguf_hyperparameters(const Arch& arch, const Hyperparameters& h, Metadata& metadata);
// The text of a config.json that transformers loads; `dtype` is its torch_dtype ("bfloat16").
std::string write_config_json(const Arch& arch, const Hyperparameters& h, std::string_view dtype,
                              int64_t bos, const std::vector<int64_t>& eos);

// Radians per position of each rotated pair, [rotary_dim / 2]: base^(-2i/rotary_dim) after scaling.
std::vector<float> inverse_frequencies(const Hyperparameters& h);
// What YaRN multiplies the rotated queries and keys with; 1 for every other kind.
double rope_magnitude(const Hyperparameters& h);
// The divisors GGUF stores as rope_freqs.weight for llama3 scaling, [rotary_dim / 2].
std::vector<float> llama3_rope_factors(const Hyperparameters& h);

}  // namespace nibble
