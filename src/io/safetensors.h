#pragma once

#include <memory>
#include <span>
#include <string>

#include "io/container.h"
#include "io/parsed_file.h"

// safetensors (github.com/huggingface/safetensors, README), in one file or in shards with an index.

namespace nibble {

inline constexpr std::string_view kSafetensorsFile = "model.safetensors";
inline constexpr std::string_view kSafetensorsIndex = "model.safetensors.index.json";

// Whether the first bytes are those of a header: a possible length, then '{'.
bool looks_like_safetensors(Bytes start);

std::unique_ptr<Reader> open_safetensors(const fs::path& path);
// Parses bytes in memory, which must outlive the reader; `name` is for errors.
std::unique_ptr<Reader> open_safetensors(Bytes bytes, const fs::path& name);
// All shards an index.json names. They lie in its folder; a name or a link that leads elsewhere is
// refused (links into the blobs of a Hugging Face cache apart). The metadata are those of the first
// shard.
std::unique_ptr<Reader> open_safetensors_index(const fs::path& index);

// Length and JSON header of a file. Tensor i lies at `begins[i]` in the buffer behind it.
std::string encode_safetensors_header(const Metadata& metadata, std::span<const TensorInfo> tensors,
                                      std::span<const uint64_t> begins);
// Text as a JSON string, quotes included. Throws Error(kBadInput) when it is not UTF-8.
std::string json_quoted(std::string_view text);

}  // namespace nibble
