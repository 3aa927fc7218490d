#include "model/checkpoint.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "model/side_files.h"

namespace nibble {

namespace {

constexpr size_t kRoles = size_t(Role::kRopeFactors) + 1;

size_t place(Role role, int64_t layer) { return size_t(layer + 1) * kRoles + size_t(role); }

bool per_layer(const TensorRow& row) { return row.gguf.find("{}") != std::string_view::npos; }

std::vector<uint64_t> expected_shape(const TensorRow& row, const Hyperparameters& h) {
  const uint64_t cols = dimension(row.cols, h);
  if (row.rows == Dim::kNone) return {cols};
  return {dimension(row.rows, h), cols};
}

void check_tensor(const TensorInfo& info, const std::vector<uint64_t>& expected) {
  const std::string where = "tensor " + info.name;
  if (info.shape != expected) {
    throw bad_input("expected shape [{}] as the configuration says, got [{}]",
                    fmt::join(expected, ", "), fmt::join(info.shape, ", "))
        .at(where);
  }
  if (expected.size() == 1 && info.format->block_size > 1) {
    throw bad_input("expected a vector in F32, F16 or BF16, got {}", info.format->name).at(where);
  }
  if (info.format->decode == nullptr) {
    throw bad_input("expected weights, got type {}", info.format->name).at(where);
  }
  if (info.row_size() % info.format->block_size != 0) {
    throw bad_input("expected rows of a multiple of {} for {}, got {}", info.format->block_size,
                    info.format->name, info.row_size())
        .at(where);
  }
}

// The architecture that config.json names: by class, or by model_type where no class is given.
const Arch& arch_of_config(JsonObject config) {
  if (const auto classes = find_array(config, "architectures"); classes && classes->size() > 0) {
    std::string_view name;
    if (classes->at(0).get(name)) throw bad_input("\"architectures\": expected strings");
    return arch_by_hf_class(name);
  }
  if (const auto type = find_string(config, "model_type")) return arch_by_hf_model_type(*type);
  throw bad_input("\"architectures\": missing");
}

}  // namespace

std::unique_ptr<Checkpoint> Checkpoint::open(const fs::path& path) {
  std::unique_ptr<Checkpoint> checkpoint(new Checkpoint);
  checkpoint->path_ = path;
  checkpoint->reader_ = open_container(path);
  if (checkpoint->is_gguf()) {
    checkpoint->open_gguf();
  } else {
    checkpoint->open_folder();
  }
  try {
    checkpoint->bind_tensors();
    checkpoint->read_rope_factors();
  } catch (Error& error) {
    error.at(path.string());
    throw;
  }
  return checkpoint;
}

std::vector<fs::path> Checkpoint::files() const {
  std::vector<fs::path> files = reader_->files();
  if (is_gguf()) return files;
  for (const auto& entry : fs::directory_iterator(folder_of(path_))) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

bool Checkpoint::is_gguf() const { return reader_->container() == "GGUF"; }

bool Checkpoint::rotates_neighbours() const { return is_gguf() && arch_->gguf_rotates_neighbours; }

void Checkpoint::open_gguf() try {
  const Metadata& metadata = reader_->metadata();
  const std::string_view type = metadata.get_string("general.type").value_or("model");
  if (type != "model") {
    throw bad_input("\"general.type\": expected a model, got {}", type.substr(0, 40));
  }
  const auto name = metadata.get_string("general.architecture");
  if (!name) throw bad_input("\"general.architecture\": missing");
  arch_ = &arch_by_gguf_name(*name);
  hyperparameters_ = hyperparameters_from_gguf(*arch_, metadata);
  read_gguf_vocabulary();
  Hyperparameters& h = hyperparameters_;
  h.tied_embeddings = !has(*arch_->find(Role::kOutput));
  const TensorRow* bias = arch_->find(Role::kQueryBias);
  h.attention_bias = bias != nullptr && (arch_->qkv_bias || has(*bias));
  chat_template_ = metadata.get_string("tokenizer.chat_template").value_or("");
  generation_defaults_ = read_generation_defaults(metadata);
} catch (Error& error) {
  error.at(path_.string());
  throw;
}

// Without a key for it, the embedding table says how many tokens there are: at least those listed.
void Checkpoint::read_gguf_vocabulary() {
  const std::string key = std::string(arch_->name) + ".vocab_size";
  const ptrdiff_t index = reader_->find(arch_->find(Role::kTokenEmbedding)->gguf);
  if (reader_->metadata().contains(key) || index < 0) return;
  const TensorInfo& embedding = reader_->tensors()[size_t(index)];
  if (embedding.shape.size() != 2 || embedding.shape[0] > kMaxVocabulary) return;
  hyperparameters_.vocabulary = std::max(hyperparameters_.vocabulary, embedding.shape[0]);
}

void Checkpoint::open_folder() {
  const fs::path folder = folder_of(path_);
  const fs::path config = folder / "config.json";
  if (!fs::exists(config)) {
    throw bad_input("the folder has no config.json")
        .at(folder.string())
        .hint("a model in safetensors files needs the other files of its repository");
  }
  read_config(config);
  if (!has(*arch_->find(Role::kOutput))) hyperparameters_.tied_embeddings = true;
  chat_template_ = read_chat_template(folder);
  generation_defaults_ = read_generation_defaults(folder);
}

void Checkpoint::read_config(const fs::path& file) {
  const JsonFile json = JsonFile::read(file);
  const JsonObject config = json.object();
  try {
    arch_ = &arch_of_config(config);
    hyperparameters_ = hyperparameters_from_config(*arch_, config);
  } catch (Error& error) {
    error.at(file.string());
    throw;
  }
}

// ---- tensors ----

std::string Checkpoint::stored_name(const TensorRow& row, int64_t layer) const {
  return with_layer(is_gguf() ? row.gguf : row.hf, layer);
}

bool Checkpoint::has(const TensorRow& row) const {
  const std::string name = stored_name(row, 0);
  return !name.empty() && reader_->find(name) >= 0;
}

// Whether the model must have the tensors of this row, in every layer.
bool Checkpoint::expects(const TensorRow& row) const {
  if (row.presence == Presence::kRequired) return true;
  if (row.presence == Presence::kUnlessTied) return !hyperparameters_.tied_embeddings;
  if (row.role == Role::kRopeFactors) return has(row);
  // GGUF files may have biases on q, k and v alone; in Hugging Face one flag is for all four.
  if (row.role == Role::kAttentionOutputBias && is_gguf()) return has(row);
  return hyperparameters_.attention_bias;
}

void Checkpoint::bind(const TensorRow& row, int64_t layer) {
  const std::string stored = stored_name(row, layer);
  const ptrdiff_t index = reader_->find(stored);
  if (index < 0) throw bad_input("tensor {} is missing", stored);
  const TensorInfo& info = reader_->tensors()[size_t(index)];
  check_tensor(info, expected_shape(row, hyperparameters_));
  places_[place(row.role, layer)] = int32_t(tensors_.size());
  tensors_.push_back({.name = with_layer(row.gguf, layer),
                      .row = &row,
                      .layer = layer,
                      .info = info,
                      .bytes = reader_->bytes(size_t(index)),
                      .index = size_t(index)});
}

// Once-per-model rows of the table stand before and after those of the layers, as data flows.
void Checkpoint::bind_tensors() {
  places_.assign((hyperparameters_.layers + 1) * kRoles, -1);
  const auto rows = arch_->tensors;
  const auto first = std::ranges::find_if(rows, per_layer);
  const auto last = std::ranges::find_if_not(first, rows.end(), per_layer);
  for (auto row = rows.begin(); row != first; ++row) {
    if (expects(*row)) bind(*row, -1);
  }
  for (int64_t layer = 0; layer < int64_t(hyperparameters_.layers); ++layer) {
    for (auto row = first; row != last; ++row) {
      if (expects(*row)) bind(*row, layer);
    }
  }
  for (auto row = last; row != rows.end(); ++row) {
    if (expects(*row)) bind(*row, -1);
  }
  report_unused_tensors();
}

// A bias beside a weight we use would change the results, so it is refused; the rest (buffers,
// extra heads) does not.
void Checkpoint::report_unused_tensors() const {
  std::vector<bool> used(reader_->tensors().size());
  for (const CheckpointTensor& tensor : tensors_) used[tensor.index] = true;
  for (size_t i = 0; i < used.size(); ++i) {
    const std::string& name = reader_->tensors()[i].name;
    if (used[i] || name.ends_with("rotary_emb.inv_freq")) continue;
    if (name.ends_with(".bias")) {
      const std::string weight = name.substr(0, name.size() - 4) + "weight";
      const ptrdiff_t beside = reader_->find(weight);
      if (beside >= 0 && used[size_t(beside)]) {
        throw bad_input("tensor {}: the architecture has no such bias", name);
      }
    }
    log::debug("tensor {} is not part of the model; ignored", name);
  }
}

void Checkpoint::read_rope_factors() {
  const CheckpointTensor* tensor = find(Role::kRopeFactors);
  if (tensor == nullptr) return;
  std::vector<float> factors(tensor->info.elements());
  tensor->info.format->decode(tensor->bytes.data(), factors.size(), factors.data());
  for (const float factor : factors) {
    if (!(factor > 0 && factor <= 1e6f)) {
      throw bad_input("tensor {}: expected divisors above 0, got {}", tensor->name, factor);
    }
  }
  if (std::ranges::all_of(factors, [](float factor) { return factor == 1; })) return;
  if (hyperparameters_.rope_scaling.kind != RopeScaling::Kind::kNone) {
    throw bad_input("tensor {}: not supported together with rope scaling", tensor->name);
  }
  hyperparameters_.rope_factors = std::move(factors);
}

const CheckpointTensor* Checkpoint::find(Role role, int64_t layer) const {
  const size_t at = place(role, layer);
  if (layer < -1 || at >= places_.size() || places_[at] < 0) return nullptr;
  return &tensors_[size_t(places_[at])];
}

const CheckpointTensor& Checkpoint::get(Role role, int64_t layer) const {
  const CheckpointTensor* tensor = find(role, layer);
  NIBBLE_CHECK(tensor != nullptr);
  return *tensor;
}

uint64_t Checkpoint::parameters() const {
  uint64_t sum = 0;
  for (const CheckpointTensor& tensor : tensors_) {
    if (tensor.row->role != Role::kRopeFactors) sum += tensor.info.elements();
  }
  return sum;
}

const Tokenizer& Checkpoint::tokenizer() const {
  std::call_once(tokenizer_once_, [this] {
    tokenizer_ = is_gguf() ? load_tokenizer(reader_->metadata()) : load_tokenizer(folder_of(path_));
    if (is_gguf() && tokenizer_->vocabulary_size() > hyperparameters_.vocabulary) {
      throw bad_input("{} tokens, but the embedding has {} rows", tokenizer_->vocabulary_size(),
                      hyperparameters_.vocabulary)
          .at(path_.string());
    }
  });
  return *tokenizer_;
}

std::string Checkpoint::display_name() const {
  if (!is_gguf()) return folder_name(folder_of(path_));
  const auto name = reader_->metadata().get_string("general.name");
  return name && !name->empty() ? std::string(*name) : path_.stem().string();
}

// ---- row order ----

uint64_t interleaved_source_row(uint64_t r, uint64_t head_dim) {
  const uint64_t j = r % head_dim;
  return r - j + (j % 2) * (head_dim / 2) + j / 2;
}

uint64_t halved_source_row(uint64_t r, uint64_t head_dim) {
  const uint64_t j = r % head_dim, half = head_dim / 2;
  return r - j + j % half * 2 + j / half;
}

}  // namespace nibble
