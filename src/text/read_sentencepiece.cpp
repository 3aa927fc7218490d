#include <cmath>
#include <cstring>

#include "base/error.h"
#include "text/components_json.h"
#include "text/tokenizer_parts.h"

// tokenizer.model of SentencePiece: a protocol buffer (sentencepiece_model.proto, message
// ModelProto).
//
//   ModelProto     1 repeated SentencePiece · 2 TrainerSpec · 3 NormalizerSpec
//   SentencePiece  1 piece · 2 score (float) · 3 type (the numbers of TokenType)
//   TrainerSpec    3 model_type (1 Unigram, 2 BPE) · 24 treat_whitespace_as_suffix · 35
//   byte_fallback
//                  40 unk_id · 41 bos_id · 42 eos_id · 43 pad_id
//   NormalizerSpec 2 precompiled_charsmap · 3 add_dummy_prefix · 4 remove_extra_whitespaces
//                  5 escape_whitespaces

namespace nibble {
namespace {

// One field of a message. Wire types: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.
struct Field {
  uint64_t number = 0;
  uint64_t value = 0;      // wire types 0, 1 and 5
  std::string_view bytes;  // wire type 2
};

class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  // False at the end of the message.
  bool next(Field* field) {
    if (rest_.empty()) return false;
    const uint64_t key = varint();
    *field = {key >> 3, 0, {}};
    switch (key & 7) {
      case 0:
        field->value = varint();
        break;
      case 1:
        field->value = little_endian(8);
        break;
      case 2:
        field->bytes = take(varint());
        break;
      case 5:
        field->value = little_endian(4);
        break;
      default:
        throw damaged();
    }
    return true;
  }

 private:
  static Error damaged() { return bad_input("not a SentencePiece model, or a damaged one"); }

  std::string_view take(uint64_t count) {
    if (count > rest_.size()) throw damaged();
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  uint64_t little_endian(size_t count) {
    const std::string_view bytes = take(count);
    uint64_t value = 0;
    for (size_t i = 0; i < count; ++i) value |= uint64_t(uint8_t(bytes[i])) << (8 * i);
    return value;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = uint8_t(take(1)[0]);
      value |= uint64_t(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    throw damaged();
  }

  std::string_view rest_;
};

struct TrainerSpec {
  uint64_t model_type = 1;
  bool whitespace_as_suffix = false, byte_fallback = false;
  int32_t unknown = 0, bos = 1, eos = 2, padding = -1;
};

TrainerSpec read_trainer(std::string_view bytes) {
  TrainerSpec spec;
  Message message(bytes);
  for (Field field; message.next(&field);) {
    switch (field.number) {
      case 3:
        spec.model_type = field.value;
        break;
      case 24:
        spec.whitespace_as_suffix = field.value != 0;
        break;
      case 35:
        spec.byte_fallback = field.value != 0;
        break;
      case 40:
        spec.unknown = int32_t(field.value);
        break;
      case 41:
        spec.bos = int32_t(field.value);
        break;
      case 42:
        spec.eos = int32_t(field.value);
        break;
      case 43:
        spec.padding = int32_t(field.value);
        break;
    }
  }
  return spec;
}

struct NormalizerSpec {
  SpaceRules rules{"", true, true};
  bool escape_whitespaces = true;
};

NormalizerSpec read_normalizer(std::string_view bytes) {
  NormalizerSpec spec;
  Message message(bytes);
  for (Field field; message.next(&field);) {
    switch (field.number) {
      case 2:
        spec.rules.charsmap = field.bytes;
        break;
      case 3:
        spec.rules.prefix = field.value != 0;
        break;
      case 4:
        spec.rules.remove_extra = field.value != 0;
        break;
      case 5:
        spec.escape_whitespaces = field.value != 0;
        break;
    }
  }
  return spec;
}

void read_piece(std::string_view bytes, TokenizerParts* parts) {
  std::string_view text;
  float score = 0;
  uint64_t type = 1;
  Message message(bytes);
  for (Field field; message.next(&field);) {
    if (field.number == 1) text = field.bytes;
    if (field.number == 2) {
      const uint32_t bits = uint32_t(field.value);
      std::memcpy(&score, &bits, sizeof score);
    }
    if (field.number == 3) type = field.value;
  }
  const size_t id = parts->vocabulary.size();
  if (type < 1 || type > 6) throw bad_input("piece {} has type {}", id, type);
  if (std::isnan(score)) throw bad_input("the score of piece {} is no number", id);
  if (text.empty()) throw bad_input("piece {} is empty", id);
  parts->vocabulary.add(text, TokenType(type), score);
}

// User-defined pieces are found in the normalized text, control pieces in the raw one.
void read_added(TokenizerParts* parts) {
  for (TokenId id = 0; size_t(id) < parts->token_count; ++id) {
    const TokenType type = parts->vocabulary.type(id);
    const bool special = type == TokenType::kControl || type == TokenType::kUnknown;
    if (!special && type != TokenType::kUserDefined) continue;
    AddedToken token;
    token.content = parts->vocabulary.text(id);
    token.id = id;
    token.special = special;
    token.as_normalized = !special;
    parts->added.push_back(std::move(token));
  }
}

void check_supported(const TrainerSpec& trainer, const NormalizerSpec& normalizer) {
  if (trainer.model_type != 1 && trainer.model_type != 2) {
    throw bad_input("SentencePiece model type {}; Unigram and BPE are supported",
                    trainer.model_type);
  }
  if (trainer.whitespace_as_suffix) {
    throw bad_input("treat_whitespace_as_suffix is not supported");
  }
  if (!normalizer.escape_whitespaces) {
    throw bad_input("escape_whitespaces = false is not supported");
  }
}

}  // namespace

TokenizerParts parse_sentencepiece(std::string_view bytes) {
  TokenizerParts parts;
  TrainerSpec trainer;
  NormalizerSpec normalizer;
  Message message(bytes);
  for (Field field; message.next(&field);) {
    if (field.number == 1) read_piece(field.bytes, &parts);
    if (field.number == 2) trainer = read_trainer(field.bytes);
    if (field.number == 3) normalizer = read_normalizer(field.bytes);
  }
  if (parts.vocabulary.size() == 0) throw bad_input("not a SentencePiece model: it has no pieces");
  check_supported(trainer, normalizer);

  parts.token_count = parts.vocabulary.size();
  parts.model = trainer.model_type == 1 ? ModelKind::kUnigram : ModelKind::kScoreBpe;
  parts.special.bos = trainer.bos;
  parts.special.eos = trainer.eos;
  parts.special.unknown = trainer.unknown;
  parts.special.padding = trainer.padding;
  const bool has_unknown = parts.vocabulary.contains(trainer.unknown);
  parts.fallback = {has_unknown ? trainer.unknown : -1, trainer.byte_fallback, true};
  parts.normalizer = sentencepiece_normalizer(normalizer.rules);
  parts.decoder = sentencepiece_decoder(normalizer.rules.prefix);
  read_added(&parts);
  return parts;
}

}  // namespace nibble
