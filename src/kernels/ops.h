#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "base/view.h"

// What a transformer layer computes beside matrix products. All on f32; shapes in brackets.

namespace nibble {

// out[t] = x[t] / sqrt(mean(x[t]²) + epsilon) * weight. x, out: [tokens, n]; may be the same
// memory.
void rms_norm(MatView<const float> x, const float* weight, float epsilon, MatView<float> out,
              ThreadPool& pool);

// How rotary embedding pairs the elements of a head: (i, i + half) as Hugging Face stores llama,
// or (2i, 2i + 1) as GGUF does.
enum class RopePairs { kHalves, kNeighbours };

// Rotates the first `rotary` elements of every head in place by position · frequency (RoPE, Su et
// al. 2021). x: [tokens, heads * head_dim]; positions: [tokens]; inverse_frequencies: [rotary / 2],
// radians per position; magnitude scales the rotated part (1 but for YaRN).
void rope(MatView<float> x, size_t heads, size_t head_dim, std::span<const int32_t> positions,
          std::span<const float> inverse_frequencies, float magnitude, RopePairs pairs,
          ThreadPool& pool);

// out = silu(gate) * up. All [tokens, n]; out may be gate.
void silu_multiply(MatView<const float> gate, MatView<const float> up, MatView<float> out,
                   ThreadPool& pool);

// x += y. Both [tokens, n].
void add_in_place(MatView<float> x, MatView<const float> y, ThreadPool& pool);

// The keys and values of one layer, as attention reads them: element e of position p of KV head h
// is at data[(p * kv_heads + h) * head_dim + e].
enum class KvType { kF32, kF16 };
struct KvView {
  KvType type;
  const void* keys;
  const void* values;
};

// Stores rows of keys or values ([tokens, kv_heads * head_dim], f32) at positions first.. of a
// cache.
void store_kv(MatView<const float> x, KvType type, void* cache, size_t first_position);

// Causal attention with grouped queries: token t attends to positions 0 .. first_position + t, or
// only to the last `window` of them (0 = all). Softmax accumulates in f32, tiles of keys at a time
// (Dao et al. 2022), so memory does not grow with the context.
// q, out: [tokens, heads * head_dim].
void attention(MatView<const float> q, const KvView& kv, size_t heads, size_t kv_heads,
               size_t head_dim, size_t first_position, size_t window, float scale,
               MatView<float> out, ThreadPool& pool);

// Natural-log softmax of one row in place; returns log(sum(exp(x))).
double log_softmax(std::span<float> logits);

}  // namespace nibble
