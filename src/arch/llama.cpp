#include "arch/arch.h"
#include "arch/rows.h"

// Llama 1, 2, 3 and what is built like them: pre-norm blocks of grouped-query attention with rotary
// embeddings and a gated SiLU feed-forward (Touvron et al. 2023). Mistral 7B and Nemo are the same
// network with an optional attention window, and carry the name "llama" in GGUF files.

namespace nibble {
namespace {

constexpr TensorRow kTensors[] = {
    rows::token_embedding,
    rows::rope_factors,
    rows::attention_norm,
    rows::query,
    rows::optional(rows::query_bias),
    rows::key,
    rows::optional(rows::key_bias),
    rows::value,
    rows::optional(rows::value_bias),
    rows::attention_output,
    rows::optional(rows::attention_output_bias),
    rows::ffn_norm,
    rows::ffn_gate,
    rows::ffn_up,
    rows::ffn_down,
    rows::output_norm,
    rows::output,
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
