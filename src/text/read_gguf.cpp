#include <cmath>

#include "base/error.h"
#include "text/byte_level.h"
#include "text/components_json.h"
#include "text/gguf_pre.h"
#include "text/tokenizer_parts.h"

// The tokenizer.ggml.* keys (github.com/ggml-org/ggml, docs/gguf.md), with llama.cpp's defaults
// where one is absent.

namespace nibble {
namespace {

const std::string kPrefix = "tokenizer.ggml.";

void read_vocabulary(const Metadata& metadata, TokenizerParts* parts) {
  const auto* tokens = metadata.get_strings(kPrefix + "tokens");
  if (tokens == nullptr) throw bad_input("there is no list of tokens").at(kPrefix + "tokens");
  const auto* scores = metadata.get_floats(kPrefix + "scores");
  const auto types = metadata.get_ints(kPrefix + "token_type");
  for (const auto& [name, size] :
       {std::pair("scores", scores ? scores->size() : tokens->size()),
        std::pair("token_type", types ? types->size() : tokens->size())}) {
    if (size != tokens->size()) {
      throw bad_input("{} values for {} tokens", size, tokens->size()).at(kPrefix + name);
    }
  }
  for (size_t i = 0; i < tokens->size(); ++i) {
    const std::string& text = (*tokens)[i];
    const int64_t type = types ? (*types)[i] : 1;
    if (type < 0 || type > 6)
      throw bad_input("token {} has type {}", i, type).at(kPrefix + "token_type");
    const float score = scores ? (*scores)[i] : 0;
    if (std::isnan(score))
      throw bad_input("the score of token {} is no number", i).at(kPrefix + "scores");
    parts->vocabulary.add(text.empty() ? fmt::format("[EMPTY_{}]", i) : text,
                          type == 0 ? TokenType::kNormal : TokenType(type), score);
  }
  parts->token_count = tokens->size();
}

TokenId read_id(const Metadata& metadata, const std::string& name, TokenId fallback,
                size_t token_count) {
  const auto id = metadata.get_int(kPrefix + name + "_token_id");
  const TokenId value = id && *id >= 0 && size_t(*id) < token_count ? TokenId(*id) : fallback;
  return value >= 0 && size_t(value) < token_count ? value : -1;
}

void read_ids(const Metadata& metadata, SpecialTokens defaults, TokenizerParts* parts) {
  const auto read = [&](const char* name, TokenId fallback) {
    return read_id(metadata, name, fallback, parts->token_count);
  };
  SpecialTokens& special = parts->special;
  special.bos = read("bos", defaults.bos);
  special.eos = read("eos", defaults.eos);
  special.unknown = read("unknown", defaults.unknown);
  special.padding = read("padding", defaults.padding);
  for (const char* name : {"eot", "eom", "seperator", "mask", "fim_pre", "fim_suf", "fim_mid",
                           "fim_pad", "fim_rep", "fim_sep"}) {
    if (const TokenId id = read(name, -1); id >= 0) parts->named_ids.emplace_back(name, id);
  }
  const bool bos = metadata.get_bool(kPrefix + "add_bos_token").value_or(defaults.add_bos);
  const bool eos = metadata.get_bool(kPrefix + "add_eos_token").value_or(defaults.add_eos);
  if (bos && special.bos >= 0) parts->prefix = {special.bos};
  if (eos && special.eos >= 0) parts->suffix = {special.eos};
}

// Control and user-defined tokens are found in the raw text.
void read_added(const Metadata& metadata, TokenizerParts* parts) {
  // Phi-3 was trained with the white space behind its control tokens removed.
  const std::string name(metadata.get_string("general.name").value_or(""));
  const bool phi3 = name.find("Phi-3") != name.npos || name.find("phi-3") != name.npos ||
                    name.find("Phi3") != name.npos || name.find("phi3") != name.npos;
  for (TokenId id = 0; size_t(id) < parts->token_count; ++id) {
    const TokenType type = parts->vocabulary.type(id);
    const bool special = type == TokenType::kControl || type == TokenType::kUnknown;
    if (!special && type != TokenType::kUserDefined) continue;
    AddedToken token;
    token.content = parts->vocabulary.text(id);
    token.id = id;
    token.special = special;
    const bool plain =
        token.content == "<unk>" || token.content == "<s>" || token.content == "<|endoftext|>";
    token.rstrip = phi3 && special && !plain;
    parts->added.push_back(std::move(token));
  }
}

// The symbol a merge names; one that is no token is added behind them.
TokenId symbol(std::string_view text, Vocabulary* vocabulary) {
  const TokenId id = vocabulary->find(text);
  return id >= 0 ? id : vocabulary->add(text, TokenType::kUnused);
}

void read_merges(const Metadata& metadata, TokenizerParts* parts) {
  const auto* merges = metadata.get_strings(kPrefix + "merges");
  if (merges == nullptr) throw bad_input("there is no list of merges").at(kPrefix + "merges");
  for (int byte = 0; byte < 256; ++byte) {
    symbol(to_byte_level(std::string(1, char(byte))), &parts->vocabulary);
  }
  parts->merges.reserve(merges->size());
  for (const std::string& line : *merges) {
    const size_t space = line.find(' ', 1);
    if (space == line.npos || space + 1 == line.size()) {
      throw bad_input("merge {} is not \"a b\"", parts->merges.size()).at(kPrefix + "merges");
    }
    const std::string left = line.substr(0, space), right = line.substr(space + 1);
    symbol(left + right, &parts->vocabulary);
    parts->merges.push_back({symbol(left, &parts->vocabulary), symbol(right, &parts->vocabulary)});
  }
}

void read_byte_level(const Metadata& metadata, TokenizerParts* parts) {
  parts->model = ModelKind::kByteBpe;
  parts->gguf_pre = metadata.get_string(kPrefix + "pre").value_or("default");
  const GgufPre* pre = find_gguf_pre(parts->gguf_pre);
  if (pre == nullptr) {
    throw bad_input("unknown pre-tokenizer \"{}\"", parts->gguf_pre)
        .at(kPrefix + "pre")
        .hint("known are: " + known_gguf_pre_ids());
  }
  SpecialTokens defaults;
  defaults.bos = defaults.eos = 11;
  defaults.add_bos = pre->add_bos;
  read_ids(metadata, defaults, parts);
  read_added(metadata, parts);
  read_merges(metadata, parts);
  parts->ignore_merges = pre->ignore_merges;
  parts->pre_tokenizer = byte_level_pre_tokenizer(pre->patterns);
  parts->decoder = kByteLevelDecoder;
}

void read_sentencepiece_bpe(const Metadata& metadata, TokenizerParts* parts) {
  parts->model = ModelKind::kScoreBpe;
  SpecialTokens defaults;
  defaults.bos = 1, defaults.eos = 2, defaults.unknown = 0;
  defaults.add_bos = true;
  read_ids(metadata, defaults, parts);
  read_added(metadata, parts);
  SpaceRules rules;
  rules.prefix = metadata.get_bool(kPrefix + "add_space_prefix").value_or(true);
  parts->normalizer = sentencepiece_normalizer(rules);
  parts->decoder = sentencepiece_decoder(rules.prefix);
  parts->fallback = {parts->special.unknown, true, false};
}

// The array of bytes is u8 in some files and i8 in others.
std::string read_charsmap(const Metadata& metadata) {
  std::string charsmap;
  const auto bytes = metadata.get_ints(kPrefix + "precompiled_charsmap");
  for (const int64_t byte : bytes.value_or(std::vector<int64_t>())) charsmap += char(byte);
  return charsmap;
}

void read_unigram(const Metadata& metadata, TokenizerParts* parts) {
  parts->model = ModelKind::kUnigram;
  SpecialTokens defaults;
  defaults.eos = 1, defaults.unknown = 2, defaults.padding = 0;
  defaults.add_eos = true;
  read_ids(metadata, defaults, parts);
  read_added(metadata, parts);
  SpaceRules rules;
  rules.charsmap = read_charsmap(metadata);
  rules.prefix = metadata.get_bool(kPrefix + "add_space_prefix").value_or(false);
  rules.remove_extra = metadata.get_bool(kPrefix + "remove_extra_whitespaces").value_or(false);
  parts->normalizer = sentencepiece_normalizer(rules);
  parts->decoder = sentencepiece_decoder(rules.prefix);
  parts->fallback = {parts->special.unknown, false, true};
}

}  // namespace

TokenizerParts read_gguf_tokenizer(const Metadata& metadata) {
  const auto model = metadata.get_string(kPrefix + "model");
  if (!model) throw bad_input("the file holds no tokenizer").at(kPrefix + "model");
  TokenizerParts parts;
  read_vocabulary(metadata, &parts);
  if (*model == "gpt2") {
    read_byte_level(metadata, &parts);
  } else if (*model == "llama") {
    read_sentencepiece_bpe(metadata, &parts);
  } else if (*model == "t5") {
    read_unigram(metadata, &parts);
  } else {
    throw bad_input("tokenizer model \"{}\", which is not supported", *model)
        .at(kPrefix + "model")
        .hint("supported are gpt2, llama and t5");
  }
  return parts;
}

}  // namespace nibble
