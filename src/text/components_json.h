#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer_parts.h"

// The component configurations that stand for what GGUF and SentencePiece files say in a few flags,
// and back.

namespace nibble {

// Split on each expression in turn, then ByteLevel.
std::string byte_level_pre_tokenizer(std::span<const std::string_view> patterns);
inline constexpr std::string_view kByteLevelDecoder = R"({"type":"ByteLevel"})";

// How SentencePiece treats spaces.
struct SpaceRules {
  std::string charsmap;       // precompiled, "" for none
  bool remove_extra = false;  // spaces at the ends go, runs become one
  bool prefix = true;         // a space in front of the text
};
std::string sentencepiece_normalizer(const SpaceRules& rules);
std::string sentencepiece_decoder(bool prefix);
// The same with the spaces left to a Metaspace pre-tokenizer, so that added tokens can be looked
// for between the two. (A text that begins with one then gets no space in front.)
struct MetaspaceComponents {
  std::string normalizer, pre_tokenizer;
};
MetaspaceComponents metaspace_components(const SpaceRules& rules);

// Back: the expressions a byte-level pre-tokenizer cuts at, one after another. Throws
// Error(kBadInput) when it does something else besides.
std::vector<std::string> byte_level_patterns(const std::string& pre_tokenizer);
// Back: the rules of a normalizer and a pre-tokenizer. Throws Error(kBadInput) when they do more.
SpaceRules sentencepiece_rules(const std::string& normalizer, const std::string& pre_tokenizer);

}  // namespace nibble
