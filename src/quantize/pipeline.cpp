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

// Everything one run is about to do, checked and not begun.
struct Job {
  OutputPlan plan;
  Metadata metadata;
  std::vector<TensorInfo> infos;
  std::unique_ptr<Writer> writer;
  std::vector<PlannedFile> files;
};

// The output may not be a file of the model in any spelling, nor an index or side file beside it.
void check_not_source(const Checkpoint& source, const QuantizeOptions& options, const Job& job) {
  const auto refuse = [&](const fs::path& path) {
    throw usage_error("the output is the model itself")
        .at(path.string())
        .hint("choose another name; the model would be lost");
  };
  if (same_file(options.output, source.path())) refuse(options.output);
  for (const auto& theirs : source.files()) {
    if (options.layout == OutputLayout::kFolder &&
        same_file(options.output, theirs.parent_path())) {
      refuse(options.output);
    }
    for (const auto& ours : job.files) {
      if (same_file(ours.path, theirs)) refuse(ours.path);
    }
  }
}

void check_place(const QuantizeOptions& options, const Job& job) {
  const auto refuse = [](const fs::path& path) {
    throw usage_error("the output exists already")
        .at(path.string())
        .hint("-f replaces it; a complete new one takes its place at the end");
  };
  std::error_code error;
  if (options.layout == OutputLayout::kFolder) {
    const bool empty = fs::is_empty(options.output, error);
    if (!error && !empty && !options.overwrite) refuse(options.output);
    return;
  }
  for (const auto& file : job.files) {
    const fs::path folder = file.path.has_parent_path() ? file.path.parent_path() : ".";
    if (!fs::is_directory(folder, error)) {
      throw usage_error("there is no such folder").at(folder.string());
    }
    const bool there = fs::symlink_status(file.path, error).type() != fs::file_type::not_found;
    if (there && !options.overwrite) refuse(file.path);
  }
}

Job prepare(const Checkpoint& source, const Recipe& recipe, const QuantizeOptions& options) {
  if (options.output.empty()) throw usage_error("the output has no name");
  recipe.check_rules(source);
  Job job{.plan = plan_output(source, recipe, options.layout), .writer = create_output(options)};
  if (options.layout == OutputLayout::kGguf) job.metadata = output_metadata(source, job.plan);
  for (const auto& tensor : job.plan.tensors) job.infos.push_back(tensor.info);
  job.files = job.writer->plan(job.metadata, job.infos);
  check_not_source(source, options, job);
  check_place(options, job);
  return job;
}

QuantizeReport report_of(const Job& job) {
  QuantizeReport report;
  report.files = job.files;
  for (const auto& file : job.files) report.file_bytes += file.size;
  for (const auto& tensor : job.plan.tensors) {
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

// The folder of the output; one made for it is taken away again when the work fails.
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
    if (!created_.empty()) fs::remove_all(created_, ignored);
  }
  void keep() { created_.clear(); }

 private:
  fs::path created_;
};

void write_values(const PlannedTensor& tensor, WriteQueue& queue) {
  std::vector<std::byte> buffer = queue.take_buffer();
  buffer.resize(tensor.info.bytes());
  tensor.info.format->encode(tensor.values.data(), nullptr, tensor.values.size(), buffer.data());
  queue.push(std::move(buffer));
}

}  // namespace

OutputLayout layout_by_name(const fs::path& output) {
  return output.extension() == ".gguf" ? OutputLayout::kGguf : OutputLayout::kFolder;
}

QuantizeReport plan_quantize(const Checkpoint& source, const Recipe& recipe,
                             const QuantizeOptions& options) {
  return report_of(prepare(source, recipe, options));
}

QuantizeReport quantize(const Checkpoint& source, const Recipe& recipe,
                        const QuantizeOptions& options, ThreadPool& pool) {
  const auto start = Clock::now();
  const Job job = prepare(source, recipe, options);
  QuantizeReport report = report_of(job);
  OutputFolder folder(options);
  job.writer->begin(job.metadata, job.infos);
  {
    Progress progress("quantizing", report.bytes_in);
    WriteQueue queue(*job.writer);
    for (const auto& tensor : job.plan.tensors) {
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
  // The weights appear last: a folder without them is seen to be incomplete.
  if (options.layout == OutputLayout::kFolder) {
    source.write_hf_files(options.output, hf_dtype_name(job.plan));
  }
  job.writer->finish();
  folder.keep();
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return report;
}

}  // namespace nibble
