#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "io/file_reader.h"
#include "io/limits.h"
#include "io/safetensors.h"

namespace nibble {
namespace {

constexpr std::string_view kName = "safetensors";

// file -> the tensors the index places there. Sorted, so that shards are read in their order.
using ShardMap = std::map<std::string, std::vector<std::string_view>, std::less<>>;

void check_shard_name(std::string_view name) {
  const bool plain = !name.empty() && name != "." && name != ".." &&
                     name.find_first_of("/\\") == std::string_view::npos &&
                     !has_control_characters(name);
  if (!plain) {
    throw bad_input("weight_map: expected the name of a file beside the index, got {}",
                    printable(name))
        .hint("the index is hostile or broken: use a copy from a source you trust");
  }
  if (name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth")) {
    throw bad_input("weight_map: {} is a pickle, expected a .safetensors file", printable(name))
        .hint(
            "pickles can run code when they are opened, so nibble does not; convert the model to "
            "safetensors");
  }
}

// A Hugging Face cache keeps MODEL/snapshots/REVISION/NAME as links to MODEL/blobs/HASH.
fs::path blobs_of_snapshot(const fs::path& folder) {
  const fs::path snapshots = folder.parent_path();
  return snapshots.filename() == "snapshots" ? snapshots.parent_path() / "blobs" : fs::path();
}

fs::path resolve_shard(const fs::path& folder, const std::string& name) {
  const fs::path path = folder / name;
  std::error_code error;
  const fs::path home = fs::canonical(folder, error);
  const fs::path target = fs::canonical(path, error).parent_path();
  if (error) {
    throw bad_input("the index names {}, which cannot be found: {}", printable(name),
                    error.message())
        .at(folder.string())
        .hint("download all files of the model into one folder");
  }
  if (target != home && target != blobs_of_snapshot(home)) {
    throw bad_input("{} is a link to {}, outside the folder of the model", printable(name),
                    target.string())
        .at(path.string())
        .hint("copy the file into the folder");
  }
  return path;
}

ShardMap read_weight_map(const JsonFile& json) {
  const auto weight_map = find_object(json.object(), "weight_map");
  if (!weight_map) throw bad_input("expected an object \"weight_map\"");
  ShardMap shards;
  std::vector<std::string_view> names;
  for (const auto field : *weight_map) {
    std::string_view file;
    if (field.value.get(file)) throw bad_input("weight_map: expected names of files as strings");
    auto it = shards.find(file);
    if (it == shards.end()) {
      check_shard_name(file);
      it = shards.emplace(std::string(file), std::vector<std::string_view>()).first;
    }
    it->second.push_back(field.key);
    names.push_back(field.key);
  }
  if (shards.empty()) throw bad_input("weight_map names no file");
  if (shards.size() > limits::kInputFiles) {
    throw bad_input("expected at most {} files, got {}", limits::kInputFiles, shards.size());
  }
  if (const auto duplicate = find_duplicate(names)) {
    throw bad_input("weight_map: {} is there twice", printable(names[*duplicate]));
  }
  return shards;
}

// The index and the shard must agree on which tensors the shard has.
void check_shard(const ParsedFile& shard, std::vector<std::string_view> listed) {
  std::vector<std::string_view> present;
  for (const auto& tensor : shard.tensors) present.push_back(tensor.name);
  std::sort(listed.begin(), listed.end());
  std::sort(present.begin(), present.end());
  const auto [missing, extra] =
      std::mismatch(listed.begin(), listed.end(), present.begin(), present.end());
  if (missing == listed.end() && extra == present.end()) return;
  const bool lacks = extra == present.end() || (missing != listed.end() && *missing < *extra);
  if (lacks)
    throw bad_input("the index places tensor {} here, which is not there", printable(*missing));
  throw bad_input("the index does not place tensor {} here", printable(*extra));
}

std::unique_ptr<Reader> one_file(const fs::path& path, ModelFile file) {
  Metadata metadata = std::move(file.parsed.metadata);
  std::vector<ModelFile> files;
  files.push_back(std::move(file));
  return make_file_reader(kName, path, std::move(metadata), std::move(files));
}

}  // namespace

std::unique_ptr<Reader> open_safetensors(const fs::path& path) {
  return one_file(path, open_model_file(path, parse_safetensors));
}

std::unique_ptr<Reader> open_safetensors(Bytes bytes, const fs::path& name) {
  return one_file(name, model_file_from_bytes(bytes, name, parse_safetensors));
}

std::unique_ptr<Reader> open_safetensors_index(const fs::path& index) {
  const JsonFile json(read_text_file(index, limits::kIndexBytes), index.string());
  ShardMap shards;
  try {
    shards = read_weight_map(json);
  } catch (Error& error) {
    error.at(index.string());
    throw;
  }
  const fs::path folder = index.has_parent_path() ? index.parent_path() : fs::path(".");
  std::vector<fs::path> paths;
  for (const auto& [name, listed] : shards) paths.push_back(resolve_shard(folder, name));
  std::vector<ModelFile> files;
  for (auto& [name, listed] : shards) {
    const fs::path& path = paths[files.size()];
    files.push_back(open_model_file(path, parse_safetensors));
    try {
      check_shard(files.back().parsed, std::move(listed));
    } catch (Error& error) {
      error.at(path.string());
      throw;
    }
  }
  Metadata metadata = std::move(files.front().parsed.metadata);
  return make_file_reader(kName, index, std::move(metadata), std::move(files));
}

}  // namespace nibble
