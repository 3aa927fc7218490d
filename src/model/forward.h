#pragma once

#include <span>
#include <vector>

#include "kernels/matmul.h"
#include "model/kv_cache.h"
#include "model/model.h"
#include "model/observer.h"

namespace nibble {

struct ForwardOptions {
  ActivationPrecision activations = ActivationPrecision::kInt8;
  Observer* observer = nullptr;
  size_t max_batch = 512;  // tokens computed together; longer runs are cut into pieces of this
};

// The forward pass and its working memory. One object per thread of control; the model is shared.
class Forward {
 public:
  Forward(const Model& model, ThreadPool& pool, const ForwardOptions& options = {});

  // Runs `tokens` at the end of the cache and stores their keys and values there. Returns the
  // normalized hidden states [tokens, hidden], valid until the next call.
  // Throws Error(kUsage) when the cache has no room, Error(kBadInput) for ids outside the
  // vocabulary, Error(kInterrupted) between two batches after Ctrl-C.
  MatView<const float> run(std::span<const TokenId> tokens, KvCache& cache);

  // logits = hidden · outputᵀ. hidden: [rows, hidden] as run() returned it; logits: [rows,
  // vocabulary].
  void logits(MatView<const float> hidden, MatView<float> logits);

  const Model& model() const { return model_; }
  ThreadPool& pool() { return pool_; }

 private:
  void run_batch(std::span<const TokenId> tokens, KvCache& cache, MatView<float> hidden);
  void embed(std::span<const TokenId> tokens);
  void attention_block(const LayerWeights& layer, size_t index, KvCache& cache);
  void feed_forward_block(const LayerWeights& layer);
  void linear(const Linear& layer, MatView<float> out);
  void rotate(MatView<float> x, size_t heads);
  MatView<float> buffer(std::vector<float>& storage, size_t cols) const;

  const Model& model_;
  ThreadPool& pool_;
  ForwardOptions options_;
  Activations activations_;
  MatView<const float> input_;  // what activations_ holds, for the observer
  size_t tokens_ = 0;           // of the batch in work
  std::vector<int32_t> positions_;
  std::vector<float> x_, normed_, q_, k_, v_, attended_, gate_, up_, projected_, hidden_;
};

}  // namespace nibble
