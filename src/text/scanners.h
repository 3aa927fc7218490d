#pragma once

#include <optional>
#include <string_view>

#include "text/function_ref.h"

// Hand-written equivalents of the regular expressions that most byte-level tokenizers use. Each
// cuts the whole text into words: every byte belongs to exactly one.

namespace nibble {

enum class Scanner {
  kGpt2,    // OpenAI GPT-2
  kLlama3,  // Llama 3, GPT-4 (cl100k): numbers in threes
  kQwen2,   // as Llama 3, numbers digit by digit
};

// The expression a scanner stands for, as tokenizer.json files spell it.
std::string_view scanner_pattern(Scanner scanner);
// The scanner for an expression, under any spelling we know to mean the same.
std::optional<Scanner> scanner_for(std::string_view pattern);

// Calls word(begin, end) for each word in order. One pass, no recursion, no backtracking over more
// than the run of white space at hand.
//
// Contractions ('s, 't, 're …) are caseless in kLlama3 and kQwen2 as Unicode folds case, so ſ
// (U+017F) counts as s, as it does for PCRE2, Oniguruma and Hugging Face; llama.cpp differs there.
void scan_words(Scanner scanner, std::string_view text, FunctionRef<void(size_t, size_t)> word);

}  // namespace nibble
