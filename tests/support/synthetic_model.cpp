#include "support/synthetic_model.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "io/container.h"

namespace nibble::test {

namespace {

// Mean and standard deviation of a tensor's values.
struct Scale {
  double mean, deviation;
};

Scale scale_of(const TensorRow& row, const Hyperparameters& h) {
  if (row.role == Role::kTokenEmbedding || row.role == Role::kOutput) {
    return {0, 2 / std::sqrt(double(h.hidden))};
  }
  if (row.rows != Dim::kNone) return {0, 1 / std::sqrt(double(dimension(row.cols, h)))};
  const bool bias = row.hf.ends_with(".bias");
  return {bias ? 0.0 : 1.0, 0.1};
}

// Nearly normal and one call per value: the sum of the four 16-bit parts of a random number.
float nearly_normal(Random& random, const Scale& scale) {
  const uint64_t r = random.next();
  const auto sum = double((r & 0xFFFF) + (r >> 16 & 0xFFFF) + (r >> 32 & 0xFFFF) + (r >> 48));
  constexpr double kMean = 2 * 65535.0, kDeviation = 65536 * 0.57735026918962576;  // 1 / √3
  return float(scale.mean + scale.deviation * (sum - kMean) / kDeviation);
}

bool is_present(const TensorRow& row, const Hyperparameters& h) {
  if (row.hf.empty()) return false;
  if (row.presence == Presence::kUnlessTied) return !h.tied_embeddings;
  return row.presence == Presence::kRequired || h.attention_bias;
}

struct SyntheticTensor {
  TensorInfo info;
  Scale scale;
};

std::vector<SyntheticTensor> tensors_of(const Arch& arch, const Hyperparameters& h,
                                        const Format* format) {
  std::vector<SyntheticTensor> tensors;
  for (const TensorRow& row : arch.tensors) {
    if (!is_present(row, h)) continue;
    std::vector<uint64_t> shape{dimension(row.cols, h)};
    if (row.rows != Dim::kNone) shape.insert(shape.begin(), dimension(row.rows, h));
    const bool layered = row.hf.find("{}") != std::string_view::npos;
    for (uint64_t layer = 0; layer < (layered ? h.layers : 1); ++layer) {
      const std::string name = with_layer(row.hf, int64_t(layer));
      tensors.push_back({{name, shape, format}, scale_of(row, h)});
    }
  }
  return tensors;
}

void write_tensor(const SyntheticTensor& tensor, Random& random, Writer& writer) {
  constexpr uint64_t kPiece = 1 << 16;
  const Format& format = *tensor.info.format;
  std::vector<float> values(kPiece);
  std::vector<std::byte> bytes(format.bytes_for(kPiece));
  for (uint64_t left = tensor.info.elements(); left > 0;) {
    const uint64_t n = std::min(left, kPiece);
    for (uint64_t i = 0; i < n; ++i) values[i] = nearly_normal(random, tensor.scale);
    format.encode(values.data(), nullptr, n, bytes.data());
    writer.append({bytes.data(), format.bytes_for(n)});
    left -= n;
  }
}

std::string_view torch_name(const Format& format) {
  if (&format == &formats::bf16) return "bfloat16";
  return &format == &formats::f16 ? "float16" : "float32";
}

RopeScaling rope_scaling(const SyntheticSpec& spec) {
  RopeScaling s;
  if (spec.llama3_rope) {
    s.kind = RopeScaling::Kind::kLlama3;
    s.factor = 8;
    s.original_context = 8192;
  } else if (spec.yarn_rope) {
    s.kind = RopeScaling::Kind::kYarn;
    s.factor = 4;
    s.original_context = 128;
  }
  return s;
}

void copy_tokenizer(const fs::path& folder) {
  const fs::path shipped = NIBBLE_SHIPPED_MODEL;
  for (const auto name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                          "generation_config.json"}) {
    write_text_file(folder / name, read_text_file(shipped / name));
  }
}

}  // namespace

Hyperparameters hyperparameters(const SyntheticSpec& spec) {
  Hyperparameters h;
  h.layers = spec.layers;
  h.hidden = spec.hidden;
  h.ffn = spec.ffn;
  h.heads = spec.heads;
  h.kv_heads = spec.kv_heads;
  h.head_dim = h.rotary_dim = spec.head_dim;
  h.vocabulary = spec.vocabulary;
  h.context = spec.context;
  h.rope_scaling = rope_scaling(spec);
  h.sliding_window = spec.sliding_window;
  h.tied_embeddings = spec.tied;
  h.attention_bias = spec.attention_bias || arch_by_hf_class(spec.hf_class).qkv_bias;
  return h;
}

void write_synthetic_model(const fs::path& folder, const SyntheticSpec& spec) {
  fs::create_directories(folder);
  const Arch& arch = arch_by_hf_class(spec.hf_class);
  const Hyperparameters h = hyperparameters(spec);
  write_text_file(folder / "config.json",
                  write_config_json(arch, h, torch_name(*spec.format), 0, {1}));
  constexpr uint64_t kShippedTokens = 4096;
  if (h.vocabulary >= kShippedTokens) copy_tokenizer(folder);
  const std::vector<SyntheticTensor> tensors = tensors_of(arch, h, spec.format);
  std::vector<TensorInfo> infos;
  for (const SyntheticTensor& tensor : tensors) infos.push_back(tensor.info);
  const auto writer = create_safetensors(folder);
  writer->begin({}, infos);
  for (size_t i = 0; i < tensors.size(); ++i) {
    Random random(spec.seed * 1'000'003 + i);
    write_tensor(tensors[i], random, *writer);
  }
  writer->finish();
}

}  // namespace nibble::test
