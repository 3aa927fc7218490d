#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "io/parsed_file.h"

namespace nibble {

// One file of a model: mapped, or bytes that somebody else keeps.
struct ModelFile {
  std::unique_ptr<MappedFile> mapping;  // nullptr: `bytes` outlive the reader
  Bytes bytes;
  ParsedFile parsed;
};

// Opens the file and parses it; errors name it.
using Parser = ParsedFile (*)(Bytes start, uint64_t file_size);
ModelFile open_model_file(const fs::path& path, Parser parse);
ModelFile model_file_from_bytes(Bytes bytes, const fs::path& name, Parser parse);

// The reader of every container: tensors of the files in order, found by name in O(log n). Throws
// Error(kBadInput) when two files have a tensor of the same name.
std::unique_ptr<Reader> make_file_reader(std::string_view container, fs::path path,
                                         Metadata metadata, std::vector<ModelFile> files);

}  // namespace nibble
