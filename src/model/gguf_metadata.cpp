#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "model/checkpoint.h"
#include "model/side_files.h"

// From one container's way of describing a model to the other's.

namespace nibble {

namespace {

// "8.0B", "5.8M": parameters with at least two digits, as names of models carry them.
std::string size_label(uint64_t parameters) {
  constexpr std::pair<double, char> kUnits[] = {{1e12, 'T'}, {1e9, 'B'}, {1e6, 'M'}};
  double scale = 1e3;
  char unit = 'K';
  for (const auto& [s, u] : kUnits) {
    if (double(parameters) > s) {
      scale = s;
      unit = u;
      break;
    }
  }
  const double scaled = double(parameters) / scale;
  const int digits = scaled < 0.5 ? 2 : scaled < 9.5 ? 1 : 0;
  return fmt::format("{:.{}f}{}", scaled, digits, unit);
}

// Every row of the embedding gets a token, as readers of GGUF expect.
void write_tokenizer(const Tokenizer& tokenizer, uint64_t rows, Metadata& metadata) {
  if (tokenizer.vocabulary_size() > rows) {
    throw bad_input("the tokenizer has {} tokens, the embedding only {} rows",
                    tokenizer.vocabulary_size(), rows)
        .hint("GGUF files cannot hold tokens without an embedding");
  }
  tokenizer.write_gguf(metadata, rows);
}

// GGUF has three keys for tokens that end a text; a model may list more than the first.
void write_end_tokens(const SpecialTokens& special, Metadata& metadata) {
  constexpr std::string_view kKeys[] = {
      "tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"};
  for (const TokenId id : special.end_of_generation) {
    const auto is_this = [&](std::string_view key) { return metadata.get_int(key) == id; };
    const auto is_free = [&](std::string_view key) { return !metadata.contains(key); };
    if (std::ranges::any_of(kKeys, is_this)) continue;
    const auto* key = std::ranges::find_if(kKeys, is_free);
    if (key == std::end(kKeys)) return;
    metadata.set(std::string(*key), uint32_t(id));
  }
}

// All ids that end a text, the usual one first.
std::vector<int64_t> end_tokens(const SpecialTokens& special) {
  std::vector<int64_t> ids;
  if (special.eos >= 0) ids.push_back(special.eos);
  for (const TokenId id : special.end_of_generation) {
    if (id != special.eos) ids.push_back(id);
  }
  return ids;
}

using Json = nlohmann::ordered_json;

std::string tokenizer_config(const Tokenizer& tokenizer, uint64_t context,
                             const std::string& chat_template) {
  Json config = Json::parse(tokenizer_config_json(tokenizer));
  config["model_max_length"] = context;
  if (!chat_template.empty()) config["chat_template"] = chat_template;
  return config.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string generation_config(const SpecialTokens& special, const GenerationDefaults& defaults) {
  Json config = Json::object();
  const auto set = [&](const char* key, const auto& value) {
    if (value) config[key] = *value;
  };
  if (special.bos >= 0) config["bos_token_id"] = special.bos;
  const auto eos = end_tokens(special);
  if (!eos.empty()) config["eos_token_id"] = eos.size() == 1 ? Json(eos[0]) : Json(eos);
  if (special.padding >= 0) config["pad_token_id"] = special.padding;
  set("do_sample", defaults.do_sample);
  set("temperature", defaults.temperature);
  set("top_k", defaults.top_k);
  set("top_p", defaults.top_p);
  set("min_p", defaults.min_p);
  set("repetition_penalty", defaults.repetition_penalty);
  return config.dump(2) + "\n";
}

}  // namespace

Metadata Checkpoint::gguf_metadata() const {
  Metadata metadata;
  if (is_gguf()) {
    metadata = reader_->metadata();
    for (const auto key : {"split.no", "split.count", "split.tensors.count"}) {
      metadata.erase(key);
    }
    return metadata;
  }
  metadata.set("general.architecture", std::string(arch_->name));
  metadata.set("general.type", std::string("model"));
  metadata.set("general.name", display_name());
  metadata.set("general.size_label", size_label(parameters()));
  write_generation_defaults(generation_defaults_, metadata);
  write_gguf_hyperparameters(*arch_, hyperparameters_, metadata);
  write_tokenizer(tokenizer(), hyperparameters_.vocabulary, metadata);
  write_end_tokens(tokenizer().special(), metadata);
  if (!chat_template_.empty()) metadata.set("tokenizer.chat_template", chat_template_);
  return metadata;
}

void Checkpoint::write_hf_files(const fs::path& folder, std::string_view dtype) const {
  remove_side_files(folder);
  if (is_gguf()) {
    write_hf_files_from_gguf(folder, dtype);
  } else {
    copy_side_files(folder_of(path_), folder, dtype);
  }
}

void Checkpoint::write_hf_files_from_gguf(const fs::path& folder, std::string_view dtype) const {
  const Tokenizer& text = tokenizer();
  const SpecialTokens& special = text.special();
  write_text_file(folder / "config.json", write_config_json(*arch_, hyperparameters_, dtype,
                                                            special.bos, end_tokens(special)));
  write_text_file(folder / "tokenizer.json", text.to_tokenizer_json());
  write_text_file(folder / "tokenizer_config.json",
                  tokenizer_config(text, hyperparameters_.context, chat_template_));
  write_text_file(folder / "generation_config.json",
                  generation_config(special, generation_defaults_));
}

}  // namespace nibble
