#include "base/error.h"
#include "io/gguf.h"
#include "io/limits.h"

// A model in several files carries in each of them
//
//     split.no             u16, 0 for the first file
//     split.count          u16
//     split.tensors.count  i32, of all files together
//
// and in the names the same numbers counted from 1: PREFIX-00001-of-00003.gguf. The first file has
// all other metadata. A file of a split is found only by the name its own name implies, so that
// nothing inside a file decides what is opened.

namespace nibble {
namespace {

constexpr std::string_view kIndexKey = "split.no", kCountKey = "split.count",
                           kTensorsKey = "split.tensors.count";
}

fs::path gguf_split_path(const fs::path& prefix, uint64_t number, uint64_t count) {
  return fmt::format("{}-{:05}-of-{:05}.gguf", prefix.string(), number, count);
}

std::optional<GgufSplit> gguf_split(const Metadata& metadata) {
  const auto count = metadata.get_int(kCountKey);
  if (!count || *count == 1) return std::nullopt;
  const auto index = metadata.get_int(kIndexKey);
  const auto tensors = metadata.get_int(kTensorsKey);
  if (*count < 1 || uint64_t(*count) > limits::kInputFiles) {
    throw bad_input("expected 1 to {}, got {}", limits::kInputFiles, *count)
        .at(fmt::format("key \"{}\"", kCountKey));
  }
  if (!index || *index < 0 || *index >= *count) {
    throw bad_input("expected 0 to {}, got {}", *count - 1,
                    index ? std::to_string(*index) : "nothing")
        .at(fmt::format("key \"{}\"", kIndexKey));
  }
  if (!tensors || *tensors < 0) {
    throw bad_input("expected a count, got {}", tensors ? std::to_string(*tensors) : "nothing")
        .at(fmt::format("key \"{}\"", kTensorsKey));
  }
  return GgufSplit{uint64_t(*index), uint64_t(*count), uint64_t(*tensors)};
}

void set_split_keys(Metadata& metadata, const GgufSplit& split) {
  metadata.set(std::string(kIndexKey), uint16_t(split.index));
  metadata.set(std::string(kCountKey), uint16_t(split.count));
  metadata.set(std::string(kTensorsKey), int32_t(split.tensors));
}

void erase_split_keys(Metadata& metadata) {
  for (const auto key : {kIndexKey, kCountKey, kTensorsKey}) metadata.erase(key);
}

}  // namespace nibble
