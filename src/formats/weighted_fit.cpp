#include "formats/weighted_fit.h"

#include <algorithm>
#include <array>
#include <limits>

#include "formats/block32.h"

namespace nibble {
namespace {

using block32::kWeights;

// Candidates are tried side by side, one per lane: vectors run over candidates and every sum over
// the block keeps its order, so any width of vector gives the same bits.
constexpr int kLanes = 16;
using Lanes = std::array<float, kLanes>;

// A grid to try: a weight x rounds to the level nearest to (x - origin) * inverse, which decodes to
// scale * level + origin.
struct Candidate {
  float scale = 0, inverse = 0, origin = 0;
  float minimum = 0;  // what f16 stores for the origin
  float score = 0;    // how much of the block's energy the codes explain; 0 is useless
};
using Candidates = std::array<Candidate, kLanes>;

// One block, moved so that it starts near 0 where the grid has a minimum (sums over weights far
// from 0 would cancel), its importance scaled to at most 1.
struct Block {
  int zero, top;  // levels are -zero .. top - zero
  bool affine;
  float shift = 0;  // x[i] + shift is the weight
  std::array<float, kWeights> x{}, w{};
  float sum_w = 0, sum_wx = 0;
};

// What the rounding of each lane's candidate amounts to; l is the level of a weight.
struct Moments {
  Lanes wl{}, wll{}, wxl{};  // sums of w l, w l², w x l
  Lanes loss{};              // sum of w (x - value)²
};

Moments measure(const Block& block, const Candidates& candidates) {
  Lanes scale, inverse, origin;
  for (int j = 0; j < kLanes; ++j) {
    scale[j] = candidates[j].scale;
    inverse[j] = candidates[j].inverse;
    origin[j] = candidates[j].origin;
  }
  const float zero = float(block.zero), nearest = zero + 0.5f, top = float(block.top);
  Moments sums;
  for (int i = 0; i < kWeights; ++i) {
    const float x = block.x[i], w = block.w[i];
    for (int j = 0; j < kLanes; ++j) {
      const float place = (x - origin[j]) * inverse[j] + nearest;
      const float level = float(block32::truncate_within(place, top)) - zero;
      const float error = x - (level * scale[j] + origin[j]);
      const float wl = w * level;
      sums.wl[j] += wl;
      sums.wll[j] += wl * level;
      sums.wxl[j] += wl * x;
      sums.loss[j] += w * (error * error);
    }
  }
  return sums;
}

// How much of the block's energy each lane's levels explain once their scale (and minimum) is the
// best; 0 where there is nothing to solve.
Lanes scores(const Block& block, const Moments& sums) {
  Lanes score;
  for (int j = 0; j < kLanes; ++j) {
    const float wl = block.affine ? sums.wl[j] : 0, weight = block.affine ? block.sum_w : 1;
    const float variance = weight * sums.wll[j] - wl * wl;
    const float covariance = weight * sums.wxl[j] - wl * block.sum_wx;
    const float explained = covariance * covariance / variance;
    score[j] = variance > 0 ? explained : 0;
  }
  return score;
}

// The scale of least loss for the levels of one lane, and the minimum: first both in closed form,
// then, the minimum once stored, the scale again. A candidate of score 0 when there is none in the
// range of f16.
Candidate solve(const Block& block, const Moments& sums, int lane, float score) {
  const float wl = sums.wl[lane], wll = sums.wll[lane], wxl = sums.wxl[lane];
  if (!(score > 0)) return {};
  Candidate solved{.scale = wxl / wll, .score = score};
  if (block.affine) {
    const float slope = (block.sum_w * wxl - wl * block.sum_wx) / (block.sum_w * wll - wl * wl);
    const auto stored =
        block32::store_scale((block.sum_wx - slope * wl) / block.sum_w + block.shift);
    if (stored.clamped) return {};
    solved.minimum = stored.value();
    solved.origin = solved.minimum - block.shift;
    solved.scale = (wxl - solved.origin * wl) / wll;
  }
  const auto stored = block32::store_scale(solved.scale);
  solved.scale = stored.value();
  solved.inverse = 1.0f / solved.scale;
  return stored.clamped || solved.scale == 0 ? Candidate{} : solved;
}

// The most promising solutions, best first; of equals the earlier. Trials often meet in one grid.
struct Shortlist {
  std::array<Candidate, kLanes - 1> best{};

  bool wants(float score) const { return score > best.back().score; }

  // REQUIRES: wants(candidate.score), or a score of 0.
  void offer(const Candidate& candidate) {
    if (candidate.score == 0) return;
    for (const auto& other : best) {
      if (other.scale == candidate.scale && other.minimum == candidate.minimum) return;
    }
    auto at = best.end() - 1;
    for (; at != best.begin() && candidate.score > (at - 1)->score; --at) *at = *(at - 1);
    *at = candidate;
  }
};

// False when nothing in the block matters or its plain fit is degenerate.
bool prepare(const float* x, const float* importance, const BlockGrid& grid, Block& block) {
  const auto at_limit = [](f16_bits bits) { return (bits & 0x7FFF) == 0x7BFF; };
  if (grid.scale[0] == 0 || at_limit(grid.d) || (block.affine && at_limit(grid.dmin))) return false;
  float largest = 0;
  for (int i = 0; i < kWeights; ++i) largest = std::max(largest, importance[i]);
  if (!(largest > 0)) return false;
  block.shift = grid.origin[0];
  for (int i = 0; i < kWeights; ++i) {
    block.x[i] = x[i] - block.shift;
    block.w[i] = importance[i] / largest;
    block.sum_w += block.w[i];
    block.sum_wx += block.w[i] * block.x[i];
  }
  return true;
}

Candidate plain_candidate(const Block& block, const BlockGrid& grid) {
  return {.scale = grid.scale[0],
          .inverse = grid.inverse[0],
          .origin = block.affine ? -grid.min[0] - block.shift : 0,
          .minimum = -grid.min[0]};
}

// Iterates the shortlist beside the plain fit and puts the grid of least loss into `grid`.
void refine(const Block& block, const Shortlist& shortlist, BlockGrid& grid) {
  constexpr int kPasses = 3;
  const Candidate plain = plain_candidate(block, grid);
  Candidates lanes{plain};
  std::copy(shortlist.best.begin(), shortlist.best.end(), lanes.begin() + 1);
  Candidate best = plain;
  float least = std::numeric_limits<float>::infinity();
  for (int pass = 0; pass < kPasses; ++pass) {
    const Moments sums = measure(block, lanes);
    const Lanes score = scores(block, sums);
    for (int j = 0; j < kLanes; ++j) {
      const bool better = sums.loss[j] < least;
      if (better) least = sums.loss[j];
      if (better) best = lanes[j];
      lanes[j] = solve(block, sums, j, score[j]);
    }
  }
  if (best.score == 0) return;  // the plain fit, whose rounding is not quite scale and minimum
  grid.d = f32_to_f16(best.scale);
  grid.scale[0] = best.scale;
  grid.inverse[0] = best.inverse;
  if (!block.affine) return;
  grid.dmin = f32_to_f16(best.minimum);
  grid.min[0] = -best.minimum;
  grid.origin[0] = best.minimum;
}

// Measures trials as they come, kLanes at a time.
class Trials {
 public:
  explicit Trials(const Block& block) : block_(block) {}

  void add(float inverse, float origin) {
    lanes_[waiting_++] = {.inverse = inverse, .origin = origin};
    if (waiting_ == kLanes) flush();
  }

  const Shortlist& finish() {
    if (waiting_ != 0) flush();
    return shortlist_;
  }

 private:
  void flush() {
    const Moments sums = measure(block_, lanes_);
    const Lanes score = scores(block_, sums);
    for (int j = 0; j < waiting_; ++j) {
      if (shortlist_.wants(score[j])) shortlist_.offer(solve(block_, sums, j, score[j]));
    }
    waiting_ = 0;
  }

  const Block& block_;
  Candidates lanes_{};
  int waiting_ = 0;
  Shortlist shortlist_;
};

}  // namespace

void improve(const SymmetricSearch& search, const float* x, const float* importance,
             BlockGrid& grid) {
  Block block{.zero = search.zero, .top = search.top, .affine = false};
  if (!prepare(x, importance, grid, block)) return;
  const float extreme = block32::signed_extreme(x);
  Trials trials(block);
  for (int k = 0; k < search.trials_per_sign; ++k) {
    const float inverse = (search.first + search.step * float(k)) / extreme;
    trials.add(inverse, 0);
    if (search.both_signs) trials.add(-inverse, 0);
  }
  refine(block, trials.finish(), grid);
}

void improve(const AffineSearch& search, const float* x, const float* importance, BlockGrid& grid) {
  Block block{.zero = 0, .top = search.top, .affine = true};
  if (!prepare(x, importance, grid, block)) return;
  const auto [lowest, highest] = block32::extent(block.x.data());
  const float code = (highest - lowest) / float(search.top);  // distance of neighbouring levels
  Trials trials(block);
  for (int below = 0; below < search.trials_per_end; ++below) {
    for (int above = 0; above < search.trials_per_end; ++above) {
      const float low = lowest + code * (search.first + search.step * float(below));
      const float high = highest - code * (search.first + search.step * float(above));
      trials.add(float(search.top) / (high - low), low);
    }
  }
  refine(block, trials.finish(), grid);
}

}  // namespace nibble
