#include "arch/arch.h"

// Llama 1, 2, 3 and what is built like them: pre-norm blocks of grouped-query attention with rotary
// embeddings and a gated SiLU feed-forward (Touvron et al. 2023). Mistral 7B and Nemo are the same
// network with an optional attention window, and carry the name "llama" in GGUF files.

namespace nibble {

namespace {

constexpr TensorRow kTensors[] = {
    {.role = Role::kTokenEmbedding,
     .gguf = "token_embd.weight",
     .hf = "model.embed_tokens.weight",
     .rows = Dim::kVocabulary,
     .cols = Dim::kHidden},
    // Only GGUF files carry it: what rope_scaling "llama3" of config.json works out to.
    {.role = Role::kRopeFactors,
     .gguf = "rope_freqs.weight",
     .hf = "",
     .rows = Dim::kNone,
     .cols = Dim::kRotaryPairs,
     .presence = Presence::kOptional},
    {.role = Role::kAttentionNorm,
     .gguf = "blk.{}.attn_norm.weight",
     .hf = "model.layers.{}.input_layernorm.weight",
     .rows = Dim::kNone,
     .cols = Dim::kHidden},
    {.role = Role::kQuery,
     .gguf = "blk.{}.attn_q.weight",
     .hf = "model.layers.{}.self_attn.q_proj.weight",
     .rows = Dim::kQueries,
     .cols = Dim::kHidden,
     .order = RowOrder::kRotaryQueries},
    {.role = Role::kQueryBias,
     .gguf = "blk.{}.attn_q.bias",
     .hf = "model.layers.{}.self_attn.q_proj.bias",
     .rows = Dim::kNone,
     .cols = Dim::kQueries,
     .presence = Presence::kOptional,
     .order = RowOrder::kRotaryQueries},
    {.role = Role::kKey,
     .gguf = "blk.{}.attn_k.weight",
     .hf = "model.layers.{}.self_attn.k_proj.weight",
     .rows = Dim::kKeys,
     .cols = Dim::kHidden,
     .order = RowOrder::kRotaryKeys},
    {.role = Role::kKeyBias,
     .gguf = "blk.{}.attn_k.bias",
     .hf = "model.layers.{}.self_attn.k_proj.bias",
     .rows = Dim::kNone,
     .cols = Dim::kKeys,
     .presence = Presence::kOptional,
     .order = RowOrder::kRotaryKeys},
    {.role = Role::kValue,
     .gguf = "blk.{}.attn_v.weight",
     .hf = "model.layers.{}.self_attn.v_proj.weight",
     .rows = Dim::kKeys,
     .cols = Dim::kHidden},
    {.role = Role::kValueBias,
     .gguf = "blk.{}.attn_v.bias",
     .hf = "model.layers.{}.self_attn.v_proj.bias",
     .rows = Dim::kNone,
     .cols = Dim::kKeys,
     .presence = Presence::kOptional},
    {.role = Role::kAttentionOutput,
     .gguf = "blk.{}.attn_output.weight",
     .hf = "model.layers.{}.self_attn.o_proj.weight",
     .rows = Dim::kHidden,
     .cols = Dim::kQueries},
    {.role = Role::kAttentionOutputBias,
     .gguf = "blk.{}.attn_output.bias",
     .hf = "model.layers.{}.self_attn.o_proj.bias",
     .rows = Dim::kNone,
     .cols = Dim::kHidden,
     .presence = Presence::kOptional},
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

constexpr std::string_view kLlamaClasses[] = {"LlamaForCausalLM"};
constexpr std::string_view kMistralClasses[] = {"MistralForCausalLM"};

}  // namespace

const Arch archs::llama = {
    .name = "llama",
    .hf_classes = kLlamaClasses,
    .hf_model_type = "llama",
    .gguf_rotates_neighbours = true,
    .qkv_bias = false,
    .tensors = kTensors,
};

const Arch archs::mistral = {
    .name = "llama",
    .hf_classes = kMistralClasses,
    .hf_model_type = "mistral",
    .gguf_rotates_neighbours = true,
    .qkv_bias = false,
    .tensors = kTensors,
    .window = WindowRule::kAlways,
};

}  // namespace nibble
