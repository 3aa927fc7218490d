#include "base/error.h"
#include "io/file_reader.h"
#include "io/gguf.h"

namespace nibble {
namespace {

// The part of a split's name before "-00002-of-00005.gguf".
fs::path split_prefix(const fs::path& path, const GgufSplit& split) {
  const std::string text = path.string();
  const std::string ending = gguf_split_path("", split.index + 1, split.count).string();
  if (text.size() <= ending.size() || !text.ends_with(ending)) {
    throw bad_input("this is file {} of {} of a model, expected a name that ends in \"{}\"",
                    split.index + 1, split.count, ending)
        .at(path.string())
        .hint("give the files back the names they were published under, in one folder");
  }
  return text.substr(0, text.size() - ending.size());
}

void check_part(const ModelFile& file, const fs::path& path, const GgufSplit& expected) {
  const auto split = gguf_split(file.parsed.metadata);
  if (split && split->index == expected.index && split->count == expected.count &&
      split->tensors == expected.tensors) {
    return;
  }
  Error error = bad_input("expected file {} of {} of a model with {} tensors, got {}",
                          expected.index + 1, expected.count, expected.tensors,
                          split ? fmt::format("file {} of {} of one with {}", split->index + 1,
                                              split->count, split->tensors)
                                : "a model in one file");
  throw error.at(path.string()).hint("the files are of different models, or were renamed");
}

ModelFile open_part(const fs::path& path, const GgufSplit& expected) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw bad_input("file {} of {} of the model is missing", expected.index + 1, expected.count)
        .at(path.string())
        .hint("all files of a split lie in one folder; download this one too");
  }
  return open_model_file(path, parse_gguf);
}

std::vector<ModelFile> open_parts(const fs::path& path, ModelFile named, GgufSplit split) {
  const fs::path prefix = split_prefix(path, split);
  const uint64_t index_of_named = split.index;
  std::vector<ModelFile> files;
  uint64_t tensors = 0;
  for (split.index = 0; split.index < split.count; ++split.index) {
    const fs::path part = gguf_split_path(prefix, split.index + 1, split.count);
    const bool is_open = split.index == index_of_named;
    files.push_back(is_open ? std::move(named) : open_part(part, split));
    check_part(files.back(), part, split);
    tensors += files.back().parsed.tensors.size();
  }
  if (tensors != split.tensors) {
    throw bad_input("expected {} tensors in the {} files together, got {}", split.tensors,
                    split.count, tensors)
        .at(path.string());
  }
  return files;
}

// gguf_split() of a file whose name errors need.
std::optional<GgufSplit> split_of(const ModelFile& file, const fs::path& path) {
  try {
    return gguf_split(file.parsed.metadata);
  } catch (Error& error) {
    error.at(path.string());
    throw;
  }
}

std::unique_ptr<Reader> make_reader(const fs::path& path, std::vector<ModelFile> files) {
  Metadata metadata = std::move(files.front().parsed.metadata);
  if (files.size() > 1) erase_split_keys(metadata);
  return make_file_reader("GGUF", path, std::move(metadata), std::move(files));
}

}  // namespace

std::unique_ptr<Reader> open_gguf(const fs::path& path) {
  std::vector<ModelFile> files;
  files.push_back(open_model_file(path, parse_gguf));
  if (const auto split = split_of(files.front(), path)) {
    files = open_parts(path, std::move(files.front()), *split);
  }
  return make_reader(path, std::move(files));
}

std::unique_ptr<Reader> open_gguf(Bytes bytes, const fs::path& name) {
  std::vector<ModelFile> files;
  files.push_back(model_file_from_bytes(bytes, name, parse_gguf));
  if (split_of(files.front(), name)) {
    throw bad_input("one file of a split cannot be read from memory").at(name.string());
  }
  return make_reader(name, std::move(files));
}

}  // namespace nibble
