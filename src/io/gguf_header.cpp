#include <algorithm>
#include <array>

#include "base/checked.h"
#include "base/error.h"
#include "io/gguf.h"
#include "io/gguf_values.h"
#include "io/limits.h"

// A GGUF file:
//
//     "GGUF" | u32 version | u64 tensors | u64 keys
//     keys    × { string key | value (gguf_values.h) }
//     tensors × { string name | u32 n | u64 dimension[n], contiguous first | u32 type | u64 offset
//     } zeros to a multiple of the alignment the tensors' bytes, each at its offset from here, each
//     padded to the alignment
//
// ggml demands that offsets leave no gaps; gaps are accepted here (unused_bytes()), overlaps not.

namespace nibble {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr uint32_t kVersion = 3, kOldestVersion = 2;
constexpr uint64_t kMinKeyBytes = 8 + 1 + 4 + 1;           // length, one byte, type, u8
constexpr uint64_t kMinInfoBytes = 8 + 1 + 4 + 8 + 4 + 8;  // one byte of name, one dimension

struct Counts {
  uint64_t tensors, keys;
};

void check_version(uint32_t version) {
  if (version >= kOldestVersion && version <= kVersion) return;
  if ((version & 0xFFFF) == 0 && version != 0) {
    throw Cursor::fail_at(4, "the file is big-endian; nibble reads little-endian files")
        .hint("convert it with gguf_convert_endian.py of llama.cpp");
  }
  throw Cursor::fail_at(4, "expected GGUF version 2 or 3, got {}", version)
      .hint(version == 1 ? "version 1 is from 2023: convert the original model again"
                         : "the file is damaged, or a newer nibble reads it");
}

Counts read_preamble(Cursor& in) {
  const Bytes magic = in.take(kMagic.size());
  if (std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0) {
    throw in.fail_at(0, "expected the letters \"GGUF\"");
  }
  check_version(in.read<uint32_t>());
  // Both counts stand before the keys, so the first is held against the file without the second.
  const uint64_t tensors = in.read_count("tensors", kMinInfoBytes, limits::kTensors);
  const uint64_t keys = in.read_count("keys", kMinKeyBytes, limits::kKeys);
  return {tensors, keys};
}

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

std::string read_key(Cursor& in) {
  const uint64_t start = in.position();
  std::string key = read_gguf_string(in, limits::kKeyBytes);
  if (key.empty()) throw in.fail_at(start, "the key is empty");
  if (!is_printable_ascii(key)) {
    throw in.fail_at(start, "expected a key of printable ASCII, got {}", printable(key));
  }
  return key;
}

Metadata read_metadata(Cursor& in, uint64_t count) {
  Metadata metadata;
  std::vector<uint64_t> positions;
  for (uint64_t i = 0; i < count; ++i) {
    std::string where = fmt::format("key {} of {}", i + 1, count);
    try {
      positions.push_back(in.position());
      std::string key = read_key(in);
      where = fmt::format("key {}", printable(key));
      metadata.append(std::move(key), read_gguf_value(in));
    } catch (Error& error) {
      error.at(where);
      throw;
    }
  }
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : metadata.entries()) keys.push_back(key);
  if (const auto duplicate = find_duplicate(keys)) {
    throw in.fail_at(positions[*duplicate], "the key {} is there twice",
                     printable(keys[*duplicate]));
  }
  return metadata;
}

// Runs a check of something that stands at `position`.
template <typename Check>
void check_at(uint64_t position, const Check& check) {
  try {
    check();
  } catch (Error& error) {
    error.at(fmt::format("byte {}", position));
    throw;
  }
}

std::string read_tensor_name(Cursor& in) {
  const uint64_t start = in.position();
  std::string name = read_gguf_string(in, limits::kStringBytes);
  check_at(start, [&] {
    check_name(name, limits::kGgufNameBytes, "tensor name");
    // Tools name files after tensors.
    if (name.find('/') != std::string::npos) throw bad_input("expected a tensor name without '/'");
  });
  return name;
}

std::vector<uint64_t> read_shape(Cursor& in) {
  const uint64_t start = in.position();
  const auto dimensions = in.read<uint32_t>();
  if (dimensions < 1 || dimensions > limits::kGgufDimensions) {
    throw in.fail_at(start, "expected 1 to {} dimensions, got {}", limits::kGgufDimensions,
                     dimensions);
  }
  std::vector<uint64_t> shape(dimensions);
  for (auto& dimension : shape) dimension = in.read<uint64_t>();
  if (std::find(shape.begin(), shape.end(), 0u) != shape.end()) {
    throw in.fail_at(start, "expected dimensions of 1 or more, got {}", fmt::join(shape, " x "));
  }
  std::reverse(shape.begin(), shape.end());
  return shape;
}

const Format* read_format(Cursor& in) {
  const uint64_t start = in.position();
  const auto type = in.read<uint32_t>();
  if (const Format* format = find_gguf_format(type)) return format;
  const std::string_view foreign = foreign_gguf_type(type);
  if (foreign.empty()) {
    throw in.fail_at(start, "expected a tensor type that nibble knows, got {}", int32_t(type));
  }
  throw in.fail_at(start, "its type {}, {}, is not one that nibble reads", type, foreign)
      .hint("quantize the original model instead");
}

// One tensor's record; its offset counts from the data section, which is not known yet.
void read_tensor(Cursor& in, TensorInfo& tensor, uint64_t& offset) {
  const uint64_t start = in.position();
  tensor.shape = read_shape(in);
  tensor.format = read_format(in);
  if (tensor.row_size() % tensor.format->block_size != 0) {
    throw in.fail_at(start, "expected rows of a multiple of {} elements for {}, got {}",
                     tensor.format->block_size, tensor.format->name, tensor.row_size());
  }
  check_at(start, [&] { checked_bytes(tensor); });
  offset = in.read<uint64_t>();
}

void read_tensors(Cursor& in, uint64_t count, ParsedFile& file) {
  std::vector<uint64_t> positions;
  for (uint64_t i = 0; i < count; ++i) {
    std::string where = fmt::format("tensor {} of {}", i + 1, count);
    try {
      positions.push_back(in.position());
      TensorInfo tensor;
      uint64_t offset = 0;
      tensor.name = read_tensor_name(in);
      where = fmt::format("tensor {}", printable(tensor.name));
      read_tensor(in, tensor, offset);
      file.tensors.push_back(std::move(tensor));
      file.offsets.push_back(offset);
    } catch (Error& error) {
      error.at(where);
      throw;
    }
  }
  if (const auto duplicate = find_duplicate(file.tensors)) {
    throw in.fail_at(positions[*duplicate], "the tensor {} is there twice",
                     printable(file.tensors[*duplicate].name));
  }
}

// Turns offsets into places in the file, all of them inside it.
void place_tensors(uint64_t data_start, uint64_t alignment, uint64_t file_size, ParsedFile& file) {
  const uint64_t data_size = file_size - std::min(data_start, file_size);
  for (size_t i = 0; i < file.tensors.size(); ++i) {
    uint64_t& offset = file.offsets[i];
    const uint64_t size = file.tensors[i].bytes();
    const auto fail = [&](Error error) {
      error.at(fmt::format("tensor {}", printable(file.tensors[i].name)));
      return error;
    };
    if (offset % alignment != 0) {
      throw fail(
          bad_input("expected an offset that is a multiple of {}, got {}", alignment, offset));
    }
    if (offset > data_size || size > data_size - offset) {
      throw fail(
          bad_input("its {} bytes at offset {} go past the end of the file, which has {} bytes "
                    "of data",
                    size, offset, data_size));
    }
    offset += data_start;
  }
}

// Bytes behind `data_start` in no tensor, the padding of each to the alignment not counted.
uint64_t count_unused(const ParsedFile& file, uint64_t data_start, uint64_t alignment,
                      uint64_t file_size) {
  uint64_t unused = 0, position = data_start;
  const auto skip_to = [&](uint64_t next) {
    if (next > position) unused += next - position;
  };
  for (const uint32_t i : order_by_offset(file)) {
    skip_to(file.offsets[i]);
    const uint64_t end = file.offsets[i] + file.tensors[i].bytes();
    if (!checked_align(end, alignment, &position)) position = end;
  }
  skip_to(file_size);
  return unused;
}

void append_info(std::string& out, const TensorInfo& tensor, uint64_t offset) {
  append_gguf_string(out, tensor.name);
  append_gguf_number(out, uint32_t(tensor.shape.size()));
  for (size_t i = tensor.shape.size(); i-- > 0;) append_gguf_number(out, tensor.shape[i]);
  append_gguf_number(out, uint32_t(tensor.format->gguf_id));
  append_gguf_number(out, offset);
}

}  // namespace

bool looks_like_gguf(Bytes start) {
  return start.size() >= kMagic.size() &&
         std::memcmp(start.data(), kMagic.data(), kMagic.size()) == 0;
}

uint64_t gguf_alignment(const Metadata& metadata) {
  const MetadataValue* value = metadata.find(kAlignmentKey);
  if (value == nullptr) return kGgufDefaultAlignment;
  const auto fail = [](std::string got) {
    Error error = bad_input("expected a u32, a power of two from {} to {}, got {}",
                            limits::kMinAlignment, limits::kMaxAlignment, got);
    error.at(fmt::format("key \"{}\"", kAlignmentKey));
    return error;
  };
  const auto* alignment = std::get_if<uint32_t>(value);
  if (alignment == nullptr) throw fail(metadata_type_name(*value));
  if (!std::has_single_bit(*alignment) || *alignment < limits::kMinAlignment ||
      *alignment > limits::kMaxAlignment) {
    throw fail(std::to_string(*alignment));
  }
  return *alignment;
}

ParsedFile parse_gguf(Bytes start, uint64_t file_size) {
  const bool cut = start.size() > limits::kHeaderBytes;
  Cursor in(start.first(std::min<uint64_t>(start.size(), limits::kHeaderBytes)),
            cut ? "headers are limited to 100 MB and this one ends" : "the file ends");
  ParsedFile file;
  const Counts counts = read_preamble(in);
  file.metadata = read_metadata(in, counts.keys);
  const uint64_t alignment = gguf_alignment(file.metadata);
  read_tensors(in, counts.tensors, file);
  uint64_t data_start = 0;
  NIBBLE_CHECK(checked_align(in.position(), alignment, &data_start));
  place_tensors(data_start, alignment, file_size, file);
  file.unused_bytes = count_unused(file, data_start, alignment, file_size);
  return file;
}

uint64_t gguf_info_bytes(const TensorInfo& tensor) {
  return kMinInfoBytes - 1 - 8 + tensor.name.size() + 8 * tensor.shape.size();
}

std::string encode_gguf_header(const Metadata& metadata, std::span<const TensorInfo> tensors) {
  std::string out(kMagic);
  append_gguf_number(out, kVersion);
  append_gguf_number(out, uint64_t(tensors.size()));
  append_gguf_number(out, uint64_t(metadata.entries().size()));
  for (const auto& [key, value] : metadata.entries()) {
    append_gguf_string(out, key);
    append_gguf_value(out, value);
  }
  const uint64_t alignment = gguf_alignment(metadata);
  uint64_t offset = 0;
  for (const auto& tensor : tensors) {
    if (tensor.format->gguf_id < 0) {
      throw bad_input("GGUF has no type for {}", tensor.format->name)
          .at(fmt::format("tensor {}", printable(tensor.name)));
    }
    append_info(out, tensor, offset);
    if (!checked_add(offset, checked_bytes(tensor), &offset) ||
        !checked_align(offset, alignment, &offset)) {
      throw bad_input("expected at most 2^64 bytes of tensors");
    }
  }
  // A file without tensors ends here: nothing follows that would need the padding.
  if (!tensors.empty()) out.resize((out.size() + alignment - 1) / alignment * alignment, '\0');
  return out;
}

}  // namespace nibble
