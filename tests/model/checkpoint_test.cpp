#include "model/checkpoint.h"

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "containers.h"
#include "support/support.h"
#include "support/synthetic_model.h"

namespace nibble {
namespace {

using nlohmann::json;
using test::error_of;
using test::expect_refused;
using test::gguf_tensors;
using test::read_all;
using test::Stored;
using test::SyntheticSpec;
using test::TemporaryFolder;
using test::write;
using test::zeros;

json read_json(const fs::path& file) { return json::parse(read_text_file(file)); }

void edit_config(const fs::path& folder, const std::function<void(json&)>& edit) {
  json config = read_json(folder / "config.json");
  edit(config);
  write_text_file(folder / "config.json", config.dump());
}

// Rewrites the weights of a folder after `edit` has changed them.
void edit_tensors(const fs::path& folder, const std::function<void(std::vector<Stored>&)>& edit) {
  std::vector<Stored> tensors = read_all(*open_container(folder));
  edit(tensors);
  write(*create_safetensors(folder), {}, tensors);
}

void write_gguf(const Checkpoint& model, const fs::path& file) {
  write(*create_gguf(file), model.gguf_metadata(), gguf_tensors(model));
}

// ---- the shipped model ----

TEST(Checkpoint, OpensTheShippedModel) {
  const auto model = Checkpoint::open(test::shipped_model());
  EXPECT_EQ(model->parameters(), 5'770'496u);
  EXPECT_EQ(&model->arch(), &archs::llama);
  EXPECT_FALSE(model->is_gguf());
  EXPECT_FALSE(model->rotates_neighbours());
  EXPECT_EQ(model->display_name(), "classics-6m");
  EXPECT_TRUE(model->hyperparameters().tied_embeddings);
  EXPECT_EQ(model->find(Role::kOutput), nullptr);
  EXPECT_EQ(model->find(Role::kQueryBias, 0), nullptr);
  EXPECT_EQ(model->find(Role::kQuery, 6), nullptr);
  EXPECT_EQ(model->get(Role::kQuery, 5).name, "blk.5.attn_q.weight");
  EXPECT_EQ(model->get(Role::kKey, 0).info.shape, (std::vector<uint64_t>{128, 256}));
  EXPECT_EQ(model->get(Role::kOutputNorm).info.shape, (std::vector<uint64_t>{256}));
  EXPECT_EQ(model->chat_template(), "");
  EXPECT_EQ(model->generation_defaults().temperature, 0.8);
  EXPECT_EQ(model->generation_defaults().top_p, 0.95);
  EXPECT_EQ(model->generation_defaults().do_sample, true);
  EXPECT_FALSE(model->generation_defaults().top_k.has_value());
}

TEST(Checkpoint, OpensTheFileInsideTheFolderAsWell) {
  const auto model = Checkpoint::open(test::shipped_model() / "model.safetensors");
  EXPECT_EQ(model->parameters(), 5'770'496u);
  EXPECT_EQ(model->display_name(), "classics-6m");
}

TEST(Checkpoint, TensorsComeInTheOrderAPassReadsThem) {
  const auto model = Checkpoint::open(test::shipped_model());
  const auto& tensors = model->tensors();
  ASSERT_EQ(tensors.size(), 1 + 6 * 9 + 1u);
  EXPECT_EQ(tensors.front().name, "token_embd.weight");
  EXPECT_EQ(tensors[1].name, "blk.0.attn_norm.weight");
  EXPECT_EQ(tensors[10].name, "blk.1.attn_norm.weight");
  EXPECT_EQ(tensors.back().name, "output_norm.weight");
  for (size_t i = 1; i + 1 < tensors.size(); ++i) EXPECT_EQ(tensors[i].layer, int64_t(i - 1) / 9);
  for (const auto& t : tensors) {
    EXPECT_EQ(model->find(t.row->role, t.layer), &t);
    EXPECT_EQ(model->reader().tensors()[t.index].name, t.info.name);
    EXPECT_EQ(t.bytes.size(), t.info.bytes());
  }
}

TEST(Checkpoint, GgufMetadataHasWhatLlamaCppReads) {
  const auto model = Checkpoint::open(test::shipped_model());
  const Metadata m = model->gguf_metadata();
  EXPECT_EQ(m.get_string("general.architecture"), "llama");
  EXPECT_EQ(m.get_string("general.type"), "model");
  EXPECT_EQ(m.get_string("general.name"), "classics-6m");
  EXPECT_EQ(m.get_string("general.size_label"), "5.8M");
  EXPECT_EQ(m.get_int("llama.block_count"), 6);
  EXPECT_EQ(m.get_int("llama.context_length"), 512);
  EXPECT_EQ(m.get_int("llama.attention.head_count_kv"), 2);
  EXPECT_NEAR(m.get_number("general.sampling.temp").value(), 0.8, 1e-7);
  EXPECT_EQ(m.get_strings("tokenizer.ggml.tokens")->size(), 4096u);
  EXPECT_EQ(m.get_int("tokenizer.ggml.eos_token_id"), 1);
  EXPECT_FALSE(m.contains("general.file_type"));
}

// ---- GGUF ----

const SyntheticSpec kSpecs[] = {
    {},
    {.tied = true, .llama3_rope = true},
    {.attention_bias = true},
    {.hf_class = "MistralForCausalLM", .head_dim = 48, .sliding_window = 64},
    {.hf_class = "Qwen2ForCausalLM", .vocabulary = 4128, .tied = true, .yarn_rope = true},
    {.hf_class = "Qwen3ForCausalLM", .head_dim = 64},
};

class EverySpec : public testing::TestWithParam<SyntheticSpec> {};
INSTANTIATE_TEST_SUITE_P(Checkpoint, EverySpec, testing::ValuesIn(kSpecs), [](const auto& spec) {
  return std::string(spec.param.hf_class) + std::to_string(spec.index);
});

TEST_P(EverySpec, AFolderAndItsGgufFileAreTheSameModel) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder / "hf", GetParam());
  const auto hf = Checkpoint::open(folder / "hf");
  write_gguf(*hf, folder / "model.gguf");
  const auto gguf = Checkpoint::open(folder / "model.gguf");

  EXPECT_TRUE(gguf->is_gguf());
  EXPECT_EQ(gguf->arch().name, hf->arch().name);
  EXPECT_EQ(gguf->rotates_neighbours(), hf->arch().gguf_rotates_neighbours);
  EXPECT_EQ(gguf->parameters(), hf->parameters());
  EXPECT_EQ(gguf->display_name(), "hf");
  const Hyperparameters &a = hf->hyperparameters(), &b = gguf->hyperparameters();
  EXPECT_EQ(a.tied_embeddings, b.tied_embeddings);
  EXPECT_EQ(a.attention_bias, b.attention_bias);
  EXPECT_EQ(a.sliding_window, b.sliding_window);
  EXPECT_EQ(a.vocabulary, b.vocabulary);
  EXPECT_EQ(a.norm_epsilon, b.norm_epsilon);
  const auto expected = inverse_frequencies(a), got = inverse_frequencies(b);
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_FLOAT_EQ(got[i], expected[i]);
  for (const CheckpointTensor& tensor : hf->tensors()) {
    const CheckpointTensor* other = gguf->find(tensor.row->role, tensor.layer);
    ASSERT_NE(other, nullptr) << tensor.name;
    EXPECT_EQ(other->info.shape, tensor.info.shape) << tensor.name;
  }
}

TEST_P(EverySpec, GgufToFolderToGgufKeepsTheModel) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder / "hf", GetParam());
  const auto hf = Checkpoint::open(folder / "hf");
  write_gguf(*hf, folder / "model.gguf");
  const auto gguf = Checkpoint::open(folder / "model.gguf");

  fs::create_directory(folder / "again");
  gguf->write_hf_files(folder / "again", "bfloat16");
  write(*create_safetensors(folder / "again"), {}, read_all(hf->reader()));
  const auto again = Checkpoint::open(folder / "again");
  EXPECT_EQ(again->parameters(), hf->parameters());
  EXPECT_EQ(again->arch().hf_classes[0], GetParam().hf_class);
  const std::string text = "Call me Ishmael. Some years ago—never mind how long precisely";
  EXPECT_EQ(again->tokenizer().encode(text), hf->tokenizer().encode(text));
  EXPECT_EQ(gguf->tokenizer().encode(text), hf->tokenizer().encode(text));
  const auto expected = inverse_frequencies(hf->hyperparameters());
  const auto got = inverse_frequencies(again->hyperparameters());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_FLOAT_EQ(got[i], expected[i]);
  EXPECT_EQ(again->hyperparameters().sliding_window, GetParam().sliding_window);
  EXPECT_NEAR(again->generation_defaults().temperature.value(), 0.8, 1e-6);
}

TEST(Checkpoint, RowsOfTheEmbeddingBeyondTheTokenizerGetNames) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder.path(), {.vocabulary = 4100});
  const Metadata m = Checkpoint::open(folder.path())->gguf_metadata();
  const auto& tokens = *m.get_strings("tokenizer.ggml.tokens");
  ASSERT_EQ(tokens.size(), 4100u);
  EXPECT_EQ(tokens[4096], "[PAD4096]");
  EXPECT_EQ(tokens[4099], "[PAD4099]");
  EXPECT_EQ(m.get_ints("tokenizer.ggml.token_type")->at(4099), int64_t(TokenType::kUnused));
  EXPECT_EQ(std::set<std::string>(tokens.begin(), tokens.end()).size(), tokens.size());
}

TEST(Checkpoint, AGgufFileKeepsItsKeys) {
  const TemporaryFolder folder;
  const auto hf = Checkpoint::open(test::shipped_model());
  Metadata metadata = hf->gguf_metadata();
  metadata.set("general.file_type", uint32_t(32));
  metadata.set("general.author", std::string("somebody"));
  metadata.set("something.else", MetadataArray(std::vector<double>{1, 2}));
  write(*create_gguf(folder / "model.gguf"), metadata, gguf_tensors(*hf));
  const Metadata kept = Checkpoint::open(folder / "model.gguf")->gguf_metadata();
  EXPECT_EQ(kept.entries(), metadata.entries());
}

// ---- Hugging Face folders ----

TEST(Checkpoint, CopiesTheFilesOfAFolderButNoCode) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder / "from", {});
  for (const auto name : {"LICENSE", "LICENSE.txt", "chat_template.jinja", "modeling_x.py",
                          "merges.txt", "pytorch_model.bin", "LICENSE.py"}) {
    write_text_file(folder / "from" / name, "text");
  }
  edit_config(folder / "from", [](json& config) { config["my_own_key"] = {1, 2.5, "x"}; });
  fs::create_directory(folder / "to");
  Checkpoint::open(folder / "from")->write_hf_files(folder / "to", "float16");
  std::set<std::string> copied;
  for (const auto& entry : fs::directory_iterator(folder / "to")) {
    copied.insert(entry.path().filename().string());
  }
  EXPECT_EQ(copied, (std::set<std::string>{"LICENSE", "LICENSE.txt", "chat_template.jinja",
                                           "merges.txt", "config.json", "generation_config.json",
                                           "special_tokens_map.json", "tokenizer.json",
                                           "tokenizer_config.json"}));
  json expected = read_json(folder / "from" / "config.json");
  expected["torch_dtype"] = "float16";
  EXPECT_EQ(read_json(folder / "to" / "config.json"), expected);
  EXPECT_EQ(read_text_file(folder / "to" / "tokenizer.json"),
            read_text_file(folder / "from" / "tokenizer.json"));
}

TEST(Checkpoint, TheJinjaFileOverridesTheTemplateOfTheConfig) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder.path(), {});
  const auto set = [&](const json& value) {
    json config = read_json(folder / "tokenizer_config.json");
    config["chat_template"] = value;
    write_text_file(folder / "tokenizer_config.json", config.dump());
    return Checkpoint::open(folder.path())->chat_template();
  };
  EXPECT_EQ(set("one"), "one");
  EXPECT_EQ(set(json::array({{{"name", "tool_use"}, {"template", "tools"}},
                             {{"name", "default"}, {"template", "plain"}}})),
            "plain");
  write_text_file(folder / "chat_template.jinja", "file");
  EXPECT_EQ(set("one"), "file");
  const Metadata m = Checkpoint::open(folder.path())->gguf_metadata();
  EXPECT_EQ(m.get_string("tokenizer.chat_template"), "file");
}

TEST(Checkpoint, TiedMeansTiedWhateverLiesBeside) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder.path(), {.tied = false});
  EXPECT_NE(Checkpoint::open(folder.path())->find(Role::kOutput), nullptr);
  edit_config(folder.path(), [](json& config) { config["tie_word_embeddings"] = true; });
  EXPECT_EQ(Checkpoint::open(folder.path())->find(Role::kOutput), nullptr);
}

TEST(Checkpoint, AModelWithoutAnOutputIsTied) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder.path(), {.tied = true});
  edit_config(folder.path(), [](json& config) { config["tie_word_embeddings"] = false; });
  EXPECT_TRUE(Checkpoint::open(folder.path())->hyperparameters().tied_embeddings);
}

TEST(Checkpoint, ExtraTensorsAreIgnoredButNotBiases) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder.path(), {});
  edit_tensors(folder.path(), [](auto& tensors) {
    tensors.push_back(zeros("model.layers.0.self_attn.rotary_emb.inv_freq", {16}));
    tensors.push_back(zeros("model.layers.7.mtp.weight", {3}));
  });
  EXPECT_EQ(error_of(folder.path()), "opened");
  edit_tensors(folder.path(), [](auto& tensors) {
    tensors.push_back(zeros("model.layers.0.mlp.up_proj.bias", {256}));
  });
  expect_refused(folder.path(), "model.layers.0.mlp.up_proj.bias");
}

TEST(Checkpoint, NamesTheMissingTensor) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder.path(), {.attention_bias = true});
  const std::vector<Stored> all = read_all(*open_container(folder.path()));
  for (const std::string name :
       {"model.embed_tokens.weight", "model.norm.weight", "model.layers.1.mlp.down_proj.weight",
        "model.layers.0.self_attn.o_proj.bias", "model.layers.1.self_attn.k_proj.bias"}) {
    std::vector<Stored> others;
    std::ranges::copy_if(all, std::back_inserter(others),
                         [&](const Stored& tensor) { return tensor.info.name != name; });
    write(*create_safetensors(folder.path()), {}, others);
    expect_refused(folder.path(), name);
  }
}

TEST(Checkpoint, SaysWhichShapeItExpected) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder.path(), {});
  edit_tensors(folder.path(), [](auto& tensors) {
    for (Stored& tensor : tensors) {
      if (tensor.info.name == "model.layers.1.self_attn.k_proj.weight") {
        tensor.info.shape = {128, 64};
      }
    }
  });
  expect_refused(folder.path(), "model.layers.1.self_attn.k_proj.weight");
  expect_refused(folder.path(), "expected shape [64, 128]");
  expect_refused(folder.path(), "got [128, 64]");
}

TEST(Checkpoint, WeightsMustBeNumbersThatDecode) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder.path(), {});
  edit_tensors(folder.path(), [](auto& tensors) {
    for (Stored& tensor : tensors) {
      if (tensor.info.name == "model.norm.weight") {
        tensor = zeros("model.norm.weight", {128}, formats::i64);
      }
    }
  });
  expect_refused(folder.path(), "model.norm.weight");
}

TEST(Checkpoint, BadConfigsAreNamedWithTheirFile) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder.path(), {});
  const std::string good = read_text_file(folder / "config.json");
  const auto refused = [&](const std::string& text, std::string_view part) {
    write_text_file(folder / "config.json", text);
    expect_refused(folder.path(), part);
    expect_refused(folder.path(), "config.json");
  };
  const auto with = [&](const char* key, const json& value) {
    json config = json::parse(good);
    config[key] = value;
    return config.dump();
  };
  refused("", "JSON");
  refused("[]", "object");
  refused("{}", "architectures");
  refused(with("num_attention_heads", nullptr), "num_attention_heads");
  refused(with("architectures", {"GPT2LMHeadModel"}), "LlamaForCausalLM");
  refused(with("architectures", {3}), "architectures");
  refused(std::string(100000, '['), "JSON");
  write_text_file(folder / "config.json", with("architectures", nullptr));
  EXPECT_EQ(error_of(folder.path()), "opened");  // model_type says it as well
  fs::remove(folder / "config.json");
  expect_refused(folder.path(), "config.json");
}

TEST(Checkpoint, BadGenerationDefaultsAreNamed) {
  const TemporaryFolder folder;
  test::write_synthetic_model(folder.path(), {});
  for (const auto& [key, value] : std::map<std::string, json>{{"temperature", "hot"},
                                                              {"temperature", -1},
                                                              {"top_p", 2},
                                                              {"top_k", 1.5},
                                                              {"repetition_penalty", 0},
                                                              {"do_sample", 1}}) {
    write_text_file(folder / "generation_config.json", json{{key, value}}.dump());
    expect_refused(folder.path(), key);
  }
  write_text_file(folder / "generation_config.json", R"({"top_k": -1, "temperature": null})");
  const auto model = Checkpoint::open(folder.path());
  EXPECT_EQ(model->generation_defaults().top_k, 0);
  EXPECT_FALSE(model->generation_defaults().temperature.has_value());
}

TEST(Checkpoint, WhatIsNoModelIsRefused) {
  const TemporaryFolder folder;
  EXPECT_NE(error_of(folder.path()), "opened");
  EXPECT_NE(error_of(folder / "nothing"), "opened");
  write_text_file(folder / "text.gguf", "not a model");
  EXPECT_NE(error_of(folder / "text.gguf"), "opened");
}

// ---- row order ----

// w.reshape(heads, 2, head_dim / 2).swapaxes(1, 2).reshape(rows), the axes written out.
TEST(RowOrder, InterleavingIsThePublishedReshape) {
  for (const uint64_t head_dim : {2, 4, 6, 64, 128}) {
    constexpr uint64_t kHeads = 3;
    const uint64_t half = head_dim / 2;
    for (uint64_t head = 0; head < kHeads; ++head) {
      for (uint64_t i = 0; i < half; ++i) {
        for (uint64_t part = 0; part < 2; ++part) {
          const uint64_t swapped = (head * half + i) * 2 + part;
          const uint64_t original = (head * 2 + part) * half + i;
          EXPECT_EQ(interleaved_source_row(swapped, head_dim), original);
          EXPECT_EQ(halved_source_row(original, head_dim), swapped);
        }
      }
    }
  }
}

}  // namespace
}  // namespace nibble
