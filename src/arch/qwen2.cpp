#include "arch/arch.h"

// Qwen 2 and 2.5: Llama's network with biases on q, k and v that no flag announces
// (Yang et al. 2024). GGUF files keep the row order of Hugging Face.

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
    {.role = Role::kQueryBias,
     .gguf = "blk.{}.attn_q.bias",
     .hf = "model.layers.{}.self_attn.q_proj.bias",
     .rows = Dim::kNone,
     .cols = Dim::kQueries},
    {.role = Role::kKey,
     .gguf = "blk.{}.attn_k.weight",
     .hf = "model.layers.{}.self_attn.k_proj.weight",
     .rows = Dim::kKeys,
     .cols = Dim::kHidden},
    {.role = Role::kKeyBias,
     .gguf = "blk.{}.attn_k.bias",
     .hf = "model.layers.{}.self_attn.k_proj.bias",
     .rows = Dim::kNone,
     .cols = Dim::kKeys},
    {.role = Role::kValue,
     .gguf = "blk.{}.attn_v.weight",
     .hf = "model.layers.{}.self_attn.v_proj.weight",
     .rows = Dim::kKeys,
     .cols = Dim::kHidden},
    {.role = Role::kValueBias,
     .gguf = "blk.{}.attn_v.bias",
     .hf = "model.layers.{}.self_attn.v_proj.bias",
     .rows = Dim::kNone,
     .cols = Dim::kKeys},
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

constexpr std::string_view kClasses[] = {"Qwen2ForCausalLM"};

}  // namespace

const Arch archs::qwen2 = {
    .name = "qwen2",
    .hf_classes = kClasses,
    .hf_model_type = "qwen2",
    .gguf_rotates_neighbours = false,
    .qkv_bias = true,
    .tensors = kTensors,
    .window = WindowRule::kWhenUsed,
};

}  // namespace nibble
