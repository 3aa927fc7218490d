#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "methods/method.h"
#include "model/checkpoint.h"
#include "quantize/recipe.h"

namespace nibble {

enum class OutputLayout { kGguf, kFolder };
// A name that ends in .gguf is a GGUF file, any other a Hugging Face folder.
OutputLayout layout_by_name(const fs::path& output);

struct QuantizeOptions {
  fs::path output;
  OutputLayout layout = OutputLayout::kGguf;
  const Method* method = &methods::rtn;
  bool overwrite = false;
  uint64_t split_max_bytes = 0;  // GGUF: cut into parts of at most this; 0 = one file
};

struct TensorReport {
  std::string name;
  std::vector<uint64_t> shape;
  const Format* from = nullptr;
  const Format* to = nullptr;
  uint64_t bytes = 0;  // as written
  std::string reason;  // why `to` is not the recipe's own format, "" when it is
  bool fallback = false;
};

struct QuantizeReport {
  std::vector<TensorReport> tensors;
  uint64_t bytes_in = 0, bytes_out = 0;  // of tensor data
  std::vector<PlannedFile> files;        // of weights: the first is the one to open
  uint64_t file_bytes = 0;               // of these files together
  uint64_t parameters = 0;
  double seconds = 0;
  uint64_t peak_private_bytes = 0;  // anonymous memory of this process while at work
  double bits_per_weight() const { return 8.0 * double(bytes_out) / double(parameters); }
};

// What quantize() would do, without reading weights. Same checks, same report but for time.
QuantizeReport plan_quantize(const Checkpoint& source, const Recipe& recipe,
                             const QuantizeOptions& options);

// Streams every tensor of `source` through decode → method → encode into the output: rows in
// chunks, reading, computing and writing overlapped, so memory stays bounded whatever the model's
// size. The output appears when it is complete; the same input gives the same bytes for any number
// of threads. Throws Error(kUsage) when the output is the source (in any spelling), exists without
// `overwrite`, or the layout cannot hold a format; Error(kBadInput) on NaN or infinity, naming
// tensor and index; Error(kResources) on a full disk; Error(kInterrupted) after Ctrl-C.
QuantizeReport quantize(const Checkpoint& source, const Recipe& recipe,
                        const QuantizeOptions& options, ThreadPool& pool);

}  // namespace nibble
