#pragma once

#include "formats/format.h"

// The scale search of the formats with blocks of 32 weights: fits that minimize
//
//     sum over the block of importance[i] * (x[i] - value(code[i]))²
//
// where `importance` is the diagonal of the loss itself: nothing is added to it or multiplied in.
// (llama.cpp weights with importance * sqrt(mean(x²) + x²) instead.)
//
// A search starts from trial grids around the plain fit: each is rounded to, and the best scale
// (and minimum) for the codes it gives found in closed form. The most promising are then stored in
// f16 and iterated, round and solve in turn (Lloyd 1982), keeping the grid of least loss on the
// way.

namespace nibble {

// For grids without a minimum: value = scale * level. Trials map the weight of largest
// magnitude to the levels first, first + step, … in magnitude, with either sign.
struct SymmetricSearch {
  int top;  // levels are -zero .. top - zero
  int zero;
  float first, step;
  int trials_per_sign;
  bool both_signs;  // false where the levels are as many above as below 0
};

// For grids with a minimum: value = scale * level + minimum. Trials let the codes span less than
// the range of the block (or more): by first, first + step, … at either end, in units of the
// distance between two levels. Every pair is tried.
struct AffineSearch {
  int top;  // levels are 0 .. top
  float first, step;
  int trials_per_end;
};

// `grid` holds the plain fit of x [32] and keeps it when the search finds nothing better: when no
// weight is important, or a scale is beyond the range of f16.
void improve(const SymmetricSearch& search, const float* x, const float* importance,
             BlockGrid& grid);
void improve(const AffineSearch& search, const float* x, const float* importance, BlockGrid& grid);

}  // namespace nibble
