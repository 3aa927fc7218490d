#include <algorithm>
#include <limits>

#include "base/error.h"
#include "io/gguf.h"
#include "io/limits.h"
#include "io/output_files.h"

namespace nibble {
namespace {

uint64_t aligned(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

Bytes as_bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Where the files of a split begin: index of the first tensor of each. `first_header` and
// `other_header` are what a header takes without its tensors.
std::vector<size_t> choose_split(std::span<const TensorInfo> tensors, uint64_t max_bytes,
                                 uint64_t alignment, uint64_t first_header, uint64_t other_header) {
  std::vector<size_t> starts = {0};
  uint64_t header = first_header, data = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const uint64_t info = gguf_info_bytes(tensors[i]);
    const uint64_t size = aligned(tensors[i].bytes(), alignment);
    if (i > starts.back() && aligned(header + info, alignment) + data + size > max_bytes) {
      starts.push_back(i);
      header = other_header;
      data = 0;
    }
    header += info;
    data += size;
  }
  return starts;
}

class GgufWriter final : public Writer {
 public:
  GgufWriter(const fs::path& path, const GgufWriteOptions& options)
      : path_(path), options_(options) {}

  void begin(const Metadata& metadata, std::span<const TensorInfo> tensors) override {
    NIBBLE_CHECK(!files_);
    files_.emplace(plan_files(metadata, tensors), 0);
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
    std::vector<OutputFile> plan;
    plan.push_back(plan_file(path_, metadata, tensors));
    if (options_.split_max_bytes > 0 && plan[0].size > options_.split_max_bytes) {
      plan = plan_split(metadata, tensors);
    }
    return plan;
  }

  // Errors of the parser count here too: what it would refuse to read is not written.
  static OutputFile plan_file(const fs::path& path, const Metadata& metadata,
                              std::span<const TensorInfo> tensors) {
    OutputFile file{path, {}, 0, {}, {}};
    try {
      file.header = encode_gguf_header(metadata, tensors);
      file.size = file.header.size();
      const uint64_t alignment = gguf_alignment(metadata);
      for (const auto& tensor : tensors) {
        file.sizes.push_back(tensor.bytes());
        file.size += aligned(tensor.bytes(), alignment);
      }
      file.offsets = parse_gguf(as_bytes_of(file.header), file.size).offsets;
    } catch (Error& error) {
      error.at(path.string());
      throw;
    }
    return file;
  }

  std::vector<OutputFile> plan_split(const Metadata& metadata,
                                     std::span<const TensorInfo> tensors) const {
    const uint64_t alignment = gguf_alignment(metadata);
    Metadata first = metadata, other;
    if (const auto* value = metadata.find("general.alignment")) {
      other.append("general.alignment", *value);
    }
    // The values do not change the length, so any will do for the estimate.
    set_split_keys(first, {});
    set_split_keys(other, {});
    const auto starts =
        choose_split(tensors, options_.split_max_bytes, alignment,
                     encode_gguf_header(first, {}).size(), encode_gguf_header(other, {}).size());
    if (starts.size() == 1) return {plan_file(path_, metadata, tensors)};
    if (starts.size() > limits::kOutputFiles) {
      throw usage_error("files of at most {} bytes would be {} files, expected at most {}",
                        options_.split_max_bytes, starts.size(), limits::kOutputFiles)
          .at(path_.string())
          .hint("allow larger files");
    }
    const fs::path prefix =
        path_.extension() == ".gguf" ? fs::path(path_).replace_extension() : path_;
    std::vector<OutputFile> plan;
    for (size_t i = 0; i < starts.size(); ++i) {
      const size_t end = i + 1 < starts.size() ? starts[i + 1] : tensors.size();
      Metadata& keys = i == 0 ? first : other;
      set_split_keys(keys, {i, starts.size(), tensors.size()});
      plan.push_back(plan_file(gguf_split_path(prefix, i + 1, starts.size()), keys,
                               tensors.subspan(starts[i], end - starts[i])));
    }
    return plan;
  }

  fs::path path_;
  GgufWriteOptions options_;
  std::optional<OutputFiles> files_;
};

}  // namespace

std::unique_ptr<Writer> create_gguf(const fs::path& path, const GgufWriteOptions& options) {
  return std::make_unique<GgufWriter>(path, options);
}

}  // namespace nibble
