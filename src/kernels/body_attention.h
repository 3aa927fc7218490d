#pragma once

#include "kernels/isa_kernels.h"

// Attention of a few query rows over the positions of one KV head, tile by tile, once for all
// instruction sets. Rows are (token, head) pairs that share the KV head, so that every key and
// value is read once for all of them.
//
//   scores[row, position] = q · k        a GEMM on transposed keys, or dot products for few rows
//   p = exp(scores - running maximum)
//   out[row, :] += p · values            a GEMM; values already lie as [k][columns]

namespace nibble::NIBBLE_ISA_NAMESPACE {
namespace {

constexpr size_t kTile = 64;     // positions at a time
constexpr size_t kAhead = 16;    // positions asked for before they are read
constexpr size_t kFewRows = 8;   // up to here transposing the keys does not pay
constexpr size_t kPadding = 16;  // out_stride is a multiple of it
static_assert(kPadding % kLanes == 0 && kTile % kF32Rows == 0);

inline size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }
inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

size_t attention_scratch(size_t rows, size_t head_dim) {
  const size_t width = round_up(head_dim, kPadding);
  const size_t queries = round_up(rows, kF32Tokens) * width;
  return round_up(rows, kF32Tokens) * kTile + kTile * width + kTile * width + queries + kTile;
}

// Memory of one piece, all of it in the caller's scratch.
struct Workspace {
  float* scores;   // [rows][kTile]
  float* values;   // [kTile][width]
  float* keys;     // [kTile][width], then transposed [head_dim][kTile]
  float* queries;  // packed [rows / kF32Tokens][head_dim][kF32Tokens], or [rows][width]
  size_t width;    // head_dim, padded
};

inline Workspace divide_scratch(const AttentionPiece& c) {
  Workspace s;
  s.width = round_up(c.head_dim, kPadding);
  s.scores = c.scratch;
  s.values = s.scores + round_up(c.rows, kF32Tokens) * kTile;
  s.keys = s.values + kTile * s.width;
  s.queries = s.keys + kTile * s.width;
  return s;
}

inline void pack_queries(const AttentionPiece& c, const Workspace& s) {
  std::memset(s.queries, 0, round_up(c.rows, kF32Tokens) * s.width * sizeof(float));
  for (size_t r = 0; r < c.rows; ++r) {
    const float* q = c.q + r * c.q_stride;
    if (c.rows <= kFewRows) {
      std::memcpy(s.queries + r * s.width, q, c.head_dim * sizeof(float));
      continue;
    }
    float* out = s.queries + r / kF32Tokens * kF32Tokens * c.head_dim + r % kF32Tokens;
    for (size_t d = 0; d < c.head_dim; ++d) out[d * kF32Tokens] = q[d];
  }
}

// The positions first .. first + n of keys or values as f32 [n][width], padded with zeros.
inline void read_tile(const AttentionPiece& c, const void* from, size_t first, size_t n,
                      size_t width, float* out) {
  const size_t bytes = c.f16 ? 2 : 4;
  const auto* in = static_cast<const uint8_t*>(from) + first * c.kv_stride * bytes;
  const size_t whole = c.head_dim / kLanes * kLanes;
  for (size_t p = 0; p < n; ++p, in += c.kv_stride * bytes, out += width) {
    // Heads lie between: the processor does not see that positions follow each other.
    if (first + p + kAhead < c.end) {
      for (size_t at = 0; at < c.head_dim * bytes; at += 64) {
        prefetch(in + kAhead * c.kv_stride * bytes + at);
      }
    }
    for (size_t d = 0; d < whole; d += kLanes) {
      store(out + d, c.f16 ? WeightF16::read(in + d * 2) : WeightF32::read(in + d * 4));
    }
    if (whole == width) continue;
    for (size_t d = whole; d < width; d += kLanes) store(out + d, set(0));
    const size_t rest = c.head_dim - whole;
    if (rest == 0) continue;
    store(out + whole, c.f16 ? read_n<WeightF16>(in + whole * 2, rest)
                             : read_n<WeightF32>(in + whole * 4, rest));
  }
}

// scores[r, p] for few rows: R rows by P positions at once, so that both are read less often.
template <size_t R, size_t P>
inline void dot_scores(const Workspace& s, size_t first_row, size_t p) {
  const float* q = s.queries + first_row * s.width;
  const float* keys = s.keys + p * s.width;
  F sums[R][P];
  NIBBLE_UNROLL
  for (size_t r = 0; r < R; ++r) {
    NIBBLE_UNROLL
    for (size_t i = 0; i < P; ++i) sums[r][i] = set(0);
  }
  for (size_t d = 0; d < s.width; d += kLanes) {
    NIBBLE_UNROLL
    for (size_t r = 0; r < R; ++r) {
      const F query = load(q + r * s.width + d);
      NIBBLE_UNROLL
      for (size_t i = 0; i < P; ++i) {
        sums[r][i] = fma(query, load(keys + i * s.width + d), sums[r][i]);
      }
    }
  }
  NIBBLE_UNROLL
  for (size_t r = 0; r < R; ++r) {
    NIBBLE_UNROLL
    for (size_t i = 0; i < P; ++i) {
      s.scores[(first_row + r) * kTile + p + i] = reduce_add(sums[r][i]);
    }
  }
}

template <size_t R>
inline void row_scores(const Workspace& s, size_t first_row, size_t n) {
  constexpr size_t kPositions = 2;
  size_t p = 0;
  for (; p + kPositions <= n; p += kPositions) dot_scores<R, kPositions>(s, first_row, p);
  for (; p < n; ++p) dot_scores<R, 1>(s, first_row, p);
}

inline void few_scores(const Workspace& s, size_t rows, size_t n) {
  size_t r = 0;
  for (; r + 4 <= rows; r += 4) row_scores<4>(s, r, n);
  for (; r + 2 <= rows; r += 2) row_scores<2>(s, r, n);
  if (r < rows) row_scores<1>(s, r, n);
}

inline void many_scores(const AttentionPiece& c, const Workspace& s, size_t n) {
  std::memset(s.scores, 0, round_up(c.rows, kF32Tokens) * kTile * sizeof(float));
  alignas(64) float packed[kF32Rows * 256];
  constexpr size_t kDepth = 256;
  for (size_t p = 0; p < n; p += kF32Rows) {
    for (size_t d = 0; d < c.head_dim; d += kDepth) {
      const size_t depth = smaller(kDepth, c.head_dim - d);
      pack_f32(s.keys + p * s.width + d, s.width, smaller(n - p, kF32Rows), depth, packed);
      for (size_t r = 0; r < c.rows; r += kF32Tokens) {
        const float* q = s.queries + r * c.head_dim + d * kF32Tokens;
        gemm_f32(
            {packed, q, depth, smaller(c.rows - r, kF32Tokens), s.scores + r * kTile + p, kTile});
      }
    }
  }
}

// Turns the scores of one row into p and rescales what it has so far. Positions the row does not
// see get p = 0.
inline void softmax_row(const AttentionPiece& c, size_t r, size_t tile, size_t n, float* scores) {
  const size_t begin = c.first[r] > tile ? smaller(c.first[r] - tile, n) : 0;
  const size_t end = c.last[r] > tile ? smaller(c.last[r] - tile, n) : 0;
  if (begin >= end) {
    std::memset(scores, 0, n * sizeof(float));
    return;
  }
  std::memset(scores, 0, begin * sizeof(float));
  std::memset(scores + end, 0, (n - end) * sizeof(float));
  const float before = c.maximum[r], here = max_all(scores + begin, end - begin);
  const float maximum = here > before ? here : before;
  if (maximum > before) {
    const F fade = before == -__builtin_inff() ? set(0) : exp_f(set(before - maximum));
    float* out = c.out + r * c.out_stride;
    for (size_t d = 0; d < c.out_stride; d += kLanes) store(out + d, mul(load(out + d), fade));
    float factor[kLanes];
    store(factor, fade);
    c.sum[r] *= factor[0];
    c.maximum[r] = maximum;
  }
  const F shift = set(maximum);
  F sums = set(0);
  size_t p = begin;
  for (; p + kLanes <= end; p += kLanes) {
    const F e = exp_f(sub(load(scores + p), shift));
    store(scores + p, e);
    sums = add(sums, e);
  }
  float rest = 0;
  if (p < end) {
    float e[kLanes];
    store(e, exp_f(sub(load_n(scores + p, end - p), shift)));
    std::memcpy(scores + p, e, (end - p) * sizeof(float));
    for (size_t i = 0; i < end - p; ++i) rest += e[i];
  }
  c.sum[r] += reduce_add(sums) + rest;
}

inline void add_values(const AttentionPiece& c, const Workspace& s, size_t n) {
  for (size_t r = 0; r < c.rows; r += kF32Tokens) {
    const size_t tokens = smaller(c.rows - r, kF32Tokens);
    const float* p = s.scores + r * kTile;
    size_t d = 0;
    for (; d + kF32Rows <= s.width; d += kF32Rows) {
      gemm_f32_any<kF32Vectors, kF32Tokens, 1, kTile>(tokens, s.values + d, s.width, p, n,
                                                      c.out + r * c.out_stride + d, c.out_stride);
    }
    for (; d < s.width; d += kLanes) {
      gemm_f32_any<1, kF32Tokens, 1, kTile>(tokens, s.values + d, s.width, p, n,
                                            c.out + r * c.out_stride + d, c.out_stride);
    }
  }
}

void attention(const AttentionPiece& c) {
  const Workspace s = divide_scratch(c);
  pack_queries(c, s);
  for (size_t r = 0; r < c.rows; ++r) {
    c.maximum[r] = -__builtin_inff();
    c.sum[r] = 0;
    std::memset(c.out + r * c.out_stride, 0, c.out_stride * sizeof(float));
  }
  for (size_t tile = c.begin; tile < c.end; tile += kTile) {
    const size_t n = smaller(kTile, c.end - tile);
    read_tile(c, c.keys, tile, n, s.width, s.keys);
    if (c.rows <= kFewRows)
      few_scores(s, c.rows, n);
    else
      many_scores(c, s, n);
    for (size_t r = 0; r < c.rows; ++r) softmax_row(c, r, tile, n, s.scores + r * kTile);
    read_tile(c, c.values, tile, n, s.width, s.values);
    add_values(c, s, n);
  }
}

}  // namespace
}  // namespace nibble::NIBBLE_ISA_NAMESPACE
