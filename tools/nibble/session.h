#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/thread_pool.h"
#include "command.h"
#include "generate/generator.h"
#include "kernels/matmul.h"
#include "kernels/ops.h"
#include "model/model.h"

// What run, eval and bench share: the flags that say how to compute, and opening a model by them.

namespace nibble::cli {

struct ComputeFlags {
  std::string model;
  const Format* dynamic = nullptr;  // nullptr: weights as they are stored
  std::string activations = "int8", kv_type = "f16";
  uint64_t threads = 0;  // 0: one per core

  void declare_model(CommandLine& line);      // MODEL
  void declare_computing(CommandLine& line);  // --dynamic, --activations, --kv-type, -j

  ActivationPrecision precision() const;
  KvType kv() const;
};

struct LoadedModel {
  std::shared_ptr<const Checkpoint> checkpoint;
  std::unique_ptr<Model> model;
  double seconds = 0;  // opening and loading
};

// Opens and loads the model at `path`. With `dynamic`, matrices are quantized to it as they load,
// and those that cannot be are reported.
LoadedModel load_model(const std::string& path, const Format* dynamic, ThreadPool& pool);

// Warns when --activations was spelled and the model has no weights it concerns.
void check_activations(const CommandLine& line, const Model& model);
bool has_quantized_weights(const Model& model);

// A text file, or standard input for "-". Throws Error(kInterrupted) on Ctrl-C while waiting.
std::string read_text(const std::string& path);

// Tokens per second of the forward passes alone: after the last of max_tokens there is none.
double prefill_rate(const GenerateResult& result);
double decode_rate(const GenerateResult& result);

double seconds_since(std::chrono::steady_clock::time_point start);

}  // namespace nibble::cli
