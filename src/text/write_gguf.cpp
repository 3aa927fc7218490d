#include <algorithm>

#include "base/error.h"
#include "text/component.h"
#include "text/components_json.h"
#include "text/gguf_pre.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

namespace nibble {
namespace {

const std::string kPrefix = "tokenizer.ggml.";

// llama.cpp finds user-defined tokens in the raw text, where a space is a space.
std::string spelling(const TokenizerParts& parts, TokenId id) {
  std::string text(parts.vocabulary.text(id));
  const bool raw = parts.vocabulary.type(id) == TokenType::kUserDefined;
  if (parts.model == ModelKind::kByteBpe || !raw) return text;
  std::string spaced;
  size_t done = 0;
  Pattern::for_each_literal(text, kSpaceMark, [&](size_t begin, size_t end) {
    spaced.append(text, done, begin - done).push_back(' ');
    done = end;
  });
  return spaced.append(text, done, std::string::npos);
}

void write_tokens(const TokenizerParts& parts, size_t rows, Metadata* metadata) {
  std::vector<std::string> tokens;
  std::vector<int32_t> types;
  for (TokenId id = 0; size_t(id) < parts.token_count; ++id) {
    tokens.push_back(spelling(parts, id));
    types.push_back(int32_t(parts.vocabulary.type(id)));
  }
  for (size_t id = parts.token_count; id < rows; ++id) {
    tokens.push_back(fmt::format("[PAD{}]", id));
    types.push_back(int32_t(TokenType::kUnused));
  }
  metadata->set(kPrefix + "tokens", MetadataArray(std::move(tokens)));
  metadata->set(kPrefix + "token_type", MetadataArray(std::move(types)));
}

// Of a list of merges only the order is known: what is merged first scores highest.
std::vector<float> scores_from_merges(const TokenizerParts& parts) {
  const Vocabulary& vocabulary = parts.vocabulary;
  constexpr float kNever = -1e9f;
  std::vector<float> scores(parts.token_count, kNever);
  float score = 0;
  for (const Merge& merge : parts.merges) {
    score -= 1;
    const TokenId id = vocabulary.find(std::string(vocabulary.text(merge.left)) +
                                       std::string(vocabulary.text(merge.right)));
    scores[size_t(id)] = std::max(scores[size_t(id)], score);
  }
  return scores;
}

void write_scores(const TokenizerParts& parts, size_t rows, Metadata* metadata) {
  std::vector<float> scores;
  if (parts.model == ModelKind::kMergeBpe) {
    scores = scores_from_merges(parts);
  } else {
    for (TokenId id = 0; size_t(id) < parts.token_count; ++id) {
      scores.push_back(parts.vocabulary.score(id));
    }
  }
  scores.resize(std::max(rows, parts.token_count), 0);
  metadata->set(kPrefix + "scores", MetadataArray(std::move(scores)));
}

void write_merges(const TokenizerParts& parts, Metadata* metadata) {
  std::vector<std::string> merges;
  merges.reserve(parts.merges.size());
  for (const Merge& merge : parts.merges) {
    merges.push_back(fmt::format("{} {}", parts.vocabulary.text(merge.left),
                                 parts.vocabulary.text(merge.right)));
  }
  metadata->set(kPrefix + "merges", MetadataArray(std::move(merges)));
}

std::string pre_id(const TokenizerParts& parts) {
  if (!parts.gguf_pre.empty()) return parts.gguf_pre;
  const auto patterns = byte_level_patterns(parts.pre_tokenizer);
  const GgufPre* pre = find_gguf_pre(patterns, parts.ignore_merges);
  if (pre != nullptr) return std::string(pre->id);
  std::string shown;
  for (const std::string& pattern : patterns)
    shown.append(shown.empty() ? "" : "  then  ").append(pattern);
  throw bad_input("no tokenizer.ggml.pre stands for the pre-tokenizer {}", shown)
      .hint("write a Hugging Face folder instead; ids known here: " + known_gguf_pre_ids());
}

void write_space_rules(const TokenizerParts& parts, Metadata* metadata) {
  SpaceRules rules = sentencepiece_rules(parts.normalizer, parts.pre_tokenizer);
  if (parts.model != ModelKind::kUnigram && (rules.remove_extra || !rules.charsmap.empty())) {
    throw bad_input("GGUF has no word for a SentencePiece BPE that rewrites its text")
        .hint("write a Hugging Face folder instead");
  }
  metadata->set(kPrefix + "add_space_prefix", rules.prefix);
  if (parts.model != ModelKind::kUnigram) return;
  metadata->set(kPrefix + "remove_extra_whitespaces", rules.remove_extra);
  if (rules.charsmap.empty()) return;
  metadata->set(kPrefix + "precompiled_charsmap",
                MetadataArray(std::vector<uint8_t>(rules.charsmap.begin(), rules.charsmap.end())));
}

void write_special(const TokenizerParts& parts, Metadata* metadata) {
  const auto write = [&](std::string_view name, TokenId id) {
    if (id >= 0) metadata->set(fmt::format("{}{}_token_id", kPrefix, name), uint32_t(id));
  };
  const SpecialTokens& special = parts.special;
  write("bos", special.bos);
  write("eos", special.eos);
  write("unknown", special.unknown);
  write("padding", special.padding);
  for (const auto& [name, id] : parts.named_ids) write(name, id);
  const std::vector<TokenId> bos = {special.bos}, eos = {special.eos};
  const bool plain = (parts.prefix.empty() || parts.prefix == bos) &&
                     (parts.suffix.empty() || parts.suffix == eos);
  if (!plain) {
    throw bad_input("GGUF has no word for what the post-processor puts around a text")
        .hint("write a Hugging Face folder instead");
  }
  metadata->set(kPrefix + "add_bos_token", !parts.prefix.empty());
  metadata->set(kPrefix + "add_eos_token", !parts.suffix.empty());
}

}  // namespace

void write_gguf_tokenizer(const TokenizerParts& parts, size_t rows, Metadata* metadata) {
  if (rows != 0 && rows < parts.token_count) {
    throw bad_input("{} tokens, but the model has embeddings for {}", parts.token_count, rows);
  }
  const bool bytes = parts.model == ModelKind::kByteBpe;
  const char* model = bytes ? "gpt2" : parts.model == ModelKind::kUnigram ? "t5" : "llama";
  metadata->set(kPrefix + "model", std::string(model));
  metadata->set(kPrefix + "pre", bytes ? pre_id(parts) : std::string("default"));
  write_tokens(parts, rows, metadata);
  if (bytes) {
    write_merges(parts, metadata);
  } else {
    write_scores(parts, rows, metadata);
    write_space_rules(parts, metadata);
  }
  write_special(parts, metadata);
}

}  // namespace nibble
