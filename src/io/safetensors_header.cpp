#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "io/cursor.h"
#include "io/limits.h"
#include "io/safetensors.h"

// A safetensors file:
//
//     u64 N | N bytes of JSON, padded with spaces | the tensors' bytes, without gaps, to the end
//
//     {"__metadata__": {"format": "pt"},
//      "NAME": {"dtype": "BF16", "shape": [4096, 256], "data_offsets": [begin, end]}, …}
//
// Offsets count from the end of the JSON. Keys may not repeat, which JSON parsers let pass.

namespace nibble {
namespace {

constexpr std::string_view kMetadataKey = "__metadata__";
constexpr uint64_t kPadding = 8;  // the buffer starts at a multiple of it

Error at_tensor(Error error, std::string_view name) {
  error.at(fmt::format("tensor {}", printable(name)));
  return error;
}

// The value of a field that must be there once.
simdjson::dom::element only_field(JsonObject object, std::string_view key) {
  std::optional<simdjson::dom::element> value;
  for (const auto field : object) {
    if (field.key != key) continue;
    if (value) throw bad_input("\"{}\" is there twice", key);
    value = field.value;
  }
  if (!value) throw bad_input("\"{}\" is missing", key);
  return *value;
}

std::vector<uint64_t> unsigned_array(JsonObject object, std::string_view key, uint64_t max_size) {
  simdjson::dom::array array;
  if (only_field(object, key).get(array)) throw bad_input("\"{}\": expected an array", key);
  std::vector<uint64_t> values;
  for (const auto element : array) {
    if (values.size() == max_size) {
      throw bad_input("\"{}\": expected at most {} numbers", key, max_size);
    }
    uint64_t value = 0;
    if (element.get(value)) {
      throw bad_input("\"{}\": expected whole numbers from 0 to 2^64-1", key);
    }
    values.push_back(value);
  }
  return values;
}

const Format* read_dtype(JsonObject object) {
  std::string_view dtype;
  if (only_field(object, "dtype").get(dtype)) throw bad_input("\"dtype\": expected a string");
  const Format* format = find_safetensors_format(dtype);
  if (format == nullptr) throw bad_input("unknown dtype {}", printable(dtype));
  return format;
}

// Appends the tensor; its offset counts from the start of the buffer.
void read_tensor(std::string_view name, JsonObject entry, uint64_t buffer_size, ParsedFile& file) {
  check_name(name, limits::kSafetensorsNameBytes, "tensor name");
  TensorInfo tensor;
  tensor.name = name;
  tensor.format = read_dtype(entry);
  tensor.shape = unsigned_array(entry, "shape", limits::kSafetensorsDimensions);
  const uint64_t bytes = checked_bytes(tensor);
  const auto range = unsigned_array(entry, "data_offsets", 2);
  if (range.size() != 2 || range[0] > range[1] || range[1] > buffer_size) {
    throw bad_input("\"data_offsets\": expected begin <= end <= {}, got [{}]", buffer_size,
                    fmt::join(range, ", "));
  }
  if (range[1] - range[0] != bytes) {
    throw bad_input("\"data_offsets\": expected {} bytes for {} [{}], got {}", bytes,
                    tensor.format->name, fmt::join(tensor.shape, ", "), range[1] - range[0]);
  }
  file.tensors.push_back(std::move(tensor));
  file.offsets.push_back(range[0]);
}

void read_file_metadata(simdjson::dom::element value, Metadata& metadata) {
  JsonObject object;
  if (value.get(object)) throw bad_input("expected an object");
  if (object.size() > limits::kKeys) throw bad_input("expected at most {} keys", limits::kKeys);
  for (const auto field : object) {
    std::string_view text;
    if (field.value.get(text)) throw bad_input("{}: expected a string", printable(field.key));
    metadata.append(std::string(field.key), std::string(text));
  }
  std::vector<std::string_view> keys;
  for (const auto& [key, unused] : metadata.entries()) keys.push_back(key);
  if (const auto duplicate = find_duplicate(keys)) {
    throw bad_input("the key {} is there twice", printable(keys[*duplicate]));
  }
}

void read_entries(JsonObject header, uint64_t buffer_size, ParsedFile& file) {
  bool has_metadata = false;
  for (const auto field : header) {
    try {
      if (field.key == kMetadataKey) {
        if (has_metadata) throw bad_input("it is there twice");
        has_metadata = true;
        read_file_metadata(field.value, file.metadata);
        continue;
      }
      if (file.tensors.size() == limits::kTensors) {
        throw bad_input("expected at most {} tensors", limits::kTensors);
      }
      JsonObject entry;
      if (field.value.get(entry)) throw bad_input("expected an object");
      read_tensor(field.key, entry, buffer_size, file);
    } catch (Error& error) {
      throw at_tensor(error, field.key);
    }
  }
  if (const auto duplicate = find_duplicate(file.tensors)) {
    throw at_tensor(bad_input("it is there twice"), file.tensors[*duplicate].name);
  }
}

// Puts the tensors in the order of their offsets; together they must be the buffer, byte for byte.
void tile(uint64_t buffer_start, uint64_t buffer_size, ParsedFile& file) {
  ParsedFile sorted;
  uint64_t position = 0;
  for (const uint32_t i : order_by_offset(file)) {
    if (file.offsets[i] != position) {
      throw at_tensor(bad_input("expected it to begin at {}, where the one before ends, got {}",
                                position, file.offsets[i]),
                      file.tensors[i].name);
    }
    position += file.tensors[i].bytes();
    sorted.offsets.push_back(buffer_start + file.offsets[i]);
    sorted.tensors.push_back(std::move(file.tensors[i]));
  }
  if (position != buffer_size) {
    throw bad_input("expected {} bytes of tensors up to the end of the file, got {}", buffer_size,
                    position);
  }
  file.tensors = std::move(sorted.tensors);
  file.offsets = std::move(sorted.offsets);
}

}  // namespace

bool looks_like_safetensors(Bytes start) {
  if (start.size() < 9) return false;
  Cursor in(start, "the file ends");
  const auto header = in.read<uint64_t>();
  return header >= 2 && header <= limits::kHeaderBytes && in.read<char>() == '{';
}

ParsedFile parse_safetensors(Bytes start, uint64_t file_size) {
  Cursor in(start, "the file ends");
  const auto length = in.read_count("bytes of header", 1, limits::kHeaderBytes);
  const Bytes header = in.take(length);
  if (header.empty() || header[0] != std::byte{'{'}) {
    throw in.fail_at(sizeof length, "expected a header that begins with '{{'");
  }
  const JsonFile json(std::string_view(reinterpret_cast<const char*>(header.data()), header.size()),
                      "header");
  ParsedFile file;
  const uint64_t buffer_size = file_size - in.position();
  read_entries(json.object(), buffer_size, file);
  tile(in.position(), buffer_size, file);
  return file;
}

std::string json_quoted(std::string_view text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw bad_input("expected UTF-8, got {}", printable(text));
  }
}

std::string encode_safetensors_header(const Metadata& metadata, std::span<const TensorInfo> tensors,
                                      std::span<const uint64_t> begins) {
  // Readers of PyTorch models look for this key.
  std::string json = fmt::format("{{\"{}\":{{", kMetadataKey);
  if (!metadata.contains("format")) json += "\"format\":\"pt\",";
  for (const auto& [key, value] : metadata.entries()) {
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr) json += json_quoted(key) + ":" + json_quoted(*text) + ",";
  }
  json.back() = '}';
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorInfo& tensor = tensors[i];
    if (tensor.format->safetensors_name.empty()) {
      throw at_tensor(bad_input("safetensors has no dtype for {}", tensor.format->name),
                      tensor.name);
    }
    json += fmt::format(R"(,{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                        json_quoted(tensor.name), tensor.format->safetensors_name,
                        fmt::join(tensor.shape, ","), begins[i], begins[i] + tensor.bytes());
  }
  json += '}';
  json.resize((json.size() + kPadding - 1) / kPadding * kPadding, ' ');
  const uint64_t length = json.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + json;
}

}  // namespace nibble
