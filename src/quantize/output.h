#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "quantize/pipeline.h"
#include "quantize/tensor_stream.h"

namespace nibble {

// One tensor of the output: a tensor of the source in another format, or values computed here.
struct PlannedTensor {
  TensorInfo info;                           // as it will be written
  const CheckpointTensor* source = nullptr;  // nullptr: `values`
  std::vector<float> values;
  RowOrderFunction source_row;  // where its rows lie in the source; empty = same order
  std::string reason;
  bool fallback = false;
};

struct OutputPlan {
  std::vector<PlannedTensor> tensors;  // in the order they are written
};

// Names, formats and row orders of everything the output holds.
// Throws Error(kUsage) when the layout has no way to hold a format the user asked for.
OutputPlan plan_output(const Checkpoint& source, const Recipe& recipe, OutputLayout layout);

// The metadata of the GGUF file: the model's, with the file type of these tensors.
Metadata output_metadata(const Checkpoint& source, const OutputPlan& plan);

// torch_dtype of a folder: the format most of its weights have ("bfloat16").
std::string_view hf_dtype_name(const OutputPlan& plan);

std::unique_ptr<Writer> create_output(const QuantizeOptions& options);

}  // namespace nibble
