#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "fuzz/mutate.h"
#include "text/regex.h"
#include "text/tokenizer_parts.h"

// Tokenizer files of both kinds, and regular expressions, each with a text for it.
//
//   u8 kind (0 tokenizer.json, 1 tokenizer.model, 2 regular expression) | u16 length | file | text

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace nibble::fuzz {
namespace {

enum Kind : uint8_t { kJson, kSentencePiece, kRegex, kKinds };
constexpr size_t kHeader = 3;

std::string input(Kind kind, std::string_view file, std::string_view text) {
  std::string out = {char(kind), char(file.size() & 0xFF), char(file.size() >> 8)};
  return out.append(file).append(text);
}

void check_tokenizer(TokenizerParts parts, std::string_view text) {
  const auto tokenizer = make_tokenizer(std::move(parts));
  const auto ids = tokenizer->encode(text);
  for (const TokenId id : ids) {
    NIBBLE_CHECK(id >= 0 && size_t(id) < tokenizer->vocabulary_size());
    NIBBLE_CHECK(tokenizer->token_type(id) != TokenType::kControl);
  }
  tokenizer->decode(tokenizer->encode(text, {.add_special = true, .parse_special = true}));
  tokenizer->to_tokenizer_json();
  Metadata metadata;
  tokenizer->write_gguf(metadata);
  load_tokenizer(metadata)->encode(text);
}

void check(Kind kind, std::string_view file, std::string_view text) {
  try {
    if (kind == kJson) check_tokenizer(parse_tokenizer_json(file, "tokenizer.json"), text);
    if (kind == kSentencePiece) check_tokenizer(parse_sentencepiece(file), text);
    if (kind == kRegex) {
      size_t done = 0;
      Regex{std::string(file)}.for_each_match(text, [&](size_t begin, size_t end) {
        NIBBLE_CHECK(begin >= done && end > begin && end <= text.size());
        done = end;
      });
    }
  } catch (const Error&) {
  }
}

template <size_t N>
std::string one_of(const char* const (&choices)[N], Random& random) {
  return choices[random.below(N)];
}

std::string random_json(Random& random) {
  constexpr const char* kNormalizers[] = {
      "null",
      R"({"type":"NFC"})",
      R"({"type":"NFKD"})",
      R"({"type":"Sequence","normalizers":[{"type":"Strip"},{"type":"Lowercase"}]})",
      R"({"type":"StripAccents"})",
      R"({"type":"Precompiled","precompiled_charsmap":"BAAAAAAAAAAA"})",
      R"({"type":"Replace","pattern":{"Regex":"(a|b)+ "},"content":"x"})",
      R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"}]})",
      R"({"type":"Replace","pattern":{"String":" "},"content":"▁"})"};
  constexpr const char* kPreTokenizers[] = {
      "null",
      R"({"type":"ByteLevel","add_prefix_space":true})",
      R"({"type":"Metaspace","prepend_scheme":"first"})",
      R"({"type":"Split","pattern":{"String":" "},"behavior":"MergedWithNext"})",
      R"({"type":"Sequence","pretokenizers":[{"type":"Digits"},{"type":"Punctuation"},)"
      R"({"type":"Whitespace"}]})",
      R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\s+$|\\p{N}{1,3}"},)"
      R"("behavior":"Isolated"},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})"};
  constexpr const char* kModels[] = {
      R"({"type":"BPE","unk_token":"<u>","fuse_unk":true,"vocab":{"<u>":0,"a":1,"b":2,"ab":3,"Ġ":4,)"
      R"("▁":5,"▁ab":6,"abab":7},"merges":["a b",["▁","ab"],"ab ab"]})",
      R"({"type":"BPE","byte_fallback":true,"ignore_merges":true,"vocab":{"<0x61>":0,"é":1,"éé":2},)"
      R"("merges":["é é"]})",
      R"({"type":"Unigram","unk_id":0,"vocab":[["<u>",0],["▁",-1],["a",-2],["ab",-2.5],["▁a",-3]]})"};
  constexpr const char* kDecoders[] = {
      R"({"type":"ByteLevel"})", R"({"type":"Metaspace"})",
      (R"({"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},)"
       R"({"type":"Strip","content":" ","start":1,"stop":0}]})")};
  return R"({"added_tokens":[{"id":8,"content":"<s>","special":true},)"
         R"({"id":9,"content":"aa","lstrip":true,"rstrip":true,"normalized":true}],"normalizer":)" +
         one_of(kNormalizers, random) + ",\"pre_tokenizer\":" + one_of(kPreTokenizers, random) +
         ",\"decoder\":" + one_of(kDecoders, random) + ",\"model\":" + one_of(kModels, random) +
         "}";
}

// Pieces <unk>, <s>, ▁, a, b, ab, ▁a; Unigram or BPE.
std::string random_sentencepiece(Random& random) {
  std::string model;
  char type = 2, score = 0;
  for (const std::string piece : {"<unk>", "<s>", "▁", "a", "b", "ab", "▁a"}) {
    std::string message = std::string("\x0A") + char(piece.size()) + piece;
    message += std::string("\x15\0\0", 3) + char(++score) + "\xC1\x18" + type;
    type = type == 2 ? 3 : 1;
    model += std::string("\x0A") + char(message.size()) + message;
  }
  return model + "\x12\x02\x18" + char(1 + random.below(2));
}

std::string random_file(Kind kind, Random& random) {
  constexpr const char* kPatterns[] = {R"(\p{L}+|\s+$|[^\s\p{N}]+)", "(a+)+b", "(?<=a)b|x*",
                                       R"(\s*[\r\n]+|\s+(?!\S)|\s+)"};
  if (kind == kJson) return random_json(random);
  if (kind == kSentencePiece) return random_sentencepiece(random);
  return one_of(kPatterns, random);
}

std::string random_text(Random& random) {
  constexpr const char* kParts[] = {"a", "b", "ab",  " ",  "  ", "\n",   "é",      "e\u0301", "1",
                                    "!", "▁", "<s>", "aa", "中", "\xFF", "<0x61>", "'s"};
  std::string text;
  for (uint64_t n = random.below(40); n > 0; --n) {
    const std::string part = one_of(kParts, random);
    for (uint64_t times = random.below(50) == 0 ? 1000 : 1; times > 0; --times) text += part;
  }
  return text;
}

std::string mutated(std::string_view old, Random& random) {
  Kind kind = Kind(random.below(kKinds));
  std::string file = random_file(kind, random), text = random_text(random);
  if (old.size() > kHeader && random.below(2) == 0) {
    const size_t length =
        std::min<size_t>(uint8_t(old[1]) | size_t(uint8_t(old[2])) << 8, old.size() - kHeader);
    kind = Kind(uint8_t(old[0]) % kKinds);
    file = old.substr(kHeader, length);
    if (random.below(2) == 0) text = old.substr(kHeader + length);
  }
  if (random.below(3) != 0) mutate_bytes(file, random);
  file.resize(std::min<size_t>(file.size(), 0xFFFF));
  return input(kind, file, text);
}

}  // namespace
}  // namespace nibble::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nibble::fuzz;
  if (size < kHeader) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + kHeader, size - kHeader);
  const size_t length = std::min<size_t>(data[1] | size_t(data[2]) << 8, rest.size());
  check(Kind(data[0] % kKinds), rest.substr(0, length), rest.substr(length));
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  nibble::Random random(seed);
  if (size > 1 && random.below(4) == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string result =
      nibble::fuzz::mutated({reinterpret_cast<const char*>(data), size}, random);
  const size_t length = std::min(result.size(), max_size);
  std::memcpy(data, result.data(), length);
  return length;
}
