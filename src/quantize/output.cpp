#include "quantize/output.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"

namespace nibble {
namespace {

// general.file_type (llama.cpp's llama_ftype) of a file whose matrices are mostly of one format,
// and torch_dtype of a folder where that has one.
struct FileType {
  const Format* format;
  uint32_t gguf;
  std::string_view torch;
};
constexpr std::array kFileTypes = {
    FileType{&formats::f32, 0, "float32"},    FileType{&formats::f16, 1, "float16"},
    FileType{&formats::bf16, 32, "bfloat16"}, FileType{&formats::q4_0, 2, ""},
    FileType{&formats::q4_1, 3, ""},          FileType{&formats::q8_0, 7, ""},
    FileType{&formats::q5_0, 8, ""},          FileType{&formats::q5_1, 9, ""},
};

const FileType* file_type_of(const Format* format) {
  const auto* found = std::find_if(kFileTypes.begin(), kFileTypes.end(),
                                   [&](const FileType& type) { return type.format == format; });
  return found == kFileTypes.end() ? nullptr : found;
}

// The format that holds most weights of the matrices.
const Format* main_format(const OutputPlan& plan) {
  std::map<std::string_view, uint64_t> weights;
  const Format* most = &formats::f32;
  uint64_t best = 0;
  for (const auto& tensor : plan.tensors) {
    if (tensor.info.shape.size() < 2) continue;
    const uint64_t total = weights[tensor.info.format->name] += tensor.info.elements();
    if (total > best) {
      best = total;
      most = tensor.info.format;
    }
  }
  return most;
}

// Files of llama.cpp rotate neighbouring elements in some architectures, Hugging Face files never:
// the rows of q and k change places on the way.
RowOrderFunction row_order(const Checkpoint& source, const TensorRow& row, OutputLayout layout) {
  const bool target_neighbours =
      layout == OutputLayout::kGguf && source.arch().gguf_rotates_neighbours;
  if (row.order == RowOrder::kSame || source.rotates_neighbours() == target_neighbours) return {};
  const uint64_t head_dim = source.hyperparameters().head_dim;
  if (target_neighbours) return [=](uint64_t r) { return interleaved_source_row(r, head_dim); };
  return [=](uint64_t r) { return halved_source_row(r, head_dim); };
}

// A folder of plain safetensors holds floats only.
Choice folder_choice(Choice choice, const CheckpointTensor& tensor, const Recipe& recipe) {
  const FileType* type = file_type_of(choice.format);
  if (type != nullptr && !type->torch.empty()) {
    // In a folder vectors have the type of the matrices, not F32.
    const bool vector = tensor.row->rows == Dim::kNone;
    if (vector && recipe.base() != nullptr) choice.format = recipe.base();
    if (vector && recipe.base() == nullptr && file_type_of(tensor.info.format) != nullptr) {
      choice.format = tensor.info.format;
    }
    return choice;
  }
  if (recipe.base() == nullptr) {
    return {.format = &formats::bf16, .reason = fmt::format("{} decoded", choice.format->name)};
  }
  throw usage_error("a folder of plain safetensors holds F32, F16 and BF16, not {}",
                    choice.format->name)
      .hint("name the output something.gguf");
}

// Vectors: rope factors are part of a GGUF file and of no Hugging Face folder.
void add_rope_factors(const Checkpoint& source, OutputLayout layout, OutputPlan& plan) {
  const auto& h = source.hyperparameters();
  const bool needed = layout == OutputLayout::kGguf && !source.is_gguf() &&
                      h.rope_scaling.kind == RopeScaling::Kind::kLlama3;
  if (!needed) return;
  PlannedTensor tensor;
  tensor.values = llama3_rope_factors(h);
  tensor.info = {"rope_freqs.weight", {tensor.values.size()}, &formats::f32};
  plan.tensors.push_back(std::move(tensor));
}

}  // namespace

OutputPlan plan_output(const Checkpoint& source, const Recipe& recipe, OutputLayout layout) {
  OutputPlan plan;
  add_rope_factors(source, layout, plan);
  for (const auto& tensor : source.tensors()) {
    if (layout == OutputLayout::kFolder && tensor.row->hf.empty()) continue;
    Choice choice = recipe.choose(tensor, source.hyperparameters());
    PlannedTensor planned;
    if (layout == OutputLayout::kFolder) choice = folder_choice(choice, tensor, recipe);
    planned.info = {
        layout == OutputLayout::kGguf ? tensor.name : with_layer(tensor.row->hf, tensor.layer),
        tensor.info.shape, choice.format};
    planned.source = &tensor;
    planned.source_row = row_order(source, *tensor.row, layout);
    planned.reason = std::move(choice.reason);
    planned.fallback = choice.fallback;
    plan.tensors.push_back(std::move(planned));
  }
  return plan;
}

Metadata output_metadata(const Checkpoint& source, const OutputPlan& plan) {
  Metadata metadata = source.gguf_metadata();
  if (const FileType* type = file_type_of(main_format(plan))) {
    metadata.set("general.file_type", type->gguf);
  } else {
    metadata.erase("general.file_type");
  }
  metadata.set("general.quantization_version", uint32_t(2));
  return metadata;
}

std::string_view hf_dtype_name(const OutputPlan& plan) {
  const FileType* type = file_type_of(main_format(plan));
  return type == nullptr || type->torch.empty() ? "float32" : type->torch;
}

std::unique_ptr<Writer> create_output(const QuantizeOptions& options) {
  if (options.layout == OutputLayout::kFolder) return create_safetensors(options.output);
  return create_gguf(options.output, {.split_max_bytes = options.split_max_bytes});
}

}  // namespace nibble
