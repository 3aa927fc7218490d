#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/matmul.h"
#include "kernels/ops.h"
#include "model/checkpoint.h"

namespace nibble {

// One linear layer: y = x · wᵀ + bias.
struct Linear {
  WeightMatrix w;
  const float* bias = nullptr;               // [w.rows], or nullptr
  const CheckpointTensor* tensor = nullptr;  // what it was loaded from
};

struct LayerWeights {
  const float* attention_norm = nullptr;  // [hidden]
  Linear q, k, v, o;
  const float* q_norm = nullptr;  // [head_dim], or nullptr: RMSNorm of every head (qwen3)
  const float* k_norm = nullptr;
  const float* ffn_norm = nullptr;  // [hidden]
  Linear gate, up, down;
};

struct LoadOptions {
  // The format a weight matrix is held in; nullptr = as it is stored. Where it answers another
  // format than the stored one, the matrix is quantized while it loads (dynamic quantization).
  std::function<const Format*(const CheckpointTensor&)> format_of;
};

// A checkpoint ready to run. Matrices in their stored format stay in the mapped file; vectors are
// held in f32. Immutable after loading; any number of forward passes may share it.
class Model {
 public:
  // Throws Error(kBadInput) on non-finite norms or scales it has to convert, kResources when memory
  // is short.
  static std::unique_ptr<Model> load(std::shared_ptr<const Checkpoint> checkpoint,
                                     const LoadOptions& options, ThreadPool& pool);

  const Checkpoint& checkpoint() const { return *checkpoint_; }
  const Hyperparameters& hyperparameters() const { return checkpoint_->hyperparameters(); }

  const WeightMatrix& token_embedding() const { return token_embedding_; }  // [vocabulary, hidden]
  const std::vector<LayerWeights>& layers() const { return layers_; }
  const float* output_norm() const { return output_norm_; }  // [hidden]
  const Linear& output() const { return output_; }           // [vocabulary, hidden]

  RopePairs rope_pairs() const { return rope_pairs_; }
  std::span<const float> rope_inverse_frequencies() const { return inverse_frequencies_; }
  float rope_magnitude() const { return rope_magnitude_; }

  uint64_t weight_bytes() const { return weight_bytes_; }    // of all matrices, as held
  uint64_t quantized_bytes() const { return owned_bytes_; }  // of those quantized while loading

 private:
  Model() = default;
  friend class ModelLoader;

  std::shared_ptr<const Checkpoint> checkpoint_;
  WeightMatrix token_embedding_;
  std::vector<LayerWeights> layers_;
  const float* output_norm_ = nullptr;
  Linear output_;
  RopePairs rope_pairs_ = RopePairs::kHalves;
  std::vector<float> inverse_frequencies_;
  float rope_magnitude_ = 1;
  uint64_t weight_bytes_ = 0, owned_bytes_ = 0;
  std::vector<std::vector<float>> vectors_;              // norms and biases in f32
  std::vector<std::unique_ptr<std::byte[]>> quantized_;  // matrices quantized while loading
};

}  // namespace nibble
