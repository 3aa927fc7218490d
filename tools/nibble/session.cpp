#include "session.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "quantize/recipe.h"

namespace nibble::cli {
namespace {

constexpr uint64_t kMaxText = uint64_t(1) << 30;

std::string read_standard_input() {
  if (::isatty(STDIN_FILENO) == 1) log::info("reading from the terminal until Ctrl-D");
  std::string text;
  char buffer[65536];
  while (text.size() < kMaxText) {
    check_interrupt();
    const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n == 0) return text;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw runtime_failure("{}", std::strerror(errno)).at("standard input");
    text.append(buffer, size_t(n));
  }
  throw bad_input("more than 1 GiB of text").at("standard input");
}

// Says aloud what --dynamic could not or should not do.
void report_dynamic(const Checkpoint& checkpoint, const Format& dynamic, const Recipe& recipe) {
  size_t kept = 0, stored_quantized = 0;
  for (const auto& tensor : checkpoint.tensors()) {
    const Choice choice = recipe.choose(tensor, checkpoint.hyperparameters());
    stored_quantized += tensor.info.format->is_quantized();
    if (!choice.fallback) continue;
    log::debug("{}: {}: {}", tensor.name, choice.format->name, choice.reason);
    if (++kept == 1)
      log::warn("{}: kept in {}: {}", tensor.name, choice.format->name, choice.reason);
  }
  if (kept > 1) log::warn("{} more tensors are kept so (-v lists them)", kept - 1);
  if (stored_quantized > 0) {
    log::warn("{} of the tensors are quantized already: --dynamic {} adds to their error",
              stored_quantized, dynamic.name);
  }
}

}  // namespace

void ComputeFlags::declare_model(CommandLine& line) {
  line.positional("MODEL", &model, "a Hugging Face folder or a GGUF file");
}

void ComputeFlags::declare_computing(CommandLine& line) {
  line.group("Computing");
  line.format("--dynamic", &dynamic, "quantize weights to TYPE as they load (default: as stored)");
  line.choice("--activations", {"int8", "f32"}, &activations,
              "precision of inputs of quantized weights (default: int8)");
  line.choice("--kv-type", {"f16", "f32"}, &kv_type,
              "precision of the cache of keys and values (default: f16)");
  line.threads(&threads);
}

ActivationPrecision ComputeFlags::precision() const {
  return activations == "f32" ? ActivationPrecision::kF32 : ActivationPrecision::kInt8;
}

KvType ComputeFlags::kv() const { return kv_type == "f32" ? KvType::kF32 : KvType::kF16; }

LoadedModel load_model(const std::string& path, const Format* dynamic, ThreadPool& pool) {
  const auto start = std::chrono::steady_clock::now();
  LoadedModel loaded;
  loaded.checkpoint = Checkpoint::open(path);
  LoadOptions options;
  if (dynamic != nullptr) {
    const Recipe recipe(*dynamic);
    report_dynamic(*loaded.checkpoint, *dynamic, recipe);
    const Hyperparameters& h = loaded.checkpoint->hyperparameters();
    options.format_of = [recipe, &h](const CheckpointTensor& tensor) {
      return recipe.choose(tensor, h).format;
    };
  }
  loaded.model = Model::load(loaded.checkpoint, options, pool);
  loaded.seconds = seconds_since(start);
  log::debug("{}: {} loaded in {:.3f} s", path, loaded.checkpoint->display_name(), loaded.seconds);
  return loaded;
}

bool has_quantized_weights(const Model& model) {
  if (model.output().w.format->is_quantized()) return true;
  for (const auto& layer : model.layers()) {
    for (const Linear* linear :
         {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
      if (linear->w.format->is_quantized()) return true;
    }
  }
  return false;
}

void check_activations(const CommandLine& line, const Model& model) {
  if (!line.spelled("--activations") || has_quantized_weights(model)) return;
  log::warn("--activations has no effect: {} has no quantized weights",
            model.checkpoint().path().string());
}

std::string read_text(const std::string& path) {
  return path == "-" ? read_standard_input() : read_text_file(path);
}

double prefill_rate(const GenerateResult& result) {
  return result.prefill_s > 0 ? double(result.prompt_tokens) / result.prefill_s : 0;
}

double decode_rate(const GenerateResult& result) {
  const bool stopped_at_end = result.stop == GenerateResult::Stop::kEndOfGeneration;
  const size_t passes = result.tokens.size() - (stopped_at_end || result.tokens.empty() ? 0 : 1);
  return result.decode_s > 0 ? double(passes) / result.decode_s : 0;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace nibble::cli
