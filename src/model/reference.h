#pragma once

#include <span>
#include <vector>

#include "model/checkpoint.h"

namespace nibble {

// The forward pass in plain double loops, straight from the stored weights: slow and obvious, the
// oracle of the tests. Returns logits [tokens][vocabulary] for a sequence that starts at position
// 0.
std::vector<std::vector<double>> reference_logits(const Checkpoint& checkpoint,
                                                  std::span<const TokenId> tokens);

}  // namespace nibble
