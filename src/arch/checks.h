#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "arch/hyperparameters.h"

// Inside of arch/: what both readers of hyperparameters demand of every number.

namespace nibble {

struct Range {
  int64_t min, max;
};
// Larger than any model there is, small enough that products of three stay below 2^64.
inline constexpr Range kLayerRange{1, 4096}, kSizeRange{1, 1 << 24}, kHeadRange{1, 1 << 16},
    kHeadDimRange{2, 1024}, kVocabularyRange{1, int64_t(kMaxVocabulary)},
    kContextRange{1, int64_t(1) << 31};

// Throw Error(kBadInput) naming the key, what was expected and what was found.
uint64_t in_range(std::string_view key, int64_t value, Range range);
double positive(std::string_view key, double value, double max);

// How one container spells the numbers, for errors about two of them at once.
struct KeyNames {
  std::string heads, kv_heads, head_dim, rotary_dim, norm_epsilon, rope_base, rope_scaling;
};
// What must hold between the numbers, once all are read.
void check_agreement(const Hyperparameters& h, const KeyNames& names);

// The double whose shortest decimal is that of the float: 1e-5 for float(1e-5). What was written as
// a decimal, stored as a float and read again is the same number as read from the decimal.
double as_written(float value);

// The llama3 scaling that gives h.rope_factors, with low_freq_factor 1 (only the ratios of the
// three lengths show in the divisors). kind is kNone when they are not of that form.
RopeScaling llama3_scaling_of(const Hyperparameters& h);

}  // namespace nibble
