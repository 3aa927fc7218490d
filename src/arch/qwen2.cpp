#include "arch/arch.h"
#include "arch/rows.h"

// Qwen 2 and 2.5: Llama's network with biases on q, k and v that no flag announces
// (Yang et al. 2024). GGUF files keep the row order of Hugging Face.

namespace nibble {
namespace {

constexpr TensorRow kTensors[] = {
    rows::token_embedding,
    rows::attention_norm,
    rows::query,
    rows::query_bias,
    rows::key,
    rows::key_bias,
    rows::value,
    rows::value_bias,
    rows::attention_output,
    rows::ffn_norm,
    rows::ffn_gate,
    rows::ffn_up,
    rows::ffn_down,
    rows::output_norm,
    rows::output,
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
