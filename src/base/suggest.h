#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

// Edits (insert, delete, replace, swap of neighbours) that turn a into b, ignoring ASCII case.
size_t edit_distance(std::string_view a, std::string_view b);

// "did you mean X?" for the candidate nearest to `word` within two edits; empty when none is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace nibble
