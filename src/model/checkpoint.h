#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/arch.h"
#include "io/container.h"
#include "text/tokenizer.h"

namespace nibble {

// A tensor of a model, under the name GGUF gives it whatever container it lies in.
struct CheckpointTensor {
  std::string name;                // "blk.0.attn_q.weight"
  const TensorRow* row = nullptr;  // what it is
  int64_t layer = -1;              // -1: once per model
  TensorInfo info;                 // as stored: container name, shape, format
  Bytes bytes;                     // as stored, mapped; lives as long as the checkpoint
  size_t index = 0;                // in reader().tensors()
};

// How generation_config.json (or general.sampling.* keys) wants the model sampled.
struct GenerationDefaults {
  std::optional<double> temperature, top_p, min_p, repetition_penalty;
  std::optional<int64_t> top_k;
  std::optional<bool> do_sample;
};

// A model on disk: a Hugging Face folder or a GGUF file, opened and checked, weights not yet read.
// Every tensor of the architecture is there with the shape its hyperparameters imply.
class Checkpoint {
 public:
  // Throws Error(kBadInput) naming file, tensor, expected and got.
  static std::unique_ptr<Checkpoint> open(const fs::path& path);

  const Arch& arch() const { return *arch_; }
  const Hyperparameters& hyperparameters() const { return hyperparameters_; }
  const Reader& reader() const { return *reader_; }
  bool is_gguf() const;
  const fs::path& path() const { return path_; }
  // Every file the model consists of: those of the reader, and all of a Hugging Face folder.
  std::vector<fs::path> files() const;
  std::string display_name() const;  // general.name, or the folder's name

  // In the order of the architecture's table, layer by layer; what one pass over the model reads.
  const std::vector<CheckpointTensor>& tensors() const { return tensors_; }
  const CheckpointTensor* find(Role role, int64_t layer = -1) const;  // nullptr when absent
  const CheckpointTensor& get(Role role, int64_t layer = -1) const;   // REQUIRES that it is there
  uint64_t parameters() const;

  // Rows of q and k lie interleaved (GGUF files of architectures that rotate neighbours).
  bool rotates_neighbours() const;

  // Loaded at first use, from any thread. Throws Error(kBadInput) when the model carries no
  // tokenizer.
  const Tokenizer& tokenizer() const;
  const std::string& chat_template() const { return chat_template_; }  // "" when there is none
  const GenerationDefaults& generation_defaults() const { return generation_defaults_; }

  // The metadata a GGUF file of this model has: that of the file itself, or made from config.json,
  // the tokenizer and the rest of the folder.
  Metadata gguf_metadata() const;
  // Writes config.json, tokenizer, generation and template files of a Hugging Face folder: copies
  // of the model's own where it is a folder, made from the metadata where it is GGUF. `dtype` is
  // the torch_dtype of the weights ("bfloat16").
  void write_hf_files(const fs::path& folder, std::string_view dtype) const;

 private:
  Checkpoint() = default;
  void open_gguf();
  void open_folder();
  void read_config(const fs::path& file);
  void read_gguf_vocabulary();
  void bind_tensors();
  void bind(const TensorRow& row, int64_t layer);
  bool expects(const TensorRow& row) const;
  bool has(const TensorRow& row) const;
  std::string stored_name(const TensorRow& row, int64_t layer) const;
  void report_unused_tensors() const;
  void read_rope_factors();
  void write_hf_files_from_gguf(const fs::path& folder, std::string_view dtype) const;

  fs::path path_;
  std::unique_ptr<Reader> reader_;
  const Arch* arch_ = nullptr;
  Hyperparameters hyperparameters_;
  std::vector<CheckpointTensor> tensors_;
  std::vector<int32_t> places_;  // [layers + 1, roles]: where in tensors_, -1 = absent
  std::string chat_template_;
  GenerationDefaults generation_defaults_;
  mutable std::once_flag tokenizer_once_;
  mutable std::unique_ptr<Tokenizer> tokenizer_;
};

// Where row r of a q or k weight of a Hugging Face file goes when heads of GGUF rotate neighbours:
// element i of the first half to 2i, of the second half to 2i + 1, within each head.
// Returns the source row for destination row `r` (HF → GGUF), or the inverse.
uint64_t interleaved_source_row(uint64_t r, uint64_t head_dim);
uint64_t halved_source_row(uint64_t r, uint64_t head_dim);

}  // namespace nibble
