#pragma once

#include <string>
#include <string_view>

#include "base/random.h"

namespace nibble::fuzz {

// A small valid GGUF file: keys of every type, tensors of several formats.
std::string gguf_seed();

// Replaces integers of the header by border cases, changes types, doubles, removes and swaps
// records of keys and tensors with or without mending their count, and mutates bytes.
std::string mutate_gguf(std::string_view file, Random& random);

}  // namespace nibble::fuzz
