#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/checkpoint.h"

// Containers of any content, and what opening them says.

namespace nibble::test {

inline std::string error_of(const fs::path& path) {
  try {
    Checkpoint::open(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput) << error.message();
    return error.message();
  }
  return "opened";
}

inline void expect_refused(const fs::path& path, std::string_view part) {
  const std::string message = error_of(path);
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

// A tensor in memory, to write containers of any content.
struct Stored {
  TensorInfo info;
  std::vector<std::byte> bytes;
};

inline void write(Writer& writer, const Metadata& metadata, const std::vector<Stored>& tensors) {
  std::vector<TensorInfo> infos;
  for (const Stored& tensor : tensors) infos.push_back(tensor.info);
  writer.begin(metadata, infos);
  for (const Stored& tensor : tensors) writer.append(tensor.bytes);
  writer.finish();
}

inline std::vector<Stored> read_all(const Reader& reader) {
  std::vector<Stored> tensors;
  for (size_t i = 0; i < reader.tensors().size(); ++i) {
    const Bytes bytes = reader.bytes(i);
    tensors.push_back({reader.tensors()[i], {bytes.begin(), bytes.end()}});
  }
  return tensors;
}

inline Stored zeros(std::string name, std::vector<uint64_t> shape,
                    const Format& format = formats::f32) {
  Stored tensor{{std::move(name), std::move(shape), &format}, {}};
  tensor.bytes.resize(tensor.info.bytes());
  return tensor;
}

// The model as a GGUF file: names translated, q and k interleaved, all straight from the table.
inline std::vector<Stored> gguf_tensors(const Checkpoint& model) {
  const Hyperparameters& h = model.hyperparameters();
  std::vector<Stored> result;
  for (const CheckpointTensor& tensor : model.tensors()) {
    Stored stored{tensor.info, {tensor.bytes.begin(), tensor.bytes.end()}};
    stored.info.name = tensor.name;
    if (tensor.row->order != RowOrder::kSame && model.arch().gguf_rotates_neighbours) {
      const bool vector = tensor.row->rows == Dim::kNone;
      const uint64_t rows = vector ? tensor.info.row_size() : tensor.info.rows();
      const uint64_t row_bytes = tensor.bytes.size() / rows;
      for (uint64_t r = 0; r < rows; ++r) {
        const uint64_t source = interleaved_source_row(r, h.head_dim);
        std::memcpy(&stored.bytes[r * row_bytes], &tensor.bytes[source * row_bytes], row_bytes);
      }
    }
    result.push_back(std::move(stored));
  }
  if (h.rope_scaling.kind == RopeScaling::Kind::kLlama3) {
    Stored factors = zeros("rope_freqs.weight", {h.rotary_dim / 2});
    std::memcpy(factors.bytes.data(), llama3_rope_factors(h).data(), factors.bytes.size());
    result.push_back(std::move(factors));
  }
  return result;
}

}  // namespace nibble::test
