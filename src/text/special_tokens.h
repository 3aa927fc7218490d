#pragma once

#include "text/tokenizer_parts.h"

namespace nibble {

// Fills in special.end_of_generation: eos, the named eot and eom, and tokens that are known by
// their text to end a turn ("<|eot_id|>", "<|im_end|>" …), as llama.cpp does. Tokens of that list
// become control tokens whatever the file says, so that no text can end a turn. Ids out of range
// become -1.
void complete_special_tokens(TokenizerParts* parts);

// Reads what lies beside a tokenizer in a Hugging Face folder: tokenizer_config.json,
// special_tokens_map.json, generation_config.json, config.json; absent files say nothing.
void read_special_tokens(const fs::path& folder, TokenizerParts* parts);

}  // namespace nibble
