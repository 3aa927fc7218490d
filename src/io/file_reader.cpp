#include "io/file_reader.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace nibble {
namespace {

class FileReader final : public Reader {
 public:
  FileReader(std::string_view container, fs::path path, Metadata metadata,
             std::vector<ModelFile> files)
      : container_(container), path_(std::move(path)), metadata_(std::move(metadata)) {
    for (auto& file : files) add(std::move(file));
    if (const auto duplicate = find_duplicate(tensors_)) {
      throw bad_input("another file of the model has a tensor of this name")
          .at(fmt::format("{}: tensor {}", path_.string(), printable(tensors_[*duplicate].name)));
    }
    by_name_.resize(tensors_.size());
    std::iota(by_name_.begin(), by_name_.end(), 0u);
    std::sort(by_name_.begin(), by_name_.end(),
              [this](uint32_t a, uint32_t b) { return tensors_[a].name < tensors_[b].name; });
  }

  std::string_view container() const override { return container_; }
  const fs::path& path() const override { return path_; }
  const Metadata& metadata() const override { return metadata_; }
  std::span<const TensorInfo> tensors() const override { return tensors_; }
  uint64_t unused_bytes() const override { return unused_bytes_; }

  Bytes bytes(size_t index) const override {
    NIBBLE_CHECK(index < places_.size());
    const Place& place = places_[index];
    return files_[place.file].bytes.subspan(place.offset, place.size);
  }

  ptrdiff_t find(std::string_view name) const override {
    const auto it = std::lower_bound(
        by_name_.begin(), by_name_.end(), name,
        [this](uint32_t i, std::string_view wanted) { return tensors_[i].name < wanted; });
    return it == by_name_.end() || tensors_[*it].name != name ? -1 : ptrdiff_t(*it);
  }

  void will_need(size_t index) const override {
    NIBBLE_CHECK(index < places_.size());
    const Place& place = places_[index];
    if (const auto& mapping = files_[place.file].mapping) {
      mapping->will_need(place.offset, place.size);
    }
  }

  void done_with(size_t index) const override {
    NIBBLE_CHECK(index < places_.size());
    const Place& place = places_[index];
    if (const auto& mapping = files_[place.file].mapping) {
      mapping->done_with(place.offset, place.size);
    }
  }

  std::vector<fs::path> files() const override {
    std::vector<fs::path> paths;
    for (const auto& file : files_) {
      if (file.mapping) paths.push_back(file.mapping->path());
    }
    return paths;
  }

 private:
  struct Place {
    uint32_t file;
    uint64_t offset, size;
  };

  void add(ModelFile file) {
    const auto number = uint32_t(files_.size());
    for (size_t i = 0; i < file.parsed.tensors.size(); ++i) {
      TensorInfo& tensor = file.parsed.tensors[i];
      places_.push_back({number, file.parsed.offsets[i], tensor.bytes()});
      tensors_.push_back(std::move(tensor));
    }
    unused_bytes_ += file.parsed.unused_bytes;
    file.parsed = {};
    files_.push_back(std::move(file));
  }

  std::string_view container_;
  fs::path path_;
  Metadata metadata_;
  std::vector<ModelFile> files_;
  std::vector<TensorInfo> tensors_;
  std::vector<Place> places_;      // [tensor]
  std::vector<uint32_t> by_name_;  // indices of tensors, sorted by their names
  uint64_t unused_bytes_ = 0;
};

}  // namespace

ModelFile model_file_from_bytes(Bytes bytes, const fs::path& name, Parser parse) {
  try {
    return {nullptr, bytes, parse(bytes, bytes.size())};
  } catch (Error& error) {
    if (error.hint_text().empty()) {
      error.hint(
          "the file is damaged or incomplete: compare its size and checksum with the origin");
    }
    error.at(name.string());
    throw;
  }
}

ModelFile open_model_file(const fs::path& path, Parser parse) {
  auto mapping = std::make_unique<MappedFile>(path);
  ModelFile file = model_file_from_bytes(mapping->bytes(), path, parse);
  file.mapping = std::move(mapping);
  return file;
}

std::unique_ptr<Reader> make_file_reader(std::string_view container, fs::path path,
                                         Metadata metadata, std::vector<ModelFile> files) {
  return std::make_unique<FileReader>(container, std::move(path), std::move(metadata),
                                      std::move(files));
}

}  // namespace nibble
