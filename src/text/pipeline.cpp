#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "text/byte_level.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/special_tokens.h"
#include "text/tokenizer_parts.h"
#include "text/unigram.h"
#include "text/utf8.h"

// The one implementation of Tokenizer:
//
//   text → added tokens │ normalizer → added tokens │ pre-tokenizer → words → model → ids
//          of raw text  │              of normalized│
//
// The bars are cuts: what an added token covers takes no further part.

namespace nibble {
namespace {

// The tokens of words seen before in the same text. A slot remembers where in the output they are.
class WordCache {
 public:
  explicit WordCache(size_t text_bytes)
      : slots_(text_bytes < 256 ? 0 : std::bit_floor(std::min(text_bytes / 8, kMostSlots))) {}

  // Appends the tokens of `word`, made by encode() unless they are known.
  template <typename Encode>
  void append(std::string_view word, std::vector<TokenId>* out, const Encode& encode) {
    if (slots_.empty() || word.size() > kLongest) return encode();
    Slot& slot = slots_[XXH3_64bits(word.data(), word.size()) & (slots_.size() - 1)];
    if (slot.length == word.size() && std::memcmp(slot.word, word.data(), word.size()) == 0) {
      const size_t old = out->size();
      out->resize(old + slot.count);
      std::copy_n(out->begin() + ptrdiff_t(slot.first), slot.count, out->begin() + ptrdiff_t(old));
      return;
    }
    slot.length = uint8_t(word.size());
    std::memcpy(slot.word, word.data(), word.size());
    slot.first = out->size();
    encode();
    slot.count = uint32_t(out->size() - slot.first);
  }

 private:
  static constexpr size_t kLongest = 19, kMostSlots = 16384;
  struct Slot {
    uint64_t first = 0;
    uint32_t count = 0;
    uint8_t length = 0;
    char word[kLongest];
  };
  std::vector<Slot> slots_;
};

template <typename Chain>
Chain make_chain(const std::string& json, const char* name) {
  if (json.empty()) return Chain();
  const JsonFile file(json, name);
  try {
    return Chain(file.object());
  } catch (Error& error) {
    throw error.at(name);
  }
}

std::unique_ptr<WordModel> make_model(const TokenizerParts& parts) {
  if (parts.model == ModelKind::kUnigram) return make_unigram(parts.vocabulary, parts.fallback);
  if (parts.model == ModelKind::kScoreBpe) return make_score_bpe(parts.vocabulary, parts.fallback);
  return make_merge_bpe(parts.vocabulary, parts.merges,
                        {parts.model == ModelKind::kByteBpe, parts.ignore_merges, parts.fallback});
}

std::vector<AddedToken> added_tokens(const TokenizerParts& parts, const NormalizerChain& normalizer,
                                     bool normalized) {
  std::vector<AddedToken> tokens;
  for (AddedToken token : parts.added) {
    if ((token.normalized || token.as_normalized) != normalized) continue;
    if (token.normalized && !normalizer.empty()) {
      std::string storage;
      token.content = std::string(normalizer.apply(token.content, &storage));
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// Vocabularies trained on text alone may lack the bytes that UTF-8 never uses, or have other tokens
// of their spelling.
bool spells_all_bytes(const Vocabulary& vocabulary) {
  for (int byte = 0; byte < 256; ++byte) {
    const TokenId id = vocabulary.find(to_byte_level(std::string(1, char(byte))));
    if (id < 0 || vocabulary.type(id) != TokenType::kNormal) return false;
  }
  return true;
}

class PipelineTokenizer final : public Tokenizer {
 public:
  explicit PipelineTokenizer(TokenizerParts parts)
      : parts_(std::move(parts)),
        normalizer_(make_chain<NormalizerChain>(parts_.normalizer, "normalizer")),
        pre_tokenizer_(make_chain<PreTokenizerChain>(parts_.pre_tokenizer, "pre_tokenizer")),
        decoder_(make_chain<Decoder>(parts_.decoder, "decoder")),
        raw_tokens_(added_tokens(parts_, normalizer_, false)),
        normalized_tokens_(added_tokens(parts_, normalizer_, true)),
        model_(make_model(parts_)),
        cut_before_marks_(parts_.model != ModelKind::kByteBpe &&
                          pieces_end_before_marks(parts_.vocabulary)) {
    takes_any_bytes_ = parts_.model == ModelKind::kByteBpe && spells_all_bytes(parts_.vocabulary);
    parts_.special.add_bos = !parts_.prefix.empty();
    parts_.special.add_eos = !parts_.suffix.empty();
    make_pieces();
  }

  std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options) const override {
    std::vector<TokenId> ids;
    ids.reserve(text.size() / 4 + 8);
    if (options.add_special) ids = parts_.prefix;
    std::string valid;
    if (!takes_any_bytes_ && !is_valid_utf8(text)) {
      text = valid = replace_invalid_utf8(text);
    }
    WordCache cache(text.size());
    raw_tokens_.split(text, options.parse_special, [&](std::string_view part, TokenId id) {
      if (id >= 0) return ids.push_back(id);
      encode_part(part, part.data() == text.data(), options, &cache, &ids);
    });
    if (options.add_special) {
      ids.insert(ids.end(), parts_.suffix.begin(), parts_.suffix.end());
    }
    return ids;
  }

  std::string piece(TokenId id, bool show_control) const override {
    if (!has(id) || (is_silent(id) && !show_control)) return {};
    return std::string(bytes_of(id));
  }

  std::string decode(std::span<const TokenId> ids, bool show_control) const override {
    std::string text;
    for (const TokenId id : ids) {
      if (has(id) && (show_control || !is_silent(id))) text += bytes_of(id);
    }
    return std::string(decoder_.strip(text));
  }

  size_t vocabulary_size() const override { return parts_.token_count; }
  std::string_view token_text(TokenId id) const override {
    return has(id) ? parts_.vocabulary.text(id) : std::string_view();
  }
  TokenType token_type(TokenId id) const override {
    return has(id) ? parts_.vocabulary.type(id) : TokenType::kUnused;
  }
  const SpecialTokens& special() const override { return parts_.special; }

  std::string_view kind() const override {
    switch (parts_.model) {
      case ModelKind::kByteBpe:
        return "byte-level BPE";
      case ModelKind::kUnigram:
        return "Unigram";
      default:
        return "SentencePiece BPE";
    }
  }

  void write_gguf(Metadata& metadata, size_t vocabulary_rows) const override {
    write_gguf_tokenizer(parts_, vocabulary_rows, &metadata);
  }
  std::string to_tokenizer_json() const override {
    return parts_.original_json.empty() ? write_tokenizer_json(parts_) : parts_.original_json;
  }

 private:
  bool has(TokenId id) const { return id >= 0 && size_t(id) < parts_.token_count; }
  bool is_silent(TokenId id) const {
    const TokenType type = parts_.vocabulary.type(id);
    return type == TokenType::kControl || type == TokenType::kUnknown || type == TokenType::kUnused;
  }

  // The bytes of all tokens lie in one string, each behind the last.
  void make_pieces() {
    piece_begins_.reserve(parts_.token_count + 1);
    for (TokenId id = 0; size_t(id) < parts_.token_count; ++id) {
      piece_begins_.push_back(pieces_.size());
      pieces_ += decoder_.bytes_of(parts_.vocabulary.text(id), parts_.vocabulary.type(id));
    }
    piece_begins_.push_back(pieces_.size());
  }
  std::string_view bytes_of(TokenId id) const {
    const uint64_t begin = piece_begins_[size_t(id)];
    return std::string_view(pieces_).substr(begin, piece_begins_[size_t(id) + 1] - begin);
  }

  // `first` tells that the part begins where the whole text does.
  void encode_part(std::string_view part, bool first, const EncodeOptions& options,
                   WordCache* cache, std::vector<TokenId>* ids) const {
    std::string storage;
    const std::string_view normalized = normalizer_.apply(part, &storage);
    normalized_tokens_.split(
        normalized, options.parse_special, [&](std::string_view text, TokenId id) {
          if (id >= 0) return ids->push_back(id);
          const Piece whole{text, first && text.data() == normalized.data()};
          pre_tokenizer_.split(whole,
                               [&](const Piece& piece) { encode_words(piece.text, cache, ids); });
        });
  }

  void encode_words(std::string_view text, WordCache* cache, std::vector<TokenId>* ids) const {
    while (!text.empty()) {
      const std::string_view word =
          text.substr(0, cut_before_marks_ ? word_end(text) : text.size());
      cache->append(word, ids, [&] { model_->encode(word, ids); });
      text.remove_prefix(word.size());
    }
  }

  // Where the first space mark begins that follows another character.
  static size_t word_end(std::string_view text) {
    size_t at = 0;
    while (text.substr(at).starts_with(kSpaceMark)) at += kSpaceMark.size();
    return std::min(text.find(kSpaceMark, at), text.size());
  }

  TokenizerParts parts_;
  NormalizerChain normalizer_;
  PreTokenizerChain pre_tokenizer_;
  Decoder decoder_;
  AddedTokenMatcher raw_tokens_, normalized_tokens_;
  std::unique_ptr<WordModel> model_;
  bool cut_before_marks_, takes_any_bytes_ = false;
  std::string pieces_;
  std::vector<uint64_t> piece_begins_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_tokenizer(TokenizerParts parts) {
  complete_special_tokens(&parts);
  return std::make_unique<PipelineTokenizer>(std::move(parts));
}

}  // namespace nibble
