#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>

#include "arch/arch.h"
#include "arch/checks.h"
#include "arch/hyperparameters.h"
#include "base/error.h"
#include "base/json.h"

// config.json of Hugging Face transformers, versions 4 and 5 (which moves rope_theta and
// rope_scaling into rope_parameters).

namespace nibble {

namespace {

using Kind = RopeScaling::Kind;

const KeyNames kNames = {.heads = "num_attention_heads",
                         .kv_heads = "num_key_value_heads",
                         .head_dim = "head_dim",
                         .rotary_dim = "partial_rotary_factor",
                         .norm_epsilon = "rms_norm_eps",
                         .rope_base = "rope_theta",
                         .rope_scaling = "rope_scaling"};

// ---- reading ----

uint64_t required(JsonObject config, std::string_view key, Range range) {
  const auto value = find_int(config, key);
  if (!value) throw bad_input("\"{}\": missing", key);
  return in_range(key, *value, range);
}

uint64_t optional(JsonObject config, std::string_view key, Range range, uint64_t otherwise) {
  const auto value = find_int(config, key);
  return value ? in_range(key, *value, range) : otherwise;
}

double positive_or(JsonObject o, std::string_view key, double max, double otherwise) {
  const auto value = find_number(o, key);
  return value ? positive(key, *value, max) : otherwise;
}

double required_positive(JsonObject o, std::string_view key, double max) {
  const auto value = find_number(o, key);
  if (!value) throw bad_input("\"{}\": missing in the rope scaling", key);
  return positive(key, *value, max);
}

// Everything in a config that would change the network without a tensor of an unknown name to tell.
void refuse_unsupported(const Arch& arch, JsonObject config) {
  if (find_value(config, "quantization_config")) {
    throw bad_input("\"quantization_config\": the weights are already quantized")
        .hint("use the original model, or a GGUF file of it");
  }
  for (const auto key : {"num_local_experts", "num_experts", "n_routed_experts"}) {
    if (find_int(config, key).value_or(0) > 0) {
      throw bad_input("\"{}\": mixtures of experts are not supported", key);
    }
  }
  const std::string_view activation = find_string(config, "hidden_act").value_or("silu");
  if (activation != "silu" && activation != "swish") {
    throw bad_input("\"hidden_act\": expected silu, got {}", activation.substr(0, 40));
  }
  if (find_bool(config, "mlp_bias").value_or(false)) {
    throw bad_input("\"mlp_bias\": biases of the feed-forward layers are not supported");
  }
  if (find_bool(config, "attention_bias").value_or(false) && !arch.find(Role::kQueryBias)) {
    throw bad_input("\"attention_bias\": not supported for {}", arch.hf_classes[0]);
  }
  if (find_number(config, "partial_rotary_factor").value_or(1) != 1) {
    throw bad_input("\"partial_rotary_factor\": heads that rotate only in part are not supported");
  }
}

// YaRN's magnitude: given outright, or by DeepSeek's pair of coefficients.
double yarn_attention_factor(JsonObject o, double factor) {
  if (find_value(o, "attention_factor")) return required_positive(o, "attention_factor", 1e3);
  const double scale = find_number(o, "mscale").value_or(0);
  const double scale_all = find_number(o, "mscale_all_dim").value_or(0);
  if (scale == 0 || scale_all == 0 || factor <= 1) return 0;
  const double log_factor = 0.1 * std::log(factor);
  return positive("mscale", (log_factor * scale + 1) / (log_factor * scale_all + 1), 1e3);
}

RopeScaling read_scaling(JsonObject o, uint64_t context) {
  RopeScaling s;
  const auto named = find_string(o, "rope_type");
  const std::string_view type = named ? *named : find_string(o, "type").value_or("default");
  if (type == "default") return s;
  if (type != "linear" && type != "llama3" && type != "yarn") {
    throw bad_input(
        "\"rope_type\": {} is not supported; supported are default, linear, llama3, yarn",
        type.substr(0, 40));
  }
  s.factor = required_positive(o, "factor", 1e6);
  if (type == "linear") {
    s.kind = Kind::kLinear;
    return s;
  }
  constexpr double kMaxContext = double(kContextRange.max);
  s.original_context =
      positive_or(o, "original_max_position_embeddings", kMaxContext, double(context));
  if (type == "llama3") {
    s.kind = Kind::kLlama3;
    s.low_freq_factor = required_positive(o, "low_freq_factor", 1e6);
    s.high_freq_factor = required_positive(o, "high_freq_factor", 1e6);
    return s;
  }
  s.kind = Kind::kYarn;
  s.beta_fast = positive_or(o, "beta_fast", 1e6, s.beta_fast);
  s.beta_slow = positive_or(o, "beta_slow", 1e6, s.beta_slow);
  s.attention_factor = yarn_attention_factor(o, s.factor);
  if (!find_bool(o, "truncate").value_or(true)) {
    throw bad_input("\"truncate\": false is not supported for yarn");
  }
  return s;
}

void read_rope(JsonObject config, Hyperparameters& h) {
  h.rope_base = positive_or(config, "rope_theta", 1e15, h.rope_base);
  auto scaling = find_object(config, "rope_parameters");
  if (!scaling) scaling = find_object(config, "rope_scaling");
  if (!scaling) return;
  for (const auto field : *scaling) {
    if (field.value.is_object()) {
      throw bad_input("\"rope_parameters\": {} has its own; that is not supported",
                      field.key.substr(0, 40));
    }
  }
  h.rope_base = positive_or(*scaling, "rope_theta", 1e15, h.rope_base);
  h.rope_scaling = read_scaling(*scaling, h.context);
}

// Whether layers look back only so far. Either all do or none.
bool uses_window(const Arch& arch, JsonObject config) {
  if (arch.window == WindowRule::kNever) return false;
  if (const auto types = find_array(config, "layer_types")) {
    size_t windowed = 0, all = 0;
    for (const auto type : *types) {
      std::string_view name;
      if (type.get(name) || (name != "full_attention" && name != "sliding_attention")) {
        throw bad_input("\"layer_types\": expected full_attention or sliding_attention");
      }
      windowed += name == "sliding_attention";
      ++all;
    }
    if (windowed != 0 && windowed != all) {
      throw bad_input("\"layer_types\": layers of two kinds are not supported");
    }
    return windowed != 0;
  }
  if (arch.window == WindowRule::kAlways) return true;
  if (!find_bool(config, "use_sliding_window").value_or(false)) return false;
  // Layers from max_window_layers on are windowed, those before it are not.
  const int64_t first = find_int(config, "max_window_layers").value_or(0);
  if (first >= find_int(config, "num_hidden_layers").value_or(0)) return false;
  if (first > 0) {
    throw bad_input("\"max_window_layers\": layers of two kinds are not supported, got {}", first);
  }
  return true;
}

// ---- writing ----

using Json = nlohmann::ordered_json;

Json scaling_json(const Hyperparameters& h) {
  RopeScaling s = h.rope_scaling;
  if (!h.rope_factors.empty()) {
    s = llama3_scaling_of(h);
    if (s.kind == Kind::kNone) {
      throw bad_input("rope_freqs.weight: config.json has no way to express these divisors");
    }
  }
  switch (s.kind) {
    case Kind::kNone:
      return nullptr;
    case Kind::kLinear:
      return {{"rope_type", "linear"}, {"factor", s.factor}};
    case Kind::kLlama3:
      return {{"rope_type", "llama3"},
              {"factor", s.factor},
              {"low_freq_factor", s.low_freq_factor},
              {"high_freq_factor", s.high_freq_factor},
              {"original_max_position_embeddings", int64_t(s.original_context)}};
    case Kind::kYarn: {
      Json yarn = {{"rope_type", "yarn"},
                   {"factor", s.factor},
                   {"original_max_position_embeddings", int64_t(s.original_context)},
                   {"beta_fast", s.beta_fast},
                   {"beta_slow", s.beta_slow}};
      if (s.attention_factor > 0) yarn["attention_factor"] = s.attention_factor;
      return yarn;
    }
  }
  NIBBLE_CHECK(false);
}

// The architecture of the same GGUF name whose Hugging Face code obeys the model's window.
const Arch& written_arch(const Arch& arch, const Hyperparameters& h) {
  if (h.sliding_window == 0 || arch.window != WindowRule::kNever) return arch;
  for (const Arch* other : all_archs()) {
    if (other->name == arch.name && other->window != WindowRule::kNever) return *other;
  }
  throw bad_input("a sliding window of {} cannot be written for {}", h.sliding_window,
                  arch.hf_classes[0]);
}

Json token_ids_json(const std::vector<int64_t>& ids) {
  if (ids.empty()) return nullptr;
  return ids.size() == 1 ? Json(ids[0]) : Json(ids);
}

void write_window(const Arch& arch, const Hyperparameters& h, Json& config) {
  if (arch.window == WindowRule::kNever) return;
  config["sliding_window"] = h.sliding_window == 0 ? Json(nullptr) : Json(h.sliding_window);
  if (arch.window == WindowRule::kWhenUsed) {
    config["use_sliding_window"] = h.sliding_window != 0;
    config["max_window_layers"] = h.sliding_window != 0 ? 0 : h.layers;
  }
}

}  // namespace

Hyperparameters hyperparameters_from_config(const Arch& arch, JsonObject config) {
  refuse_unsupported(arch, config);
  Hyperparameters h;
  h.layers = required(config, "num_hidden_layers", kLayerRange);
  h.hidden = required(config, "hidden_size", kSizeRange);
  h.ffn = required(config, "intermediate_size", kSizeRange);
  h.heads = required(config, "num_attention_heads", kHeadRange);
  h.kv_heads = optional(config, "num_key_value_heads", kHeadRange, h.heads);
  if (!find_value(config, "head_dim") && h.hidden % h.heads != 0) {
    throw bad_input("\"hidden_size\": expected a multiple of \"num_attention_heads\" {}, got {}",
                    h.heads, h.hidden);
  }
  h.head_dim = optional(config, "head_dim", kHeadDimRange, h.hidden / h.heads);
  in_range("head_dim", int64_t(h.head_dim), kHeadDimRange);
  h.rotary_dim = h.head_dim;
  h.vocabulary = required(config, "vocab_size", kVocabularyRange);
  h.context = required(config, "max_position_embeddings", kContextRange);
  h.norm_epsilon = positive_or(config, "rms_norm_eps", 1, 1e-6);
  read_rope(config, h);
  if (uses_window(arch, config)) {
    h.sliding_window = optional(config, "sliding_window", kContextRange, 0);
  }
  h.tied_embeddings = find_bool(config, "tie_word_embeddings").value_or(false);
  h.attention_bias = arch.qkv_bias || find_bool(config, "attention_bias").value_or(false);
  check_agreement(h, kNames);
  return h;
}

std::string write_config_json(const Arch& arch, const Hyperparameters& h, std::string_view dtype,
                              int64_t bos, const std::vector<int64_t>& eos) {
  const Arch& written = written_arch(arch, h);
  Json config;
  config["architectures"] = {written.hf_classes[0]};
  config["model_type"] = written.hf_model_type;
  config["hidden_size"] = h.hidden;
  config["intermediate_size"] = h.ffn;
  config["num_hidden_layers"] = h.layers;
  config["num_attention_heads"] = h.heads;
  config["num_key_value_heads"] = h.kv_heads;
  config["head_dim"] = h.head_dim;
  config["hidden_act"] = "silu";
  config["max_position_embeddings"] = h.context;
  config["vocab_size"] = h.vocabulary;
  config["rms_norm_eps"] = h.norm_epsilon;
  config["rope_theta"] = h.rope_base;
  config["rope_scaling"] = scaling_json(h);
  write_window(written, h, config);
  config["tie_word_embeddings"] = h.tied_embeddings;
  if (!written.qkv_bias) config["attention_bias"] = h.attention_bias;
  config["attention_dropout"] = 0.0;
  config["initializer_range"] = 0.02;
  config["use_cache"] = true;
  config["bos_token_id"] = bos >= 0 ? Json(bos) : Json(nullptr);
  config["eos_token_id"] = token_ids_json(eos);
  config["torch_dtype"] = dtype;
  return config.dump(2) + "\n";
}

}  // namespace nibble
