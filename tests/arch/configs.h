#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// config.json of published models, as far as they describe the network.

namespace nibble::test {

struct PublishedModel {
  const char* name;
  const char* config;
  uint64_t parameters;  // as published, embeddings counted once where they are tied
};

inline const std::vector<PublishedModel>& published_models() {
  static const std::vector<PublishedModel> models = {
      {"Llama-2-7B", R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama",
        "hidden_act": "silu", "hidden_size": 4096, "intermediate_size": 11008,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
        "max_position_embeddings": 4096, "rms_norm_eps": 1e-05, "rope_scaling": null,
        "pretraining_tp": 1, "tie_word_embeddings": false, "torch_dtype": "float16",
        "vocab_size": 32000})",
       6738415616},
      {"Llama-3.1-8B", R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama",
        "attention_bias": false, "mlp_bias": false, "hidden_act": "silu", "hidden_size": 4096,
        "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 8, "max_position_embeddings": 131072, "rms_norm_eps": 1e-05,
        "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 8192, "rope_type": "llama3"},
        "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
        "vocab_size": 128256})",
       8030261248},
      {"Llama-3.2-1B", R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama",
        "attention_bias": false, "mlp_bias": false, "head_dim": 64, "hidden_act": "silu",
        "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
        "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 131072,
        "rms_norm_eps": 1e-05,
        "rope_scaling": {"factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 8192, "rope_type": "llama3"},
        "rope_theta": 500000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
        "vocab_size": 128256})",
       1235814400},
      {"Mistral-7B-v0.1", R"({"architectures": ["MistralForCausalLM"], "model_type": "mistral",
        "hidden_act": "silu", "hidden_size": 4096, "intermediate_size": 14336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "max_position_embeddings": 32768, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
        "sliding_window": 4096, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
        "vocab_size": 32000})",
       7241732096},
      {"Mistral-Nemo-2407", R"({"architectures": ["MistralForCausalLM"], "model_type": "mistral",
        "head_dim": 128, "hidden_act": "silu", "hidden_size": 5120, "intermediate_size": 14336,
        "num_hidden_layers": 40, "num_attention_heads": 32, "num_key_value_heads": 8,
        "max_position_embeddings": 131072, "rms_norm_eps": 1e-05, "rope_theta": 1000000.0,
        "sliding_window": null, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
        "vocab_size": 131072})",
       12247782400},
      {"Qwen2-0.5B", R"({"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2",
        "hidden_act": "silu", "hidden_size": 896, "intermediate_size": 4864,
        "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
        "max_position_embeddings": 131072, "max_window_layers": 24, "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0, "sliding_window": 131072, "use_sliding_window": false,
        "tie_word_embeddings": true, "torch_dtype": "bfloat16", "vocab_size": 151936})",
       494032768},
      {"Qwen2.5-7B", R"({"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2",
        "hidden_act": "silu", "hidden_size": 3584, "intermediate_size": 18944,
        "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
        "max_position_embeddings": 131072, "max_window_layers": 28, "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0, "sliding_window": 131072, "use_sliding_window": false,
        "tie_word_embeddings": false, "torch_dtype": "bfloat16", "vocab_size": 152064})",
       7615616512},
      {"Qwen3-0.6B", R"({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3",
        "attention_bias": false, "head_dim": 128, "hidden_act": "silu", "hidden_size": 1024,
        "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16,
        "num_key_value_heads": 8, "max_position_embeddings": 40960, "max_window_layers": 28,
        "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 1000000,
        "sliding_window": null, "use_sliding_window": false, "tie_word_embeddings": true,
        "torch_dtype": "bfloat16", "vocab_size": 151936})",
       596049920},
      {"Qwen3-8B", R"({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3",
        "attention_bias": false, "head_dim": 128, "hidden_act": "silu", "hidden_size": 4096,
        "intermediate_size": 12288, "num_hidden_layers": 36, "num_attention_heads": 32,
        "num_key_value_heads": 8, "max_position_embeddings": 40960, "max_window_layers": 36,
        "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 1000000,
        "sliding_window": null, "use_sliding_window": false, "tie_word_embeddings": false,
        "torch_dtype": "bfloat16", "vocab_size": 151936})",
       8190735360},
  };
  return models;
}

inline nlohmann::json published_config(std::string_view name) {
  for (const PublishedModel& model : published_models()) {
    if (name == model.name) return nlohmann::json::parse(model.config);
  }
  throw std::runtime_error("no such published model");
}

}  // namespace nibble::test
