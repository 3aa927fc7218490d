#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/view.h"
#include "io/container.h"
#include "io/metadata.h"

// What a container's parser finds in one file, and the checks both containers share.

namespace nibble {

struct ParsedFile {
  Metadata metadata;
  std::vector<TensorInfo> tensors;  // in the order of their offsets in a well-ordered file
  std::vector<uint64_t> offsets;    // of each tensor's bytes, from the start of the file
  uint64_t unused_bytes = 0;
};

// The parsers, pure functions of the bytes. `start` is the file, or as much of it as holds the
// header (the writers check so that what they are about to write is readable). Bytes outside
// `start` are never touched. They throw Error(kBadInput) with the place inside the file; the caller
// adds its name.
ParsedFile parse_gguf(Bytes start, uint64_t file_size);
ParsedFile parse_safetensors(Bytes start, uint64_t file_size);

// Text from a file as errors may print it: quoted, control and non-ASCII bytes as \xNN, 80 bytes at
// most.
std::string printable(std::string_view text);

// Whether a terminal would take some of the text as commands.
bool has_control_characters(std::string_view text);

// Throws Error(kBadInput) unless 1 <= size <= max_bytes and there are no control bytes. `what` is
// "tensor name", "key".
void check_name(std::string_view name, uint64_t max_bytes, std::string_view what);

// Bytes of a tensor. Throws Error(kBadInput) when its elements do not fill whole blocks or when the
// product of its dimensions leaves the limits, also when it would wrap to something small.
uint64_t checked_bytes(const TensorInfo& tensor);

// The index of a name that occurs before it too. Sorts, so that no choice of names makes it slow.
std::optional<size_t> find_duplicate(std::span<const std::string_view> names);
std::optional<size_t> find_duplicate(std::span<const TensorInfo> tensors);

// Indices of the tensors by offset, empty tensors before others at the same place. Throws
// Error(kBadInput) naming both when two overlap.
std::vector<uint32_t> order_by_offset(const ParsedFile& file);

}  // namespace nibble
