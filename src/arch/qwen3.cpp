#include "arch/arch.h"
#include "arch/rows.h"

// Qwen 3: no biases; queries and keys of every head are normalized before they rotate (Qwen team
// 2025). The size of a head is a number of its own. GGUF files keep the row order of Hugging Face.

namespace nibble {
namespace {

constexpr TensorRow kTensors[] = {
    rows::token_embedding,
    rows::attention_norm,
    rows::query,
    rows::query_norm,
    rows::key,
    rows::key_norm,
    rows::value,
    rows::attention_output,
    rows::ffn_norm,
    rows::ffn_gate,
    rows::ffn_up,
    rows::ffn_down,
    rows::output_norm,
    rows::output,
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
