#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "kernels/isa.h"
#include "kernels/isa_kernels.h"
#include "kernels/ops.h"
#include "kernels/scratch.h"

namespace nibble {
namespace {

// Query rows of one piece: enough to repay transposing keys, few enough to stay in the cache.
constexpr size_t kRows = 48;
// With few tokens long contexts are cut at multiples of this, so that all threads have work. The
// cuts depend on the positions alone: any number of threads adds up the same parts in the same
// order.
constexpr size_t kChunk = 512;
constexpr size_t kFewTokens = 8;
constexpr size_t kPadding = 16;

size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

struct Shape {
  size_t tokens, heads, kv_heads, head_dim, first_position, window;

  size_t group() const { return heads / kv_heads; }
  size_t padded_dim() const { return ceil_div(head_dim, kPadding) * kPadding; }
  size_t last_seen(size_t t) const { return first_position + t + 1; }  // one past
  size_t first_seen(size_t t) const {
    return window == 0 || last_seen(t) <= window ? 0 : last_seen(t) - window;
  }
  size_t tokens_per_piece() const { return std::max<size_t>(1, kRows / group()); }
  bool chunked() const { return tokens <= kFewTokens; }
};

// The partial results of one piece: rows are [token of the piece][head of the group].
struct Part {
  float* out;  // [rows, padded_dim]
  float* maximum;
  float* sum;
};

class Attention {
 public:
  Attention(MatView<const float> q, const KvView& kv, const Shape& shape, float scale,
            MatView<float> out)
      : q_(q), kv_(kv), shape_(shape), scale_(scale), out_(out) {}

  void run(ThreadPool& pool) {
    if (shape_.chunked())
      run_chunks(pool);
    else
      run_tiles(pool);
  }

 private:
  // Many tokens: a piece is some tokens of one KV head, over all positions they see.
  void run_tiles(ThreadPool& pool) {
    const size_t step = shape_.tokens_per_piece(), tiles = ceil_div(shape_.tokens, step);
    pool.parallel_for(tiles * shape_.kv_heads, 1, [&](size_t begin, size_t end, unsigned) {
      for (size_t i = begin; i < end; ++i) {
        // Later tokens see more; they go first, so that no long piece is left for the end.
        const size_t t = (tiles - 1 - i / shape_.kv_heads) * step;
        const size_t tokens = std::min(step, shape_.tokens - t), h = i % shape_.kv_heads;
        const Part part = thread_part(tokens * shape_.group());
        compute(h, t, tokens, shape_.first_seen(t), shape_.last_seen(t + tokens - 1), part);
        combine(h, t, tokens, &part, 1);
      }
    });
  }

  // Few tokens: a piece is one chunk of positions of one KV head; the parts are added up after.
  void run_chunks(ThreadPool& pool) {
    const size_t begin = shape_.first_seen(0), end = shape_.last_seen(shape_.tokens - 1);
    const size_t first = begin / kChunk, chunks = ceil_div(end, kChunk) - first;
    const size_t rows = shape_.tokens * shape_.group();
    const std::vector<Part> parts = parts_for(chunks * shape_.kv_heads, rows);
    // All heads of a chunk before the next chunk: they lie in the same pages.
    const auto piece = [&](size_t i) {
      const size_t h = i % shape_.kv_heads, c = i / shape_.kv_heads, at = (first + c) * kChunk;
      compute(h, 0, shape_.tokens, std::max(begin, at), std::min(end, at + kChunk),
              parts[h * chunks + c]);
    };
    const size_t grain = std::max<size_t>(1, kChunk / std::min(kChunk, end - begin));
    pool.parallel_for(parts.size(), grain, [&](size_t from, size_t to, unsigned) {
      for (size_t i = from; i < to; ++i) piece(i);
    });
    pool.parallel_for(shape_.kv_heads, ceil_div(64, chunks), [&](size_t from, size_t to, unsigned) {
      for (size_t h = from; h < to; ++h) combine(h, 0, shape_.tokens, &parts[h * chunks], chunks);
    });
  }

  // Rows of `tokens` tokens from t on and the query heads of KV head h, over positions begin ..
  // end.
  void compute(size_t h, size_t t, size_t tokens, size_t begin, size_t end,
               const Part& part) const {
    const IsaKernels& isa = *active_isa().kernels;
    const size_t group = shape_.group(), rows = tokens * group, dim = shape_.head_dim;
    thread_local Scratch<float> scratch, queries;
    thread_local Scratch<uint32_t> limits;
    float* q = queries.reserve(rows * dim);
    uint32_t* first = limits.reserve(2 * rows);
    uint32_t* last = first + rows;
    for (size_t r = 0; r < rows; ++r) {
      const size_t token = t + r / group;
      const float* from = q_.row(token) + (h * group + r % group) * dim;
      for (size_t d = 0; d < dim; ++d) q[r * dim + d] = from[d] * scale_;
      first[r] = uint32_t(shape_.first_seen(token));
      last[r] = uint32_t(shape_.last_seen(token));
    }
    isa.attention({.q = q,
                   .q_stride = dim,
                   .rows = rows,
                   .head_dim = dim,
                   .keys = head(kv_.keys, h),
                   .values = head(kv_.values, h),
                   .kv_stride = shape_.kv_heads * dim,
                   .f16 = kv_.type == KvType::kF16,
                   .first = first,
                   .last = last,
                   .begin = begin,
                   .end = end,
                   .scratch = scratch.reserve(isa.attention_scratch(rows, dim)),
                   .out = part.out,
                   .out_stride = shape_.padded_dim(),
                   .maximum = part.maximum,
                   .sum = part.sum});
  }

  // out = Σ_parts e^(maximum - largest) out / Σ_parts e^(maximum - largest) sum.
  void combine(size_t h, size_t t, size_t tokens, const Part* parts, size_t count) const {
    const size_t group = shape_.group(), dim = shape_.head_dim, stride = shape_.padded_dim();
    for (size_t r = 0; r < tokens * group; ++r) {
      float* out = out_.row(t + r / group) + (h * group + r % group) * dim;
      float largest = parts[0].maximum[r];
      for (size_t i = 1; i < count; ++i) largest = std::max(largest, parts[i].maximum[r]);
      float sum = 0;
      for (size_t i = 0; i < count; ++i)
        sum += std::exp(parts[i].maximum[r] - largest) * parts[i].sum[r];
      std::fill(out, out + dim, 0.0f);
      for (size_t i = 0; i < count; ++i) {
        const float factor = std::exp(parts[i].maximum[r] - largest) / sum;
        const float* from = parts[i].out + r * stride;
        for (size_t d = 0; d < dim; ++d) out[d] += factor * from[d];
      }
    }
  }

  const void* head(const void* data, size_t h) const {
    const size_t element = kv_.type == KvType::kF16 ? 2 : 4;
    return static_cast<const std::byte*>(data) + h * shape_.head_dim * element;
  }

  size_t floats_per_part(size_t rows) const {
    return ceil_div(rows * (shape_.padded_dim() + 2), kPadding) * kPadding;
  }
  Part part_at(float* memory, size_t rows) const {
    float* after = memory + rows * shape_.padded_dim();
    return {memory, after, after + rows};
  }
  Part thread_part(size_t rows) const {
    thread_local Scratch<float> memory;
    return part_at(memory.reserve(floats_per_part(rows)), rows);
  }
  static float* shared_memory(size_t floats) {
    thread_local Scratch<float> memory;
    return memory.reserve(floats);
  }
  std::vector<Part> parts_for(size_t count, size_t rows) const {
    float* memory = shared_memory(count * floats_per_part(rows));
    std::vector<Part> parts;
    for (size_t i = 0; i < count; ++i) {
      parts.push_back(part_at(memory + i * floats_per_part(rows), rows));
    }
    return parts;
  }

  MatView<const float> q_;
  KvView kv_;
  Shape shape_;
  float scale_;
  MatView<float> out_;
};

}  // namespace

void attention(MatView<const float> q, const KvView& kv, size_t heads, size_t kv_heads,
               size_t head_dim, size_t first_position, size_t window, float scale,
               MatView<float> out, ThreadPool& pool) {
  NIBBLE_CHECK(kv_heads > 0 && heads % kv_heads == 0);
  NIBBLE_CHECK(q.cols == heads * head_dim && out.cols == q.cols && out.rows == q.rows);
  NIBBLE_CHECK(first_position + q.rows < std::numeric_limits<uint32_t>::max());
  if (q.rows == 0) return;
  const Shape shape{q.rows, heads, kv_heads, head_dim, first_position, window};
  Attention(q, kv, shape, scale, out).run(pool);
}

}  // namespace nibble
