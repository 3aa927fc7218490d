#include "arch/hyperparameters.h"

#include <limits>

#include "arch/checks.h"
#include "base/error.h"
#include "configs.h"
#include "describe.h"
#include "support/support.h"

namespace nibble {
namespace {

using nlohmann::json;
using test::arch_of;
using test::describe;
using test::published_config;
using test::published_models;
using test::read_config;
using Kind = RopeScaling::Kind;

uint64_t parameters(const Arch& arch, const Hyperparameters& h) {
  uint64_t sum = 0;
  for (const TensorRow& row : arch.tensors) {
    if (row.role == Role::kRopeFactors) continue;
    if (row.presence == Presence::kUnlessTied && h.tied_embeddings) continue;
    if (row.presence == Presence::kOptional && !h.attention_bias) continue;
    const uint64_t count = row.gguf.starts_with("blk.") ? h.layers : 1;
    sum += count * dimension(row.rows, h) * dimension(row.cols, h);
  }
  return sum;
}

TEST(Config, PublishedModelsHaveTheParametersTheyArePublishedWith) {
  for (const auto& model : published_models()) {
    const json config = json::parse(model.config);
    EXPECT_EQ(parameters(arch_of(config), read_config(config)), model.parameters) << model.name;
  }
}

TEST(Config, ReadsEveryNumber) {
  const Hyperparameters h = read_config(published_config("Llama-3.2-1B"));
  EXPECT_EQ(describe(h),
            "layers 16 hidden 2048 ffn 8192 heads 32 kv_heads 8 head_dim 64 vocabulary 128256 "
            "context 131072\n"
            "epsilon 1e-05 base 500000 rotary 64 window 0 tied true bias false factors 0\n"
            "scaling 2 factor 32 original 8192 low 1 high 4 fast 32 slow 1 attention 0");
}

TEST(Config, HeadSizeIsItsOwnNumberWhereGiven) {
  EXPECT_EQ(read_config(published_config("Mistral-Nemo-2407")).head_dim, 128u);  // not 5120 / 32
  EXPECT_EQ(read_config(published_config("Qwen3-0.6B")).head_dim, 128u);         // not 1024 / 16
  EXPECT_EQ(read_config(published_config("Llama-2-7B")).head_dim, 128u);
}

TEST(Config, WindowsCountOnlyWhereTheArchitectureObeysThem) {
  EXPECT_EQ(read_config(published_config("Mistral-7B-v0.1")).sliding_window, 4096u);
  EXPECT_EQ(read_config(published_config("Mistral-Nemo-2407")).sliding_window, 0u);
  EXPECT_EQ(read_config(published_config("Qwen2.5-7B")).sliding_window, 0u);
  json llama = published_config("Llama-2-7B");
  llama["sliding_window"] = 128;
  EXPECT_EQ(read_config(llama).sliding_window, 0u);
  json qwen = published_config("Qwen2.5-7B");
  qwen["use_sliding_window"] = true;
  EXPECT_EQ(read_config(qwen).sliding_window, 0u);  // max_window_layers leaves no layer windowed
  qwen["max_window_layers"] = 0;
  EXPECT_EQ(read_config(qwen).sliding_window, 131072u);
  qwen["layer_types"] = json::array({"full_attention", "full_attention"});
  EXPECT_EQ(read_config(qwen).sliding_window, 0u);
}

TEST(Config, QwenTwoHasBiasesWithoutSayingSo) {
  EXPECT_TRUE(read_config(published_config("Qwen2-0.5B")).attention_bias);
  EXPECT_FALSE(read_config(published_config("Qwen3-8B")).attention_bias);
  json llama = published_config("Llama-2-7B");
  llama["attention_bias"] = true;
  EXPECT_TRUE(read_config(llama).attention_bias);
}

TEST(Config, TransformersFiveSpellsRopeAnotherWay) {
  const json old = published_config("Llama-3.1-8B");
  json renamed = old;
  renamed.erase("rope_theta");
  renamed.erase("rope_scaling");
  renamed["rope_parameters"] = old["rope_scaling"];
  renamed["rope_parameters"]["rope_theta"] = old["rope_theta"];
  renamed["dtype"] = "bfloat16";
  EXPECT_EQ(describe(read_config(renamed)), describe(read_config(old)));

  json plain = published_config("Mistral-Nemo-2407");
  const std::string expected = describe(read_config(plain));
  plain["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", plain["rope_theta"]}};
  plain.erase("rope_theta");
  EXPECT_EQ(describe(read_config(plain)), expected);
}

TEST(Config, YarnReadsItsCoefficients) {
  json config = published_config("Qwen2.5-7B");
  config["rope_scaling"] = {{"type", "yarn"}, {"factor", 4.0}};
  EXPECT_EQ(read_config(config).rope_scaling.original_context, 131072);
  config["rope_scaling"]["original_max_position_embeddings"] = 32768;
  EXPECT_EQ(read_config(config).rope_scaling.original_context, 32768);
  EXPECT_EQ(read_config(config).rope_scaling.attention_factor, 0);
  config["rope_scaling"]["mscale"] = 1.0;
  config["rope_scaling"]["mscale_all_dim"] = 1.0;
  EXPECT_DOUBLE_EQ(read_config(config).rope_scaling.attention_factor, 1);
  config["rope_scaling"]["attention_factor"] = 1.5;
  EXPECT_DOUBLE_EQ(read_config(config).rope_scaling.attention_factor, 1.5);
}

// What is wrong, and the key the error must name.
struct BadValue {
  const char* key;
  json value;
  const char* named;
};

TEST(Config, NamesTheKeyOfEveryBadValue) {
  const json rope = published_config("Llama-3.1-8B")["rope_scaling"];
  const auto scaling = [&](const char* key, const json& value) {
    json changed = rope;
    changed[key] = value;
    return changed;
  };
  const std::vector<BadValue> bad = {
      {"num_hidden_layers", 0, "num_hidden_layers"},
      {"num_hidden_layers", 4097, "num_hidden_layers"},
      {"num_hidden_layers", nullptr, "num_hidden_layers"},
      {"num_hidden_layers", "32", "num_hidden_layers"},
      {"num_hidden_layers", 1.5, "num_hidden_layers"},
      {"hidden_size", -1, "hidden_size"},
      {"hidden_size", (1 << 24) + 1, "hidden_size"},
      {"hidden_size", 4097, "hidden_size"},  // no multiple of the heads
      {"intermediate_size", 0, "intermediate_size"},
      {"num_attention_heads", 0, "num_attention_heads"},
      {"num_attention_heads", int64_t(1) << 40, "num_attention_heads"},
      {"num_key_value_heads", 0, "num_key_value_heads"},
      {"num_key_value_heads", 5, "num_key_value_heads"},
      {"num_key_value_heads", 64, "num_key_value_heads"},
      {"head_dim", 127, "head_dim"},
      {"head_dim", 1026, "head_dim"},
      {"head_dim", 0, "head_dim"},
      {"vocab_size", 0, "vocab_size"},
      {"vocab_size", (1 << 22) + 1, "vocab_size"},
      {"max_position_embeddings", 0, "max_position_embeddings"},
      {"rms_norm_eps", 0.0, "rms_norm_eps"},
      {"rms_norm_eps", -1e-5, "rms_norm_eps"},
      {"rms_norm_eps", 2.0, "rms_norm_eps"},
      {"rope_theta", 0, "rope_theta"},
      {"rope_theta", 1e300, "rope_theta"},
      {"rope_theta", 1, "rope_theta"},
      {"hidden_act", "gelu", "hidden_act"},
      {"mlp_bias", true, "mlp_bias"},
      {"num_experts", 8, "num_experts"},
      {"num_local_experts", 8, "num_local_experts"},
      {"quantization_config", json{{"bits", 4}}, "quantization_config"},
      {"partial_rotary_factor", 0.5, "partial_rotary_factor"},
      {"tie_word_embeddings", "no", "tie_word_embeddings"},
      {"rope_scaling", scaling("rope_type", "dynamic"), "rope_type"},
      {"rope_scaling", scaling("rope_type", "longrope"), "rope_type"},
      {"rope_scaling", scaling("factor", 0), "factor"},
      {"rope_scaling", scaling("factor", nullptr), "factor"},
      {"rope_scaling", scaling("low_freq_factor", nullptr), "low_freq_factor"},
      {"rope_scaling", scaling("high_freq_factor", 1), "high_freq_factor"},
      {"rope_scaling", scaling("original_max_position_embeddings", -1),
       "original_max_position_embeddings"},
      {"rope_scaling", 3, "rope_scaling"},
      {"rope_parameters", json{{"full_attention", rope}, {"sliding_attention", rope}},
       "rope_parameters"},
  };
  for (const BadValue& value : bad) {
    json config = published_config("Llama-3.1-8B");
    config[value.key] = value.value;
    try {
      read_config(config);
      ADD_FAILURE() << value.key << " = " << value.value << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      EXPECT_NE(error.message().find(value.named), std::string::npos)
          << value.key << " = " << value.value << ": " << error.message();
    }
  }
}

TEST(Config, RefusesWhatTheArchitectureHasNot) {
  json biased = published_config("Qwen3-8B");
  biased["attention_bias"] = true;
  EXPECT_THROW(read_config(biased), Error);
  json mixed = published_config("Qwen2.5-7B");
  mixed["use_sliding_window"] = true;
  mixed["max_window_layers"] = 14;
  EXPECT_THROW(read_config(mixed), Error);
  mixed["layer_types"] = json::array({"full_attention", "sliding_attention"});
  EXPECT_THROW(read_config(mixed), Error);
}

TEST(Config, WrittenAndReadAgainIsTheSame) {
  for (const auto& model : published_models()) {
    const json config = json::parse(model.config);
    const Arch& arch = arch_of(config);
    const Hyperparameters h = read_config(config);
    const json written = json::parse(write_config_json(arch, h, "float16", 1, {2}));
    EXPECT_EQ(describe(read_config(written)), describe(h)) << model.name;
    EXPECT_EQ(written["architectures"], config["architectures"]);
    EXPECT_EQ(written["model_type"], config["model_type"]);
    EXPECT_EQ(written["torch_dtype"], "float16");
    EXPECT_EQ(written["bos_token_id"], 1);
    EXPECT_EQ(written["eos_token_id"], 2);
  }
}

TEST(Config, ListsSeveralEndTokensAndOmitsAbsentOnes) {
  const Hyperparameters h = read_config(published_config("Llama-3.1-8B"));
  const auto write = [&](int64_t bos, const std::vector<int64_t>& eos) {
    return json::parse(write_config_json(archs::llama, h, "bfloat16", bos, eos));
  };
  EXPECT_EQ(write(-1, {5, 6})["eos_token_id"], json::array({5, 6}));
  EXPECT_TRUE(write(-1, {})["bos_token_id"].is_null());
  EXPECT_TRUE(write(-1, {})["eos_token_id"].is_null());
}

// ---- GGUF ----

// What a GGUF file leaves to its tensors.
Hyperparameters through_gguf(const Arch& arch, const Hyperparameters& h) {
  Metadata metadata;
  write_gguf_hyperparameters(arch, h, metadata);
  Hyperparameters read = hyperparameters_from_gguf(arch_by_gguf_name(arch.name), metadata);
  read.tied_embeddings = h.tied_embeddings;
  read.attention_bias = h.attention_bias;
  if (h.rope_scaling.kind == Kind::kLlama3) read.rope_factors = llama3_rope_factors(h);
  return read;
}

TEST(Gguf, ConfigToKeysToConfigIsTheSame) {
  for (const auto& model : published_models()) {
    const json config = json::parse(model.config);
    const Arch& arch = arch_of(config);
    const Hyperparameters h = read_config(config);
    const Hyperparameters read = through_gguf(arch, h);
    if (h.rope_scaling.kind != Kind::kLlama3) {
      EXPECT_EQ(describe(read), describe(h)) << model.name;
    }
    EXPECT_EQ(inverse_frequencies(read).size(), h.head_dim / 2);
    const Arch& gguf_arch = arch_by_gguf_name(arch.name);
    const json back = json::parse(write_config_json(gguf_arch, read, "bfloat16", 1, {2}));
    EXPECT_EQ(describe(read_config(back)), describe(h)) << model.name;
  }
}

TEST(Gguf, ScalingKeysSurvive) {
  json config = published_config("Qwen2.5-7B");
  config["rope_scaling"] = {
      {"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 32768}};
  Hyperparameters h = read_config(config);
  EXPECT_EQ(describe(through_gguf(archs::qwen2, h)), describe(h));
  h.rope_scaling.beta_fast = 16;
  EXPECT_EQ(describe(through_gguf(archs::qwen2, h)), describe(h));
  h.rope_scaling.attention_factor = 1.25;
  EXPECT_NEAR(rope_magnitude(through_gguf(archs::qwen2, h)), 1.25, 1e-6);
  config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", 2.5}};
  h = read_config(config);
  EXPECT_EQ(describe(through_gguf(archs::qwen2, h)), describe(h));
}

TEST(Gguf, AWindowedLlamaIsWrittenAsTheClassThatObeysIt) {
  const Hyperparameters h = read_config(published_config("Mistral-7B-v0.1"));
  const json written = json::parse(write_config_json(archs::llama, h, "bfloat16", 1, {2}));
  EXPECT_EQ(written["architectures"][0], "MistralForCausalLM");
}

Metadata llama_keys() {
  Metadata metadata;
  write_gguf_hyperparameters(archs::llama, read_config(published_config("Llama-2-7B")), metadata);
  return metadata;
}

TEST(Gguf, TakesUniformArraysAndTheDefaultsOfTheSpecification) {
  Metadata metadata = llama_keys();
  const std::string expected = describe(hyperparameters_from_gguf(archs::llama, metadata));
  metadata.set("llama.feed_forward_length", MetadataArray(std::vector<uint32_t>(32, 11008)));
  metadata.set("llama.attention.head_count", MetadataArray(std::vector<int32_t>(32, 32)));
  for (const auto key : {"attention.head_count_kv", "attention.key_length", "rope.freq_base",
                         "attention.value_length", "rope.dimension_count", "vocab_size"}) {
    metadata.erase(std::string("llama.") + key);
  }
  metadata.set("tokenizer.ggml.tokens", MetadataArray(std::vector<std::string>(32000, "x")));
  EXPECT_EQ(describe(hyperparameters_from_gguf(archs::llama, metadata)), expected);
}

TEST(Gguf, NamesTheKeyOfEveryBadValue) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::pair<std::string, MetadataValue>> bad = {
      {"block_count", uint32_t(0)},
      {"block_count", uint32_t(5000)},
      {"block_count", int64_t(-1)},
      {"block_count", std::string("32")},
      {"embedding_length", uint64_t(1) << 63},
      {"feed_forward_length", MetadataArray(std::vector<uint32_t>{1, 2})},
      {"feed_forward_length", MetadataArray(std::vector<uint32_t>{})},
      {"feed_forward_length", MetadataArray(std::vector<std::string>{"1"})},
      {"attention.head_count", uint32_t(0)},
      {"attention.head_count_kv", uint32_t(0)},
      {"attention.head_count_kv", uint32_t(7)},
      {"attention.key_length", uint32_t(1026)},
      {"attention.value_length", uint32_t(64)},
      {"attention.layer_norm_rms_epsilon", nan},
      {"attention.layer_norm_rms_epsilon", 0.0f},
      {"rope.freq_base", std::numeric_limits<float>::infinity()},
      {"rope.freq_base", -1.0f},
      {"rope.dimension_count", uint32_t(64)},
      {"rope.scaling.type", std::string("longrope")},
      {"rope.scaling.factor", nan},
      {"vocab_size", uint32_t(0)},
      {"context_length", uint32_t(0)},
      {"expert_count", uint32_t(8)},
      {"final_logit_softcapping", 30.0f},
  };
  for (const auto& [key, value] : bad) {
    Metadata metadata = llama_keys();
    metadata.set("llama." + key, value);
    try {
      hyperparameters_from_gguf(archs::llama, metadata);
      ADD_FAILURE() << key << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      EXPECT_NE(error.message().find("llama." + key), std::string::npos) << error.message();
    }
  }
}

TEST(Gguf, NamesEveryMissingKey) {
  for (const std::string key :
       {"block_count", "context_length", "embedding_length", "feed_forward_length",
        "attention.head_count", "attention.layer_norm_rms_epsilon"}) {
    Metadata metadata = llama_keys();
    metadata.erase("llama." + key);
    try {
      hyperparameters_from_gguf(archs::llama, metadata);
      ADD_FAILURE() << key;
    } catch (const Error& error) {
      EXPECT_NE(error.message().find("llama." + key), std::string::npos) << error.message();
    }
  }
}

TEST(Gguf, FloatsReadAsTheDecimalsTheyWereWrittenAs) {
  for (const double decimal : {1e-5, 1e-6, 0.1, 10000.0, 500000.0, 1.0}) {
    EXPECT_EQ(as_written(float(decimal)), decimal);
  }
  EXPECT_TRUE(std::isinf(as_written(std::numeric_limits<float>::infinity())));
}

}  // namespace
}  // namespace nibble
