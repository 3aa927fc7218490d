#include "model/forward.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/interrupt.h"

namespace nibble {

Forward::Forward(const Model& model, ThreadPool& pool, const ForwardOptions& options)
    : model_(model), pool_(pool), options_(options) {}

MatView<const float> Forward::run(std::span<const TokenId> tokens, KvCache& cache) {
  if (tokens.size() > cache.capacity() - cache.length()) {
    throw usage_error("{} tokens do not fit: the context has {} positions, {} are taken",
                      tokens.size(), cache.capacity(), cache.length())
        .hint("ask for a longer --context");
  }
  const size_t hidden = model_.hyperparameters().hidden;
  hidden_.resize(tokens.size() * hidden);
  const MatView<float> states(hidden_.data(), tokens.size(), hidden);
  for (size_t at = 0; at < tokens.size(); at += options_.max_batch) {
    if (at > 0) check_interrupt();
    const size_t n = std::min(options_.max_batch, tokens.size() - at);
    run_batch(tokens.subspan(at, n), cache, states.rows_from(at, n));
  }
  return states;
}

// Pre-norm transformer: x += attention(norm(x)); x += feed_forward(norm(x)); layer by layer.
void Forward::run_batch(std::span<const TokenId> tokens, KvCache& cache, MatView<float> hidden) {
  tokens_ = tokens.size();
  positions_.resize(tokens_);
  for (size_t i = 0; i < tokens_; ++i) positions_[i] = int32_t(cache.length() + i);
  embed(tokens);
  for (size_t i = 0; i < model_.layers().size(); ++i) {
    attention_block(model_.layers()[i], i, cache);
    feed_forward_block(model_.layers()[i]);
  }
  cache.advance(tokens_);
  const auto& h = model_.hyperparameters();
  rms_norm(buffer(x_, h.hidden), model_.output_norm(), float(h.norm_epsilon), hidden, pool_);
}

void Forward::embed(std::span<const TokenId> tokens) {
  const WeightMatrix& table = model_.token_embedding();
  const MatView<float> x = buffer(x_, table.cols);
  for (size_t t = 0; t < tokens.size(); ++t) {
    const TokenId id = tokens[t];
    if (id < 0 || size_t(id) >= table.rows) {
      throw bad_input("token id {} is outside the vocabulary of {}", id, table.rows);
    }
    table.format->decode(table.data + size_t(id) * table.row_bytes(), table.cols, x.row(t));
  }
}

void Forward::attention_block(const LayerWeights& layer, size_t index, KvCache& cache) {
  const auto& h = model_.hyperparameters();
  const float epsilon = float(h.norm_epsilon);
  const MatView<float> x = buffer(x_, h.hidden), normed = buffer(normed_, h.hidden);
  const MatView<float> q = buffer(q_, h.heads * h.head_dim);
  const MatView<float> k = buffer(k_, h.kv_heads * h.head_dim);
  const MatView<float> v = buffer(v_, h.kv_heads * h.head_dim);
  const MatView<float> attended = buffer(attended_, h.heads * h.head_dim);

  rms_norm(x, layer.attention_norm, epsilon, normed, pool_);
  input_ = normed;
  activations_.set(normed, options_.activations, pool_);
  linear(layer.q, q);
  linear(layer.k, k);
  linear(layer.v, v);
  // Every head is a row of its own to the per-head norm (qwen3).
  const MatView<float> q_heads(q.data, tokens_ * h.heads, h.head_dim);
  const MatView<float> k_heads(k.data, tokens_ * h.kv_heads, h.head_dim);
  if (layer.q_norm != nullptr) rms_norm(q_heads, layer.q_norm, epsilon, q_heads, pool_);
  if (layer.k_norm != nullptr) rms_norm(k_heads, layer.k_norm, epsilon, k_heads, pool_);
  rotate(q, h.heads);
  rotate(k, h.kv_heads);
  cache.store(index, k, v);
  attention(q, cache.layer(index), h.heads, h.kv_heads, h.head_dim, cache.length(),
            h.sliding_window, 1 / std::sqrt(float(h.head_dim)), attended, pool_);

  const MatView<float> projected = buffer(projected_, h.hidden);
  input_ = attended;
  activations_.set(attended, options_.activations, pool_);
  linear(layer.o, projected);
  add_in_place(x, projected, pool_);
}

// down(silu(gate(x)) * up(x)), Shazeer 2020.
void Forward::feed_forward_block(const LayerWeights& layer) {
  const auto& h = model_.hyperparameters();
  const MatView<float> x = buffer(x_, h.hidden), normed = buffer(normed_, h.hidden);
  const MatView<float> gate = buffer(gate_, h.ffn), up = buffer(up_, h.ffn);
  rms_norm(x, layer.ffn_norm, float(h.norm_epsilon), normed, pool_);
  input_ = normed;
  activations_.set(normed, options_.activations, pool_);
  linear(layer.gate, gate);
  linear(layer.up, up);
  silu_multiply(gate, up, gate, pool_);

  const MatView<float> projected = buffer(projected_, h.hidden);
  input_ = gate;
  activations_.set(gate, options_.activations, pool_);
  linear(layer.down, projected);
  add_in_place(x, projected, pool_);
}

void Forward::logits(MatView<const float> hidden, MatView<float> logits) {
  input_ = hidden;
  activations_.set(hidden, options_.activations, pool_);
  linear(model_.output(), logits);
}

// out = input_ · wᵀ + bias, where activations_ holds input_.
void Forward::linear(const Linear& layer, MatView<float> out) {
  if (options_.observer != nullptr) options_.observer->linear_input(*layer.tensor, input_);
  matmul(layer.w, activations_, out, layer.bias, pool_);
}

void Forward::rotate(MatView<float> x, size_t heads) {
  rope(x, heads, model_.hyperparameters().head_dim, positions_, model_.rope_inverse_frequencies(),
       model_.rope_magnitude(), model_.rope_pairs(), pool_);
}

MatView<float> Forward::buffer(std::vector<float>& storage, size_t cols) const {
  if (storage.size() < tokens_ * cols) storage.resize(tokens_ * cols);
  return {storage.data(), tokens_, cols};
}

}  // namespace nibble
