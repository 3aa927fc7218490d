#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "arch/hyperparameters.h"

namespace nibble {

// A symbolic dimension of a tensor; dimension() gives its number.
enum class Dim : uint8_t {
  kNone,
  kHidden,
  kFfn,
  kQueries,
  kKeys,
  kHeadDim,
  kVocabulary,
  kRotaryPairs,  // rotary_dim / 2
};
// 1 for kNone.
uint64_t dimension(Dim dim, const Hyperparameters& h);

// Whether a tensor must be there.
enum class Presence : uint8_t { kRequired, kOptional, kUnlessTied };

// Rows (outputs) that are elements of rotating heads: where GGUF rotates neighbours and Hugging
// Face halves, they are interleaved head by head on the way.
enum class RowOrder : uint8_t { kSame, kRotary };

// What a tensor is for; mixes and methods ask this, never the name.
enum class Role : uint8_t {
  kTokenEmbedding,
  kOutputNorm,
  kOutput,
  kAttentionNorm,
  kQuery,
  kKey,
  kValue,
  kAttentionOutput,
  kQueryNorm,
  kKeyNorm,
  kFfnNorm,
  kFfnGate,
  kFfnUp,
  kFfnDown,
  kQueryBias,
  kKeyBias,
  kValueBias,
  kAttentionOutputBias,
  kRopeFactors,
};

struct TensorRow {
  Role role;
  std::string_view gguf;  // "blk.{}.attn_q.weight"; {} is the layer, no {} = once per model
  std::string_view hf;    // "model.layers.{}.self_attn.q_proj.weight"
  Dim rows, cols;         // [rows, cols]; vectors have rows = kNone
  Presence presence = Presence::kRequired;
  RowOrder order = RowOrder::kSame;
};

// The name in layer `layer`: a pattern's {} replaced by the number, other names as they are.
std::string with_layer(std::string_view pattern, int64_t layer);

// When Hugging Face code of an architecture obeys `sliding_window` of config.json.
enum class WindowRule : uint8_t { kNever, kAlways, kWhenUsed };  // kWhenUsed: use_sliding_window

// One architecture: a block recipe and a tensor table. Data only.
struct Arch {
  std::string_view name;                         // general.architecture: "llama"
  std::span<const std::string_view> hf_classes;  // config.json "architectures"; [0] is written
  std::string_view hf_model_type;                // config.json "model_type"
  bool gguf_rotates_neighbours;                  // GGUF files of it pair (2i, 2i+1)
  bool qkv_bias;                                 // q, k, v carry a bias without a flag saying so
  std::span<const TensorRow> tensors;
  WindowRule window = WindowRule::kNever;

  const TensorRow* find(Role role) const;  // nullptr when it has none
};

namespace archs {
extern const Arch llama, mistral, qwen2, qwen3;
}  // namespace archs

// Several may share a GGUF name (mistral is a llama there); the first of them is the general one.
std::span<const Arch* const> all_archs();
// Throw Error(kBadInput) listing what is supported.
const Arch& arch_by_gguf_name(std::string_view name);
const Arch& arch_by_hf_class(std::string_view hf_class);
const Arch& arch_by_hf_model_type(std::string_view model_type);

}  // namespace nibble
