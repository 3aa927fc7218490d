#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/view.h"
#include "formats/format.h"
#include "io/metadata.h"

namespace nibble {

namespace fs = std::filesystem;

// A named tensor as a container stores it.
struct TensorInfo {
  std::string name;
  // Outermost dimension first, as Hugging Face prints shapes: a linear layer is [outputs, inputs].
  // GGUF files store the reverse ("ne"). The last dimension is contiguous and block-quantized.
  std::vector<uint64_t> shape;
  const Format* format = nullptr;

  uint64_t elements() const;  // product of shape; 1 for a scalar
  uint64_t row_size() const;  // last dimension; 1 for a scalar
  uint64_t rows() const;      // elements() / row_size(); 0 for an empty tensor
  uint64_t bytes() const;     // REQUIRES that a reader has checked it, or row_size % block == 0
};

// Reads a container. Opening it checks everything a hostile file could get wrong (sizes, offsets,
// overlaps, names); afterwards every tensor() view is inside its file.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual std::string_view container() const = 0;   // "GGUF", "safetensors"
  virtual const fs::path& path() const = 0;         // what the user named
  virtual std::vector<fs::path> files() const = 0;  // all that are mapped; none when from memory
  virtual const Metadata& metadata() const = 0;
  virtual std::span<const TensorInfo> tensors() const = 0;  // in file order
  // The stored bytes; a view into the mapped file, valid as long as the reader.
  // REQUIRES: index < tensors().size().
  virtual Bytes bytes(size_t index) const = 0;
  // Hints for streaming: the tensor will be read soon; it will not be read again.
  virtual void will_need(size_t index) const = 0;
  virtual void done_with(size_t index) const = 0;

  // Index of a tensor by name; -1 when there is none.
  virtual ptrdiff_t find(std::string_view name) const = 0;
  // Bytes of the files that belong to no header, tensor or padding. Legal in GGUF, yet nothing
  // nibble or llama.cpp would write.
  virtual uint64_t unused_bytes() const { return 0; }
  uint64_t total_bytes() const;  // of all tensors
};

// Opens a .gguf file (or any file of a split), a .safetensors file, an index.json, or a folder
// that holds one of them; decides by content, not by name.
// Throws Error(kBadInput) when it is none of these or damaged.
std::unique_ptr<Reader> open_container(const fs::path& path);

struct PlannedFile {
  fs::path path;
  uint64_t size;
};

// Writes a container in a stream: declare everything, then add the tensors' bytes in that order, in
// pieces of any size. The file appears under its name only in finish().
class Writer {
 public:
  virtual ~Writer() = default;
  // The files begin() would create. Checks everything begin() does, but for the disk.
  virtual std::vector<PlannedFile> plan(const Metadata& metadata,
                                        std::span<const TensorInfo> tensors) const = 0;
  // Once, first. Throws Error(kResources) when the disk has no room for it.
  virtual void begin(const Metadata& metadata, std::span<const TensorInfo> tensors) = 0;
  // The next bytes of the current tensor; the writer moves to the next tensor by itself.
  virtual void append(Bytes bytes) = 0;
  // REQUIRES: all bytes of all tensors were appended.
  virtual void finish() = 0;
};

struct GgufWriteOptions {
  // 0: one file. Else, when the model is larger: PREFIX-00001-of-0000N.gguf, each at most this (or
  // as large as its only tensor). PREFIX is the path without ".gguf".
  uint64_t split_max_bytes = 0;
};
// Writes version 3 with the alignment of `general.alignment`. Throws Error(kBadInput) in begin()
// for what the format cannot hold: names over 63 bytes, more than 4 dimensions, a row of half a
// block. Several files appear together in finish(); see output_files.h for what an interruption
// leaves.
std::unique_ptr<Writer> create_gguf(const fs::path& path, const GgufWriteOptions& options = {});

struct SafetensorsWriteOptions {
  // Of tensors in one file, unless one tensor alone is larger.
  uint64_t shard_max_bytes = uint64_t(5) * 1000 * 1000 * 1000;
};
// Writes model.safetensors (or shards and model.safetensors.index.json) into `folder`, which
// exists. String values of the metadata go to __metadata__; {"format": "pt"} is always there.
// Inside a file tensors of larger elements come first, so that all lie at their natural alignment.
// begin() throws Error(kUsage) when the folder holds a model in another number of files: programs
// that prefer the old names would read the old model.
std::unique_ptr<Writer> create_safetensors(const fs::path& folder,
                                           const SafetensorsWriteOptions& options = {});

}  // namespace nibble
