#pragma once

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "io/container.h"
#include "io/gguf.h"
#include "io/safetensors.h"
#include "support/support.h"

namespace nibble::test {

// A model in memory: what a container must give back.
struct Model {
  Metadata metadata;
  std::vector<TensorInfo> tensors;
  std::vector<std::vector<std::byte>> data;

  void add(const std::string& name, std::vector<uint64_t> shape, const Format& format);
};

Bytes as_bytes(std::string_view text);
std::string read_file(const fs::path& path);
void write_file(const fs::path& path, std::string_view text);
std::vector<std::string> files_in(const fs::path& folder);

// One key of every type of GGUF, scalars and arrays, empty arrays among them.
Metadata every_metadata_type();
// Tensors of 1 to 4 dimensions and several formats.
Model small_model();

// Appends the model's bytes in pieces of `piece` bytes.
void write_model(Writer& writer, const Model& model, size_t piece = 1000);
std::vector<std::byte> bytes_of(const Reader& reader, size_t index);
// Same tensors (in any order) with the same bytes.
void expect_same_tensors(const Reader& reader, const Model& model);

// message() of the Error that `run` throws; "no error" when it throws none.
std::string error_of(const std::function<void()>& run);
std::string gguf_error(std::string_view file);
std::string safetensors_error(std::string_view file);

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

}  // namespace nibble::test
