#include <algorithm>
#include <cmath>
#include <string>

#include "arch/arch.h"
#include "arch/checks.h"
#include "arch/hyperparameters.h"
#include "base/error.h"

// The {arch}.* keys of GGUF files (github.com/ggml-org/ggml, docs/gguf.md, and what llama.cpp
// adds).

namespace nibble {

namespace {

using Kind = RopeScaling::Kind;

// One architecture's corner of the metadata: "block_count" is "llama.block_count".
class Keys {
 public:
  Keys(const Arch& arch, const Metadata& metadata) : prefix_(arch.name), metadata_(metadata) {
    prefix_ += '.';
  }

  std::string full(std::string_view key) const { return prefix_ + std::string(key); }

  uint64_t integer(std::string_view key, Range range) const {
    const auto value = find_integer(key);
    if (!value) throw bad_input("\"{}\": missing", full(key));
    return in_range(full(key), *value, range);
  }
  uint64_t integer(std::string_view key, Range range, uint64_t otherwise) const {
    const auto value = find_integer(key);
    return value ? in_range(full(key), *value, range) : otherwise;
  }
  double number(std::string_view key, double max, double otherwise) const {
    const auto value = metadata_.get_number(full(key));
    if (!value) return otherwise;
    return positive(full(key), stored_as_float(key) ? as_written(float(*value)) : *value, max);
  }
  double number(std::string_view key, double max) const {
    if (!metadata_.contains(full(key))) throw bad_input("\"{}\": missing", full(key));
    return number(key, max, 0);
  }
  std::string_view string(std::string_view key, std::string_view otherwise) const {
    return metadata_.get_string(full(key)).value_or(otherwise);
  }
  // Refuses a key that stands for a part of the network nibble has not got.
  void refuse(std::string_view key, double harmless) const {
    const auto value = metadata_.get_number(full(key));
    if (value && *value != harmless) {
      throw bad_input("\"{}\": expected {}, got {}; it is not supported", full(key), harmless,
                      *value);
    }
  }

 private:
  // Some keys may hold one number for every layer; nibble takes them where all are the same.
  std::optional<int64_t> find_integer(std::string_view key) const {
    const std::string name = full(key);
    const MetadataValue* value = metadata_.find(name);
    if (value == nullptr || !std::holds_alternative<MetadataArray>(*value)) {
      return metadata_.get_int(name);
    }
    const auto values = metadata_.get_ints(name);
    if (values->empty() || std::ranges::count(*values, values->front()) != std::ssize(*values)) {
      throw bad_input("\"{}\": layers of different sizes are not supported", name);
    }
    return values->front();
  }

  bool stored_as_float(std::string_view key) const {
    return std::holds_alternative<float>(*metadata_.find(full(key)));
  }

  std::string prefix_;
  const Metadata& metadata_;
};

double default_yarn_magnitude(double factor) { return factor > 1 ? 0.1 * std::log(factor) + 1 : 1; }

RopeScaling read_scaling(const Keys& keys, uint64_t context) {
  RopeScaling s;
  const std::string_view type = keys.string("rope.scaling.type", "none");
  const double legacy = keys.number("rope.scale_linear", 1e6, 1);
  s.factor = keys.number("rope.scaling.factor", 1e6, legacy);
  if (type == "yarn") {
    s.kind = Kind::kYarn;
    constexpr double kMaxContext = double(kContextRange.max);
    s.original_context =
        keys.number("rope.scaling.original_context_length", kMaxContext, double(context));
    s.beta_fast = keys.number("rope.scaling.yarn_beta_fast", 1e6, s.beta_fast);
    s.beta_slow = keys.number("rope.scaling.yarn_beta_slow", 1e6, s.beta_slow);
    // In GGUF a multiple of the usual magnitude, here the magnitude itself.
    const double multiple = keys.number("rope.scaling.attn_factor", 1e3, 1);
    if (multiple != 1) s.attention_factor = multiple * default_yarn_magnitude(s.factor);
  } else if (type == "linear" || (type == "none" && legacy != 1)) {
    s.kind = s.factor == 1 ? Kind::kNone : Kind::kLinear;
  } else if (type != "none") {
    throw bad_input("\"{}\": {} is not supported; supported are none, linear, yarn",
                    keys.full("rope.scaling.type"), type.substr(0, 40));
  }
  if (s.kind == Kind::kNone) s.factor = 1;
  return s;
}

void read_heads(const Keys& keys, Hyperparameters& h) {
  h.heads = keys.integer("attention.head_count", kHeadRange);
  h.kv_heads = keys.integer("attention.head_count_kv", kHeadRange, h.heads);
  h.head_dim = keys.integer("attention.key_length", kHeadDimRange, h.hidden / h.heads);
  in_range(keys.full("attention.key_length"), int64_t(h.head_dim), kHeadDimRange);
  const uint64_t value_dim = keys.integer("attention.value_length", kHeadDimRange, h.head_dim);
  if (value_dim != h.head_dim) {
    throw bad_input("\"{}\": expected {} as for keys, got {}", keys.full("attention.value_length"),
                    h.head_dim, value_dim);
  }
  h.rotary_dim = keys.integer("rope.dimension_count", kHeadDimRange, h.head_dim);
}

// The key itself, or the length of the vocabulary; 0 when the metadata says neither.
uint64_t read_vocabulary(const Keys& keys, const Metadata& metadata) {
  const auto* tokens = metadata.get_strings("tokenizer.ggml.tokens");
  const uint64_t counted = tokens == nullptr ? 0 : tokens->size();
  if (counted > uint64_t(kVocabularyRange.max)) {
    throw bad_input("\"tokenizer.ggml.tokens\": expected at most {} tokens, got {}",
                    kVocabularyRange.max, counted);
  }
  return keys.integer("vocab_size", kVocabularyRange, counted);
}

void write_scaling(const std::string& prefix, const RopeScaling& s, Metadata& metadata) {
  // Llama 3 scaling is the tensor rope_freqs.weight there, not a key.
  if (s.kind != Kind::kLinear && s.kind != Kind::kYarn) return;
  const bool yarn = s.kind == Kind::kYarn;
  metadata.set(prefix + "type", std::string(yarn ? "yarn" : "linear"));
  metadata.set(prefix + "factor", float(s.factor));
  if (!yarn) return;
  const RopeScaling usual;
  metadata.set(prefix + "original_context_length", uint32_t(s.original_context));
  if (s.attention_factor > 0) {
    const double multiple = s.attention_factor / default_yarn_magnitude(s.factor);
    metadata.set(prefix + "attn_factor", float(multiple));
  }
  if (s.beta_fast != usual.beta_fast || s.beta_slow != usual.beta_slow) {
    metadata.set(prefix + "yarn_beta_fast", float(s.beta_fast));
    metadata.set(prefix + "yarn_beta_slow", float(s.beta_slow));
  }
}

}  // namespace

Hyperparameters hyperparameters_from_gguf(const Arch& arch, const Metadata& metadata) {
  const Keys keys(arch, metadata);
  for (const auto key : {"expert_count", "attn_logit_softcapping", "final_logit_softcapping"}) {
    keys.refuse(key, 0);
  }
  for (const auto key : {"logit_scale", "embedding_scale", "residual_scale"}) keys.refuse(key, 1);
  Hyperparameters h;
  h.layers = keys.integer("block_count", kLayerRange);
  h.hidden = keys.integer("embedding_length", kSizeRange);
  h.ffn = keys.integer("feed_forward_length", kSizeRange);
  read_heads(keys, h);
  h.context = keys.integer("context_length", kContextRange);
  h.vocabulary = read_vocabulary(keys, metadata);
  h.norm_epsilon = keys.number("attention.layer_norm_rms_epsilon", 1);
  h.rope_base = keys.number("rope.freq_base", 1e15, h.rope_base);
  h.rope_scaling = read_scaling(keys, h.context);
  h.sliding_window = keys.integer("attention.sliding_window", {0, kContextRange.max}, 0);
  h.attention_bias = arch.qkv_bias;
  check_agreement(h, {.heads = keys.full("attention.head_count"),
                      .kv_heads = keys.full("attention.head_count_kv"),
                      .head_dim = keys.full("attention.key_length"),
                      .rotary_dim = keys.full("rope.dimension_count"),
                      .norm_epsilon = keys.full("attention.layer_norm_rms_epsilon"),
                      .rope_base = keys.full("rope.freq_base"),
                      .rope_scaling = keys.full("rope.scaling.type")});
  return h;
}

void write_gguf_hyperparameters(const Arch& arch, const Hyperparameters& h, Metadata& metadata) {
  const std::string prefix = std::string(arch.name) + '.';
  const auto set = [&](std::string_view key, auto value) {
    metadata.set(prefix + std::string(key), value);
  };
  set("block_count", uint32_t(h.layers));
  set("context_length", uint32_t(h.context));
  set("embedding_length", uint32_t(h.hidden));
  set("feed_forward_length", uint32_t(h.ffn));
  set("attention.head_count", uint32_t(h.heads));
  set("attention.head_count_kv", uint32_t(h.kv_heads));
  set("attention.key_length", uint32_t(h.head_dim));
  set("attention.value_length", uint32_t(h.head_dim));
  set("attention.layer_norm_rms_epsilon", float(h.norm_epsilon));
  set("rope.dimension_count", uint32_t(h.rotary_dim));
  set("rope.freq_base", float(h.rope_base));
  set("vocab_size", uint32_t(h.vocabulary));
  write_scaling(prefix + "rope.scaling.", h.rope_scaling, metadata);
  if (h.sliding_window != 0) set("attention.sliding_window", uint32_t(h.sliding_window));
}

}  // namespace nibble
