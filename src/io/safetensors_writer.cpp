#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "io/output_files.h"
#include "io/safetensors.h"

namespace nibble {
namespace {

// Elements of plain types are as aligned as they are long; blocks need no alignment.
uint64_t element_bytes(const TensorInfo& tensor) {
  return tensor.format->block_size == 1 ? tensor.format->block_bytes : 1;
}

// Where shards begin: index of the first tensor of each.
std::vector<size_t> choose_shards(std::span<const TensorInfo> tensors, uint64_t max_bytes) {
  std::vector<size_t> starts = {0};
  uint64_t size = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const uint64_t bytes = tensors[i].bytes();
    if (i > starts.back() && (size > max_bytes || bytes > max_bytes - size)) {
      starts.push_back(i);
      size = 0;
    }
    size += bytes;
  }
  return starts;
}

std::string encode_index(std::span<const TensorInfo> tensors,
                         const std::vector<std::string_view>& files) {
  uint64_t total = 0;
  for (const auto& tensor : tensors) total += tensor.bytes();
  std::string json =
      fmt::format("{{\n  \"metadata\": {{\"total_size\": {}}},\n  \"weight_map\": {{", total);
  for (size_t i = 0; i < tensors.size(); ++i) {
    json += fmt::format("{}\n    {}: {}", i == 0 ? "" : ",", json_quoted(tensors[i].name),
                        json_quoted(files[i]));
  }
  return json + "\n  }\n}\n";
}

class SafetensorsWriter final : public Writer {
 public:
  SafetensorsWriter(const fs::path& folder, const SafetensorsWriteOptions& options)
      : folder_(folder), options_(options) {}

  void begin(const Metadata& metadata, std::span<const TensorInfo> tensors) override {
    NIBBLE_CHECK(!files_);
    std::vector<OutputFile> plan = plan_files(metadata, tensors);
    const size_t marker = plan.size() - 1;
    files_.emplace(std::move(plan), marker);
  }

  std::vector<PlannedFile> plan(const Metadata& metadata,
                                std::span<const TensorInfo> tensors) const override {
    return planned(plan_files(metadata, tensors));
  }

  void append(Bytes bytes) override {
    NIBBLE_CHECK(files_);
    files_->append(bytes);
  }

  void finish() override {
    NIBBLE_CHECK(files_);
    files_->finish();
  }

 private:
  std::vector<OutputFile> plan_files(const Metadata& metadata,
                                     std::span<const TensorInfo> tensors) const {
    check_tensors(tensors);
    const auto starts = choose_shards(tensors, options_.shard_max_bytes);
    const bool sharded = starts.size() > 1;
    refuse_other_layout(sharded);
    std::vector<OutputFile> plan;
    std::vector<std::string> names;
    std::vector<std::string_view> name_of_tensor;
    for (size_t i = 0; i < starts.size(); ++i) {
      names.push_back(sharded
                          ? fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, starts.size())
                          : std::string(kSafetensorsFile));
    }
    for (size_t i = 0; i < starts.size(); ++i) {
      const size_t end = i + 1 < starts.size() ? starts[i + 1] : tensors.size();
      plan.push_back(
          plan_file(folder_ / names[i], metadata, tensors.subspan(starts[i], end - starts[i])));
      name_of_tensor.resize(end, names[i]);
    }
    if (sharded) {
      std::string index = encode_index(tensors, name_of_tensor);
      const uint64_t size = index.size();
      plan.push_back({folder_ / kSafetensorsIndex, std::move(index), size, {}, {}});
    }
    return plan;
  }

  void check_tensors(std::span<const TensorInfo> tensors) const {
    for (const auto& tensor : tensors) {
      try {
        checked_bytes(tensor);
      } catch (Error& error) {
        error.at(fmt::format("{}: tensor {}", folder_.string(), printable(tensor.name)));
        throw;
      }
    }
    if (const auto duplicate = find_duplicate(tensors)) {
      throw bad_input("the tensor {} is there twice", printable(tensors[*duplicate].name))
          .at(folder_.string());
    }
  }

  void refuse_other_layout(bool sharded) const {
    const fs::path other = folder_ / (sharded ? kSafetensorsFile : kSafetensorsIndex);
    std::error_code error;
    if (!fs::exists(other, error)) return;
    throw usage_error("the folder holds a model in {}, this one comes in {}",
                      sharded ? "one file" : "shards", sharded ? "shards" : "one file")
        .at(other.string())
        .hint("choose an empty folder, or remove the old model");
  }

  static OutputFile plan_file(const fs::path& path, const Metadata& metadata,
                              std::span<const TensorInfo> tensors) {
    std::vector<uint32_t> order(tensors.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return element_bytes(tensors[a]) > element_bytes(tensors[b]);
    });
    OutputFile file{path, {}, 0, std::vector<uint64_t>(tensors.size()), {}};
    std::vector<TensorInfo> sorted;
    std::vector<uint64_t> begins;
    uint64_t position = 0;
    for (const uint32_t i : order) {
      sorted.push_back(tensors[i]);
      begins.push_back(position);
      file.offsets[i] = position;
      position += tensors[i].bytes();
    }
    try {
      file.header = encode_safetensors_header(metadata, sorted, begins);
      file.size = file.header.size() + position;
      // Errors of the parser count here too: what it would refuse to read is not written.
      const auto* header = reinterpret_cast<const std::byte*>(file.header.data());
      parse_safetensors({header, file.header.size()}, file.size);
    } catch (Error& error) {
      error.at(path.string());
      throw;
    }
    for (auto& offset : file.offsets) offset += file.header.size();
    for (const auto& tensor : tensors) file.sizes.push_back(tensor.bytes());
    return file;
  }

  fs::path folder_;
  SafetensorsWriteOptions options_;
  std::optional<OutputFiles> files_;
};

}  // namespace

std::unique_ptr<Writer> create_safetensors(const fs::path& folder,
                                           const SafetensorsWriteOptions& options) {
  return std::make_unique<SafetensorsWriter>(folder, options);
}

}  // namespace nibble
