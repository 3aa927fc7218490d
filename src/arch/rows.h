#pragma once

#include "arch/arch.h"

// The tensors that most decoders share, under the names of both worlds; the tables of the
// architectures are lists of these and of what is their own.

namespace nibble::rows {

inline constexpr TensorRow vector(Role role, std::string_view gguf, std::string_view hf, Dim size) {
  return {.role = role, .gguf = gguf, .hf = hf, .rows = Dim::kNone, .cols = size};
}
inline constexpr TensorRow matrix(Role role, std::string_view gguf, std::string_view hf, Dim rows,
                                  Dim cols) {
  return {.role = role, .gguf = gguf, .hf = hf, .rows = rows, .cols = cols};
}
inline constexpr TensorRow with(TensorRow row, Presence presence) {
  row.presence = presence;
  return row;
}
inline constexpr TensorRow optional(TensorRow row) { return with(row, Presence::kOptional); }
// Outputs are elements of heads that rotate.
inline constexpr TensorRow rotary(TensorRow row) {
  row.order = RowOrder::kRotary;
  return row;
}

inline constexpr TensorRow token_embedding =
    matrix(Role::kTokenEmbedding, "token_embd.weight", "model.embed_tokens.weight",
           Dim::kVocabulary, Dim::kHidden);
inline constexpr TensorRow output_norm =
    vector(Role::kOutputNorm, "output_norm.weight", "model.norm.weight", Dim::kHidden);
inline constexpr TensorRow output =
    with(matrix(Role::kOutput, "output.weight", "lm_head.weight", Dim::kVocabulary, Dim::kHidden),
         Presence::kUnlessTied);
// Only GGUF files carry it: what rope_scaling "llama3" of config.json works out to.
inline constexpr TensorRow rope_factors =
    optional(vector(Role::kRopeFactors, "rope_freqs.weight", "", Dim::kRotaryPairs));

inline constexpr TensorRow attention_norm =
    vector(Role::kAttentionNorm, "blk.{}.attn_norm.weight",
           "model.layers.{}.input_layernorm.weight", Dim::kHidden);
inline constexpr TensorRow query =
    rotary(matrix(Role::kQuery, "blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight",
                  Dim::kQueries, Dim::kHidden));
inline constexpr TensorRow query_bias =
    rotary(vector(Role::kQueryBias, "blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias",
                  Dim::kQueries));
inline constexpr TensorRow query_norm =
    vector(Role::kQueryNorm, "blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight",
           Dim::kHeadDim);
inline constexpr TensorRow key =
    rotary(matrix(Role::kKey, "blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight",
                  Dim::kKeys, Dim::kHidden));
inline constexpr TensorRow key_bias = rotary(vector(
    Role::kKeyBias, "blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias", Dim::kKeys));
inline constexpr TensorRow key_norm =
    vector(Role::kKeyNorm, "blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight",
           Dim::kHeadDim);
inline constexpr TensorRow value =
    matrix(Role::kValue, "blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight",
           Dim::kKeys, Dim::kHidden);
inline constexpr TensorRow value_bias = vector(Role::kValueBias, "blk.{}.attn_v.bias",
                                               "model.layers.{}.self_attn.v_proj.bias", Dim::kKeys);
inline constexpr TensorRow attention_output =
    matrix(Role::kAttentionOutput, "blk.{}.attn_output.weight",
           "model.layers.{}.self_attn.o_proj.weight", Dim::kHidden, Dim::kQueries);
inline constexpr TensorRow attention_output_bias =
    vector(Role::kAttentionOutputBias, "blk.{}.attn_output.bias",
           "model.layers.{}.self_attn.o_proj.bias", Dim::kHidden);

inline constexpr TensorRow ffn_norm =
    vector(Role::kFfnNorm, "blk.{}.ffn_norm.weight",
           "model.layers.{}.post_attention_layernorm.weight", Dim::kHidden);
inline constexpr TensorRow ffn_gate =
    matrix(Role::kFfnGate, "blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight",
           Dim::kFfn, Dim::kHidden);
inline constexpr TensorRow ffn_up =
    matrix(Role::kFfnUp, "blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight", Dim::kFfn,
           Dim::kHidden);
inline constexpr TensorRow ffn_down =
    matrix(Role::kFfnDown, "blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight",
           Dim::kHidden, Dim::kFfn);

}  // namespace nibble::rows
