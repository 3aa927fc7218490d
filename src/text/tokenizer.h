#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/metadata.h"

namespace nibble {

namespace fs = std::filesystem;

using TokenId = int32_t;

// What a token is; the numbers are those of tokenizer.ggml.token_type.
enum class TokenType : int32_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

// The ids with a meaning of their own; -1 where the model has none.
struct SpecialTokens {
  TokenId bos = -1, eos = -1, unknown = -1, padding = -1;
  std::vector<TokenId> end_of_generation;  // all that end a text: eos, eot, eom …
  bool add_bos = false, add_eos = false;   // what the model's post-processor does by itself
};

struct EncodeOptions {
  bool add_special = false;    // add BOS / EOS as the model's post-processor does
  bool parse_special = false;  // text may name control tokens ("<|im_start|>"); never for user text
};

// Text to token ids and back. Immutable after loading; encode and decode may run on many threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Any bytes are accepted; invalid UTF-8 becomes U+FFFD before tokenizing where the vocabulary has
  // no bytes for it. Time is linear in the text but for log factors, whatever the text is.
  virtual std::vector<TokenId> encode(std::string_view text, const EncodeOptions& = {}) const = 0;
  // The bytes of one token as they appear inside a text; control tokens give "" unless asked for.
  virtual std::string piece(TokenId id, bool show_control = false) const = 0;
  // The text of all, without what encoding puts in front of a text. Bytes as the tokens give them:
  // tokens cut off in the middle of a character leave it unfinished (StreamDecoder does not).
  virtual std::string decode(std::span<const TokenId> ids, bool show_control = false) const = 0;

  virtual size_t vocabulary_size() const = 0;
  virtual std::string_view token_text(TokenId id) const = 0;  // as the vocabulary spells it
  virtual TokenType token_type(TokenId id) const = 0;
  virtual const SpecialTokens& special() const = 0;
  virtual std::string_view kind() const = 0;  // "byte-level BPE", "SentencePiece BPE", "Unigram"

  // Writes the tokenizer.ggml.* keys into `metadata`. A model with more embedding rows than tokens
  // passes their number: the rest become unused tokens "[PAD<id>]", as llama.cpp expects them.
  // Throws Error(kBadInput) when GGUF has no name for what the tokenizer does.
  virtual void write_gguf(Metadata& metadata, size_t vocabulary_rows = 0) const = 0;
  // tokenizer.json (Hugging Face tokenizers) with the same behaviour.
  virtual std::string to_tokenizer_json() const = 0;

  bool ends_generation(TokenId id) const;
};

// tokenizer_config.json for a tokenizer without one: the texts of bos, eos, unk and pad, and
// whether encoding adds BOS and EOS.
std::string tokenizer_config_json(const Tokenizer& tokenizer);

// Hugging Face folder: tokenizer.json, or tokenizer.model (SentencePiece), with
// tokenizer_config.json, special_tokens_map.json and generation_config.json beside it.
// Throws Error(kBadInput) naming the file and what it lacks.
std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& folder);
// The tokenizer.ggml.* keys of a GGUF file.
std::unique_ptr<Tokenizer> load_tokenizer(const Metadata& metadata);

// Turns a stream of tokens into text that never ends inside a UTF-8 character.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  // The text this token completes, possibly "".
  std::string add(TokenId id);
  // What is left at the end; an unfinished character becomes U+FFFD.
  std::string finish();

 private:
  const Tokenizer& tokenizer_;
  std::string pending_;
  bool first_ = true;
};

}  // namespace nibble
