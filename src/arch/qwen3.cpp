#include "arch/arch.h"

// Qwen 3: no biases; queries and keys of every head are normalized before they rotate (Qwen team
// 2025). The size of a head is a number of its own. GGUF files keep the row order of Hugging Face.

namespace nibble {

namespace {

constexpr TensorRow kTensors[] = {
    {.role = Role::kTokenEmbedding,
     .gguf = "token_embd.weight",
     .hf = "model.embed_tokens.weight",
     .rows = Dim::kVocabulary,
     .cols = Dim::kHidden},
    {.role = Role::kAttentionNorm,
     .gguf = "blk.{}.attn_norm.weight",
     .hf = "model.layers.{}.input_layernorm.weight",
     .rows = Dim::kNone,
     .cols = Dim::kHidden},
    {.role = Role::kQuery,
     .gguf = "blk.{}.attn_q.weight",
     .hf = "model.layers.{}.self_attn.q_proj.weight",
     .rows = Dim::kQueries,
     .cols = Dim::kHidden},
    {.role = Role::kQueryNorm,
     .gguf = "blk.{}.attn_q_norm.weight",
     .hf = "model.layers.{}.self_attn.q_norm.weight",
     .rows = Dim::kNone,
     .cols = Dim::kHeadDim},
    {.role = Role::kKey,
     .gguf = "blk.{}.attn_k.weight",
     .hf = "model.layers.{}.self_attn.k_proj.weight",
     .rows = Dim::kKeys,
     .cols = Dim::kHidden},
    {.role = Role::kKeyNorm,
     .gguf = "blk.{}.attn_k_norm.weight",
     .hf = "model.layers.{}.self_attn.k_norm.weight",
     .rows = Dim::kNone,
     .cols = Dim::kHeadDim},
    {.role = Role::kValue,
     .gguf = "blk.{}.attn_v.weight",
     .hf = "model.layers.{}.self_attn.v_proj.weight",
     .rows = Dim::kKeys,
     .cols = Dim::kHidden},
    {.role = Role::kAttentionOutput,
     .gguf = "blk.{}.attn_output.weight",
     .hf = "model.layers.{}.self_attn.o_proj.weight",
     .rows = Dim::kHidden,
     .cols = Dim::kQueries},
    {.role = Role::kFfnNorm,
     .gguf = "blk.{}.ffn_norm.weight",
     .hf = "model.layers.{}.post_attention_layernorm.weight",
     .rows = Dim::kNone,
     .cols = Dim::kHidden},
    {.role = Role::kFfnGate,
     .gguf = "blk.{}.ffn_gate.weight",
     .hf = "model.layers.{}.mlp.gate_proj.weight",
     .rows = Dim::kFfn,
     .cols = Dim::kHidden},
    {.role = Role::kFfnUp,
     .gguf = "blk.{}.ffn_up.weight",
     .hf = "model.layers.{}.mlp.up_proj.weight",
     .rows = Dim::kFfn,
     .cols = Dim::kHidden},
    {.role = Role::kFfnDown,
     .gguf = "blk.{}.ffn_down.weight",
     .hf = "model.layers.{}.mlp.down_proj.weight",
     .rows = Dim::kHidden,
     .cols = Dim::kFfn},
    {.role = Role::kOutputNorm,
     .gguf = "output_norm.weight",
     .hf = "model.norm.weight",
     .rows = Dim::kNone,
     .cols = Dim::kHidden},
    {.role = Role::kOutput,
     .gguf = "output.weight",
     .hf = "lm_head.weight",
     .rows = Dim::kVocabulary,
     .cols = Dim::kHidden,
     .presence = Presence::kUnlessTied},
};

constexpr std::string_view kClasses[] = {"Qwen3ForCausalLM"};

}  // namespace

const Arch archs::qwen3 = {
    .name = "qwen3",
    .hf_classes = kClasses,
    .hf_model_type = "qwen3",
    .gguf_rotates_neighbours = false,
    .qkv_bias = false,
    .tensors = kTensors,
    .window = WindowRule::kWhenUsed,
};

}  // namespace nibble
