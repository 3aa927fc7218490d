#include "io/output_files.h"

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "io/limits.h"

namespace nibble {
namespace {

// Appends zeros until the file is `size` long.
void pad_until(AtomicFile& file, uint64_t size) {
  static constexpr std::byte kZeros[65536] = {};
  while (file.position() < size) {
    file.write(Bytes(kZeros, std::min<uint64_t>(size - file.position(), sizeof kZeros)));
  }
}

}  // namespace

std::vector<PlannedFile> planned(std::span<const OutputFile> files) {
  std::vector<PlannedFile> result;
  for (const auto& file : files) result.push_back({file.path, file.size});
  return result;
}

OutputFiles::OutputFiles(std::vector<OutputFile> files, size_t marker)
    : plan_(std::move(files)), marker_(marker) {
  NIBBLE_CHECK(marker < plan_.size());
  if (plan_.size() > limits::kOutputFiles) {
    throw usage_error("expected at most {} files, got {}", limits::kOutputFiles, plan_.size())
        .at(plan_.front().path.string())
        .hint("allow larger files");
  }
  for (const auto& file : plan_) {
    files_.push_back(std::make_unique<AtomicFile>(file.path, file.size));
    files_.back()->write(file.header);
  }
  skip_complete_tensors();
}

void OutputFiles::skip_complete_tensors() {
  while (file_ < plan_.size()) {
    const auto& sizes = plan_[file_].sizes;
    if (tensor_ < sizes.size() && written_ < sizes[tensor_]) return;
    written_ = 0;
    if (tensor_ < sizes.size()) ++tensor_;
    if (tensor_ == sizes.size()) {
      tensor_ = 0;
      ++file_;
    }
  }
}

void OutputFiles::append(Bytes bytes) {
  while (!bytes.empty()) {
    NIBBLE_CHECK(file_ < plan_.size());
    const OutputFile& plan = plan_[file_];
    AtomicFile& file = *files_[file_];
    const Bytes piece =
        bytes.first(std::min<uint64_t>(bytes.size(), plan.sizes[tensor_] - written_));
    const uint64_t offset = plan.offsets[tensor_] + written_;
    // Appending lets the file start its writeback early; only unusual orders of tensors do without.
    if (offset >= file.position()) {
      pad_until(file, offset);
      file.write(piece);
    } else {
      file.write_at(offset, piece);
    }
    bytes = bytes.subspan(piece.size());
    written_ += piece.size();
    skip_complete_tensors();
  }
}

void OutputFiles::finish() {
  NIBBLE_CHECK(file_ == plan_.size());
  for (size_t i = 0; i < plan_.size(); ++i) pad_until(*files_[i], plan_[i].size);
  if (plan_.size() > 1) {
    std::error_code error;
    if (fs::remove(plan_[marker_].path, error); error) {
      throw runtime_failure("cannot replace the file: {}", error.message())
          .at(plan_[marker_].path.string());
    }
  }
  for (size_t i = 0; i < plan_.size(); ++i) {
    if (i != marker_) files_[i]->commit();
  }
  files_[marker_]->commit();
}

}  // namespace nibble
