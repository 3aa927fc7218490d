#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <string>

#include "arch/arch.h"
#include "base/json.h"

namespace nibble::test {

// Every field, so that comparing two texts shows which differs.
inline std::string describe(const Hyperparameters& h) {
  const RopeScaling& s = h.rope_scaling;
  return fmt::format(
      "layers {} hidden {} ffn {} heads {} kv_heads {} head_dim {} vocabulary {} context {}\n"
      "epsilon {} base {} rotary {} window {} tied {} bias {} factors {}\n"
      "scaling {} factor {} original {} low {} high {} fast {} slow {} attention {}",
      h.layers, h.hidden, h.ffn, h.heads, h.kv_heads, h.head_dim, h.vocabulary, h.context,
      h.norm_epsilon, h.rope_base, h.rotary_dim, h.sliding_window, h.tied_embeddings,
      h.attention_bias, h.rope_factors.size(), int(s.kind), s.factor, s.original_context,
      s.low_freq_factor, s.high_freq_factor, s.beta_fast, s.beta_slow, s.attention_factor);
}

inline const Arch& arch_of(const nlohmann::json& config) {
  return arch_by_hf_class(config["architectures"][0].get<std::string>());
}

inline Hyperparameters read_config(const nlohmann::json& config) {
  const JsonFile file(config.dump(), "config.json");
  return hyperparameters_from_config(arch_of(config), file.object());
}

}  // namespace nibble::test
