#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace nibble {

enum class ModelKind { kByteBpe, kMergeBpe, kScoreBpe, kUnigram };

// What a tokenizer is made of, whichever file it came from. The components that rewrite and cut
// text are kept as the JSON of a tokenizer.json ("" for null), which is also what makes them.
struct TokenizerParts {
  ModelKind model = ModelKind::kByteBpe;
  // Symbols that only merges know may follow the tokens; token_count is where they begin.
  Vocabulary vocabulary;
  size_t token_count = 0;
  std::vector<Merge> merges;
  bool ignore_merges = false;
  Fallback fallback;

  std::vector<AddedToken> added;
  std::string normalizer, pre_tokenizer, decoder;
  std::vector<TokenId> prefix, suffix;  // what the post-processor puts around a text
  SpecialTokens special;

  std::string gguf_pre;  // tokenizer.ggml.pre, when it came from there
  // tokenizer.ggml.KEY_token_id beside bos, eos, unknown and padding: ("eot", 128009) …
  std::vector<std::pair<std::string, TokenId>> named_ids;
  std::string original_json;  // the tokenizer.json, when it came from one
};

// The readers. Each throws Error(kBadInput).
TokenizerParts read_tokenizer_json(const fs::path& path);
TokenizerParts parse_tokenizer_json(std::string_view text, const std::string& name);
TokenizerParts parse_sentencepiece(std::string_view bytes);  // tokenizer.model
TokenizerParts read_gguf_tokenizer(const Metadata& metadata);

// The writers.
void write_gguf_tokenizer(const TokenizerParts& parts, size_t vocabulary_rows, Metadata* metadata);
std::string write_tokenizer_json(const TokenizerParts& parts);

// Puts the parts to work. Throws Error(kBadInput) naming a component nibble does not know.
std::unique_ptr<Tokenizer> make_tokenizer(TokenizerParts parts);

}  // namespace nibble
