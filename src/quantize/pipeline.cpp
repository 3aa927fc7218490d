#include "quantize/pipeline.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "quantize/output.h"
#include "quantize/tensor_stream.h"

namespace nibble {
namespace {

using Clock = std::chrono::steady_clock;

void check_output(const Checkpoint& source, const QuantizeOptions& options) {
  if (options.output.empty()) throw usage_error("the output has no name");
  const bool is_source =
      same_file(options.output, source.path()) || same_file(options.output, source.reader().path());
  if (is_source) {
    throw usage_error("the output is the model itself")
        .at(options.output.string())
        .hint("choose another name; the model would be lost");
  }
  if (options.overwrite || !fs::exists(options.output)) return;
  if (fs::is_directory(options.output) && fs::is_empty(options.output)) return;
  throw usage_error("the output exists already")
      .at(options.output.string())
      .hint("-f replaces it; a complete new one takes its place at the end");
}

QuantizeReport report_of(const OutputPlan& plan) {
  QuantizeReport report;
  for (const auto& tensor : plan.tensors) {
    report.tensors.push_back({.name = tensor.info.name,
                              .shape = tensor.info.shape,
                              .from = tensor.source ? tensor.source->info.format : nullptr,
                              .to = tensor.info.format,
                              .bytes = tensor.info.bytes(),
                              .reason = tensor.reason,
                              .fallback = tensor.fallback});
    report.bytes_in += tensor.source ? tensor.source->bytes.size() : 0;
    report.bytes_out += tensor.info.bytes();
    report.parameters += tensor.info.elements();
  }
  return report;
}

// Output folders appear with their first file; one that stays empty is taken away again.
class OutputFolder {
 public:
  explicit OutputFolder(const QuantizeOptions& options) {
    if (options.layout != OutputLayout::kFolder) return;
    std::error_code error;
    if (fs::create_directories(options.output, error)) created_ = options.output;
    if (error) {
      throw runtime_failure("cannot create the folder: {}", error.message())
          .at(options.output.string());
    }
  }
  ~OutputFolder() {
    std::error_code ignored;
    if (!created_.empty() && fs::is_empty(created_, ignored)) fs::remove(created_, ignored);
  }

 private:
  fs::path created_;
};

void write_values(const PlannedTensor& tensor, WriteQueue& queue) {
  std::vector<std::byte> buffer = queue.take_buffer();
  buffer.resize(tensor.info.bytes());
  tensor.info.format->encode(tensor.values.data(), nullptr, tensor.values.size(), buffer.data());
  queue.push(std::move(buffer));
}

uint64_t bytes_on_disk(const fs::path& path) {
  if (!fs::is_directory(path)) return fs::exists(path) ? fs::file_size(path) : 0;
  uint64_t total = 0;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.is_regular_file()) total += entry.file_size();
  }
  return total;
}

}  // namespace

OutputLayout layout_by_name(const fs::path& output) {
  return output.extension() == ".gguf" ? OutputLayout::kGguf : OutputLayout::kFolder;
}

QuantizeReport plan_quantize(const Checkpoint& source, const Recipe& recipe,
                             const QuantizeOptions& options) {
  check_output(source, options);
  recipe.check_rules(source);
  return report_of(plan_output(source, recipe, options.layout));
}

QuantizeReport quantize(const Checkpoint& source, const Recipe& recipe,
                        const QuantizeOptions& options, ThreadPool& pool) {
  const auto start = Clock::now();
  check_output(source, options);
  recipe.check_rules(source);
  const OutputPlan plan = plan_output(source, recipe, options.layout);
  QuantizeReport report = report_of(plan);
  OutputFolder folder(options);
  const std::unique_ptr<Writer> writer = create_output(options);
  const Metadata metadata =
      options.layout == OutputLayout::kGguf ? output_metadata(source, plan) : Metadata();
  std::vector<TensorInfo> infos;
  for (const auto& tensor : plan.tensors) infos.push_back(tensor.info);
  writer->begin(metadata, infos);
  {
    Progress progress("quantizing", report.bytes_in);
    WriteQueue queue(*writer);
    for (const auto& tensor : plan.tensors) {
      if (tensor.source == nullptr) {
        write_values(tensor, queue);
        continue;
      }
      source.reader().will_need(tensor.source->index);
      stream_tensor(*tensor.source, *tensor.info.format, *options.method, tensor.source_row, pool,
                    queue, progress);
      source.reader().done_with(tensor.source->index);
      report.peak_private_bytes = std::max(report.peak_private_bytes, private_resident_bytes());
    }
    queue.drain();
  }
  check_interrupt();
  writer->finish();
  if (options.layout == OutputLayout::kFolder) {
    source.write_hf_files(options.output, hf_dtype_name(plan));
  }
  if (options.split_max_bytes == 0) report.file_bytes = bytes_on_disk(options.output);
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return report;
}

}  // namespace nibble
