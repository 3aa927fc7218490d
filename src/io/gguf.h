#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "io/container.h"
#include "io/parsed_file.h"

// GGUF versions 2 and 3 (github.com/ggml-org/ggml, docs/gguf.md).

namespace nibble {

inline constexpr uint64_t kGgufDefaultAlignment = 32;

bool looks_like_gguf(Bytes start);

// Opens the file, and the others of its split when it is one of several. The metadata of a split
// are those of its first file without the keys "split.*", which speak of the files alone.
std::unique_ptr<Reader> open_gguf(const fs::path& path);
// Parses bytes in memory, which must outlive the reader; `name` is for errors.
std::unique_ptr<Reader> open_gguf(Bytes bytes, const fs::path& name);

// The alignment the metadata ask for. Throws Error(kBadInput) when it is not a power of two in
// range.
uint64_t gguf_alignment(const Metadata& metadata);

// The bytes of a file up to its first tensor, whose tensors lie one after the other, each padded to
// the alignment.
std::string encode_gguf_header(const Metadata& metadata, std::span<const TensorInfo> tensors);
// What encode_gguf_header() spends on one tensor.
uint64_t gguf_info_bytes(const TensorInfo& tensor);

// "PREFIX-00002-of-00005.gguf" for number 2 of 5. `prefix` may have folders in front.
fs::path gguf_split_path(const fs::path& prefix, uint64_t number, uint64_t count);

// What the keys split.no, split.count and split.tensors.count of a file say.
struct GgufSplit {
  uint64_t index = 0, count = 1, tensors = 0;  // index counts from 0
};
// nullopt for a model in one file. Throws Error(kBadInput) when the numbers make no sense.
std::optional<GgufSplit> gguf_split(const Metadata& metadata);
void set_split_keys(Metadata& metadata, const GgufSplit& split);
void erase_split_keys(Metadata& metadata);

}  // namespace nibble
