#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "text/tokenizer.h"

// Tokenizers small enough to be read, for the tests of this folder.

namespace nibble::test {

using Json = nlohmann::ordered_json;

// A byte-level BPE: the 256 bytes, the merges "l l", "ll o", "h e", "Ġ w", and the tokens
// <|start|>,
// <|im_end|> (special) and <tool> (not special). Llama 3's pattern; <|start|> goes in front.
Json byte_level_json();
// A SentencePiece BPE as Llama 2's tokenizer.json has it, with byte fallback and a few merges.
Json sentencepiece_json();

// [[first, second], …]: a list of merges, or the vocabulary of a Unigram model. (Braces alone would
// make an object of two strings.)
Json pairs(const std::vector<std::pair<std::string, Json>>& list);

// Loads a tokenizer.json given as JSON, or as text.
std::unique_ptr<Tokenizer> load_json(const Json& json);
std::unique_ptr<Tokenizer> load_json_text(std::string_view text);

// Writes keys of GGUF from one tokenizer and reads another from them.
std::unique_ptr<Tokenizer> through_gguf(const Tokenizer& tokenizer);

// The tokenizer in models/classics-6m.
std::unique_ptr<Tokenizer> shipped_tokenizer();

}  // namespace nibble::test
