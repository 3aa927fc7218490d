#include "text/tokenizer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "text/special_tokens.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

namespace nibble {

bool Tokenizer::ends_generation(TokenId id) const {
  const auto& ends = special().end_of_generation;
  return std::binary_search(ends.begin(), ends.end(), id);
}

std::string tokenizer_config_json(const Tokenizer& tokenizer) {
  const SpecialTokens& special = tokenizer.special();
  nlohmann::ordered_json config;
  const auto name = [&](const char* key, TokenId id) {
    if (id >= 0) config[key] = tokenizer.token_text(id);
  };
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  name("bos_token", special.bos);
  name("eos_token", special.eos);
  name("unk_token", special.unknown);
  name("pad_token", special.padding);
  config["add_bos_token"] = special.add_bos;
  config["add_eos_token"] = special.add_eos;
  config["clean_up_tokenization_spaces"] = false;
  return config.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& folder) {
  fs::path path = folder / "tokenizer.json";
  if (!fs::exists(path)) path = folder / "tokenizer.model";
  if (!fs::exists(path)) {
    throw bad_input("neither tokenizer.json nor tokenizer.model is there").at(folder.string());
  }
  try {
    TokenizerParts parts;
    if (path.extension() == ".json") {
      parts = read_tokenizer_json(path);
    } else {
      const MappedFile file(path);
      parts = parse_sentencepiece(
          {reinterpret_cast<const char*>(file.bytes().data()), size_t(file.size())});
    }
    read_special_tokens(folder, &parts);
    return make_tokenizer(std::move(parts));
  } catch (Error& error) {
    if (error.where().find(folder.string()) == std::string::npos) error.at(path.string());
    throw;
  }
}

std::unique_ptr<Tokenizer> load_tokenizer(const Metadata& metadata) {
  return make_tokenizer(read_gguf_tokenizer(metadata));
}

std::string StreamDecoder::add(TokenId id) {
  // Only decode() knows what encoding put in front of a whole text.
  pending_ += first_ ? tokenizer_.decode({&id, 1}) : tokenizer_.piece(id);
  if (!tokenizer_.piece(id).empty()) first_ = false;
  const size_t ready = pending_.size() - unfinished_utf8_suffix(pending_);
  std::string text = replace_invalid_utf8(std::string_view(pending_).substr(0, ready));
  pending_.erase(0, ready);
  return text;
}

std::string StreamDecoder::finish() {
  std::string text;
  if (!pending_.empty()) append_utf8(kReplacement, &text);
  pending_.clear();
  first_ = true;
  return text;
}

}  // namespace nibble
