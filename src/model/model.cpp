#include "model/model.h"

#include <cmath>
#include <new>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/progress.h"

namespace nibble {

// Binds the tensors of a checkpoint to the places of a Model, converting what must be converted.
class ModelLoader {
 public:
  ModelLoader(Model& model, const LoadOptions& options, ThreadPool& pool)
      : model_(model),
        options_(options),
        pool_(pool),
        progress_("loading", model.checkpoint_->reader().total_bytes()) {}

  void load();

 private:
  void load_layer(int64_t index);
  Linear linear(Role role, int64_t layer);
  Linear linear(Role role, Role bias, int64_t layer);
  WeightMatrix matrix(const CheckpointTensor& tensor);
  const std::byte* quantize(const CheckpointTensor& tensor, const Format& format);
  const float* vector(Role role, int64_t layer = -1);  // nullptr when absent

  Model& model_;
  const LoadOptions& options_;
  ThreadPool& pool_;
  Progress progress_;
};

std::unique_ptr<Model> Model::load(std::shared_ptr<const Checkpoint> checkpoint,
                                   const LoadOptions& options, ThreadPool& pool) {
  std::unique_ptr<Model> model(new Model);
  model->checkpoint_ = std::move(checkpoint);
  ModelLoader(*model, options, pool).load();
  return model;
}

void ModelLoader::load() {
  const Checkpoint& checkpoint = *model_.checkpoint_;
  const Hyperparameters& h = checkpoint.hyperparameters();
  const Linear embedding = linear(Role::kTokenEmbedding, -1);
  model_.token_embedding_ = embedding.w;
  model_.output_ = checkpoint.find(Role::kOutput) ? linear(Role::kOutput, -1) : embedding;
  model_.output_norm_ = vector(Role::kOutputNorm);
  for (uint64_t i = 0; i < h.layers; ++i) load_layer(int64_t(i));
  model_.rope_pairs_ =
      checkpoint.rotates_neighbours() ? RopePairs::kNeighbours : RopePairs::kHalves;
  model_.inverse_frequencies_ = inverse_frequencies(h);
  model_.rope_magnitude_ = float(rope_magnitude(h));
}

void ModelLoader::load_layer(int64_t i) {
  check_interrupt();
  LayerWeights layer;
  layer.attention_norm = vector(Role::kAttentionNorm, i);
  layer.q = linear(Role::kQuery, Role::kQueryBias, i);
  layer.k = linear(Role::kKey, Role::kKeyBias, i);
  layer.v = linear(Role::kValue, Role::kValueBias, i);
  layer.o = linear(Role::kAttentionOutput, Role::kAttentionOutputBias, i);
  layer.q_norm = vector(Role::kQueryNorm, i);
  layer.k_norm = vector(Role::kKeyNorm, i);
  layer.ffn_norm = vector(Role::kFfnNorm, i);
  layer.gate = linear(Role::kFfnGate, i);
  layer.up = linear(Role::kFfnUp, i);
  layer.down = linear(Role::kFfnDown, i);
  model_.layers_.push_back(layer);
}

Linear ModelLoader::linear(Role role, int64_t layer) {
  const CheckpointTensor& tensor = model_.checkpoint_->get(role, layer);
  return {.w = matrix(tensor), .bias = nullptr, .tensor = &tensor};
}

Linear ModelLoader::linear(Role role, Role bias, int64_t layer) {
  Linear result = linear(role, layer);
  result.bias = vector(bias, layer);
  return result;
}

WeightMatrix ModelLoader::matrix(const CheckpointTensor& tensor) {
  const Format* wanted = options_.format_of ? options_.format_of(tensor) : nullptr;
  WeightMatrix w{tensor.info.format, tensor.bytes.data(), tensor.info.rows(),
                 tensor.info.row_size()};
  if (wanted != nullptr && wanted != tensor.info.format) {
    w.data = quantize(tensor, *wanted);
    w.format = wanted;
  }
  model_.weight_bytes_ += w.rows * w.row_bytes();
  progress_.advance(tensor.bytes.size(), tensor.name);
  return w;
}

const std::byte* ModelLoader::quantize(const CheckpointTensor& tensor, const Format& format) {
  const size_t rows = tensor.info.rows(), cols = tensor.info.row_size();
  const size_t row_bytes = format.bytes_for(cols), stored_bytes = tensor.bytes.size() / rows;
  std::unique_ptr<std::byte[]> out(new (std::nothrow) std::byte[rows * row_bytes]);
  if (out == nullptr) {
    throw out_of_resources("no memory for {} bytes", rows * row_bytes).at(tensor.name);
  }
  std::vector<std::vector<float>> scratch(pool_.size(), std::vector<float>(cols));
  pool_.parallel_for(rows, 16, [&](size_t begin, size_t end, unsigned thread) {
    float* values = scratch[thread].data();
    for (size_t r = begin; r < end; ++r) {
      tensor.info.format->decode(tensor.bytes.data() + r * stored_bytes, cols, values);
      size_t bad = 0;
      if (!all_finite(values, cols, &bad)) {
        throw bad_input("{} at row {}, column {}", values[bad], r, bad)
            .at(tensor.name)
            .hint("the model is damaged, or its numbers overflowed when it was saved");
      }
      format.encode(values, nullptr, cols, out.get() + r * row_bytes);
    }
  });
  model_.checkpoint_->reader().done_with(tensor.index);
  model_.owned_bytes_ += rows * row_bytes;
  return model_.quantized_.emplace_back(std::move(out)).get();
}

const float* ModelLoader::vector(Role role, int64_t layer) {
  const CheckpointTensor* tensor = model_.checkpoint_->find(role, layer);
  if (tensor == nullptr) return nullptr;
  auto& values = model_.vectors_.emplace_back(tensor->info.elements());
  tensor->info.format->decode(tensor->bytes.data(), values.size(), values.data());
  size_t bad = 0;
  if (!all_finite(values.data(), values.size(), &bad)) {
    throw bad_input("{} at index {}", values[bad], bad).at(tensor->name);
  }
  return values.data();
}

}  // namespace nibble
