#pragma once

#include <cstdint>
#include <filesystem>
#include <ostream>
#include <string_view>

#include "arch/arch.h"
#include "formats/format.h"

// Models of any size with random weights, for tests of shapes and measurements of speed.

namespace nibble::test {

namespace fs = std::filesystem;

struct SyntheticSpec {
  std::string_view hf_class = "LlamaForCausalLM";
  uint64_t hidden = 128, layers = 2, heads = 4, kv_heads = 2, head_dim = 32, ffn = 256;
  uint64_t vocabulary = 4096, context = 512;
  bool tied = false;
  bool llama3_rope = false;               // as Llama 3.1: factor 8 beyond 8192 positions
  bool yarn_rope = false;                 // factor 4 beyond 128 positions
  bool attention_bias = false;            // qwen2 has one in any case
  uint64_t sliding_window = 0;            // mistral and qwen
  const Format* format = &formats::bf16;  // or f16, f32
  uint64_t seed = 1;
};

// How GoogleTest shows one.
inline void PrintTo(const SyntheticSpec& spec, std::ostream* out) { *out << spec.hf_class; }

Hyperparameters hyperparameters(const SyntheticSpec& spec);

// Writes a Hugging Face folder, which is created. The weights are scaled so that activations stay
// near one and logits have a standard deviation of about 2: neither flat nor decided. Memory does
// not grow with the model. The tokenizer is that of the shipped model: rows beyond its 4096 tokens
// are reached by no text, and a smaller vocabulary has no tokenizer.
void write_synthetic_model(const fs::path& folder, const SyntheticSpec& spec);

}  // namespace nibble::test
