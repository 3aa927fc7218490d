#pragma once

#include <string>
#include <string_view>

#include "base/random.h"

namespace nibble::fuzz {

// A small valid safetensors file.
std::string safetensors_seed();

// Replaces numbers of the header by border cases, strings by other strings, doubles, removes and
// swaps entries, and mutates bytes, mostly with a header length that fits again.
std::string mutate_safetensors(std::string_view file, Random& random);

}  // namespace nibble::fuzz
