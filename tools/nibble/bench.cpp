#include <algorithm>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/units.h"
#include "json_document.h"
#include "kernels/isa.h"
#include "kernels/machine_limits.h"
#include "output.h"
#include "session.h"

namespace nibble::cli {
namespace {

// Median, smallest and largest of the repetitions.
struct Spread {
  double median = 0, min = 0, max = 0;
};

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return {(values[(n - 1) / 2] + values[n / 2]) / 2, values.front(), values.back()};
}

// What the matrices of a model cost to use.
struct Work {
  uint64_t bytes_per_token = 0;        // read for each decoded token: layers and output
  uint64_t weights_per_prefilled = 0;  // multiplied for each token of a prompt: layers alone
};

Work work_of(const Model& model) {
  Work work;
  for (const auto& layer : model.layers()) {
    for (const Linear* linear :
         {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
      work.bytes_per_token += linear->w.rows * linear->w.row_bytes();
      work.weights_per_prefilled += linear->w.rows * linear->w.cols;
    }
  }
  work.bytes_per_token += model.output().w.rows * model.output().w.row_bytes();
  return work;
}

struct BenchResult {
  double load_s = 0;
  Spread prefill, decode;  // tokens per second
  Work work;
  uint64_t parameters = 0, weight_bytes = 0, peak_bytes = 0, private_bytes = 0;
  bool int8 = false;  // prefill is bound by 8-bit, not by f32 arithmetic
  MachineLimits limits;

  double share_of_bandwidth() const {
    return double(work.bytes_per_token) * decode.median / limits.read_bandwidth;
  }
  double peak() const { return int8 ? limits.int8_ops : limits.f32_ops; }
  double share_of_peak() const {
    return 2.0 * double(work.weights_per_prefilled) * prefill.median / peak();
  }
};

class Bench : public Command {
 public:
  void declare(CommandLine& line) override {
    compute_.declare_model(line);
    line.group("What is measured");
    line.integer("--prompt", &prompt_, 1, 1 << 20,
                 "tokens of the prompt (default: 256, at most half the context)")
        .env("NIBBLE_BENCH_PROMPT");
    line.integer("--generate", &generate_, 2, 1 << 20,
                 "tokens generated after it (default: 64, at most a quarter)")
        .env("NIBBLE_BENCH_GENERATE");
    line.integer("--repeat", &repeat_, 1, 1000, "repetitions; the median counts (default: 5)");
    compute_.declare_computing(line);
    line.group("Output");
    line.json(&json_);
  }

  void run(const CommandLine& line) override {
    ThreadPool pool{unsigned(compute_.threads)};
    const LoadedModel loaded = load_model(compute_.model, compute_.dynamic, pool);
    check_activations(line, *loaded.model);
    choose_lengths(loaded.checkpoint->hyperparameters());
    BenchResult result;
    result.load_s = loaded.seconds;
    result.work = work_of(*loaded.model);
    result.parameters = loaded.checkpoint->parameters();
    result.weight_bytes = loaded.model->weight_bytes();
    result.int8 =
        compute_.precision() == ActivationPrecision::kInt8 && has_quantized_weights(*loaded.model);
    measure_model(*loaded.model, pool, result);
    result.peak_bytes = peak_resident_bytes();
    result.private_bytes = private_resident_bytes();
    result.limits = measure_machine_limits(pool);
    json_ ? print_json(result, pool.size()) : print_report(result, pool.size());
  }

 private:
  void choose_lengths(const Hyperparameters& h) {
    const uint64_t context = h.context == 0 ? UINT64_MAX : h.context;
    if (!prompt_) prompt_ = std::clamp<uint64_t>(context / 2, 1, 256);
    if (!generate_) generate_ = std::clamp<uint64_t>(context / 4, 2, 64);
    if (*prompt_ + *generate_ > context) {
      throw usage_error("--prompt {} and --generate {} exceed the model's context of {}", *prompt_,
                        *generate_, context);
    }
  }

  // Ordinary generation, greedy and without end, after one repetition that does not count: it reads
  // the weights from the disk.
  void measure_model(const Model& model, ThreadPool& pool, BenchResult& result) const {
    Forward forward(model, pool, {.activations = compute_.precision()});
    KvCache cache(model.hyperparameters(), *prompt_ + *generate_, compute_.kv());
    GenerateOptions options;
    options.sampling.temperature = 0;
    options.max_tokens = *generate_;
    options.ignore_end = true;
    std::vector<TokenId> prompt;
    Random random(1);
    for (uint64_t i = 0; i < *prompt_; ++i) {
      prompt.push_back(TokenId(random.below(model.hyperparameters().vocabulary)));
    }
    std::vector<double> prefill, decode;
    Progress progress("measuring", repeat_ + 1);
    for (uint64_t i = 0; i <= repeat_; ++i) {
      cache.clear();
      const GenerateResult run = generate(forward, cache, prompt, options, [](std::string_view) {
        check_interrupt();
        return true;
      });
      progress.advance(1, "");
      if (i == 0) continue;
      prefill.push_back(prefill_rate(run));
      decode.push_back(decode_rate(run));
    }
    result.prefill = spread_of(prefill);
    result.decode = spread_of(decode);
  }

  static Json spread_json(const Spread& spread) {
    Json json = Json::object();
    json.set("median", spread.median);
    json.set("min", spread.min);
    json.set("max", spread.max);
    return json;
  }

  void print_json(const BenchResult& r, unsigned threads) const {
    Json json = Json::document("nibble.bench/1");
    json.set("model", compute_.model);
    json.set("dynamic", compute_.dynamic ? std::optional(compute_.dynamic->name) : std::nullopt);
    json.set("isa", active_isa().name);
    json.set("threads", threads);
    json.set("activations", compute_.activations);
    json.set("kv_type", compute_.kv_type);
    json.set("prompt", *prompt_);
    json.set("generate", *generate_);
    json.set("repeat", repeat_);
    json.set("parameters", r.parameters);
    json.set("weight_bytes", r.weight_bytes);
    json.set("load_s", r.load_s);
    json.set("prefill_tokens_per_s", r.prefill.median);
    json.set("decode_tokens_per_s", r.decode.median);
    json.set("prefill_spread", spread_json(r.prefill));
    json.set("decode_spread", spread_json(r.decode));
    json.set("peak_memory_bytes", r.peak_bytes);
    json.set("private_memory_bytes", r.private_bytes);
    Json bandwidth = Json::object();
    bandwidth.set("bytes_per_token", r.work.bytes_per_token);
    bandwidth.set("bytes_per_s", double(r.work.bytes_per_token) * r.decode.median);
    bandwidth.set("machine_bytes_per_s", r.limits.read_bandwidth);
    json.set("bandwidth", std::move(bandwidth));
    Json arithmetic = Json::object();
    arithmetic.set("kind", r.int8 ? "int8" : "f32");
    arithmetic.set("operations_per_token", 2 * r.work.weights_per_prefilled);
    arithmetic.set("operations_per_s",
                   2.0 * double(r.work.weights_per_prefilled) * r.prefill.median);
    arithmetic.set("machine_operations_per_s", r.peak());
    json.set("arithmetic", std::move(arithmetic));
    json.set("share_of_bandwidth", r.share_of_bandwidth());
    json.set("share_of_peak", r.share_of_peak());
    json.print();
  }

  static std::string rate_text(const Spread& spread) {
    return fmt::format("{:.1f} tokens/s ({:.1f} to {:.1f})", spread.median, spread.min, spread.max);
  }

  void print_report(const BenchResult& r, unsigned threads) const {
    Fields fields;
    fields.add("model", "{}{}", compute_.model,
               compute_.dynamic ? fmt::format(", weights in {}", compute_.dynamic->name) : "");
    fields.add("computed by", "{} threads, {}, {} activations, {} cache", threads,
               active_isa().name, compute_.activations, compute_.kv_type);
    fields.add("weights", "{} of {} parameters", format_bytes(r.weight_bytes),
               format_count(r.parameters));
    fields.add("load", "{}", format_duration(r.load_s));
    fields.add("prefill", "{}, {} tokens, median of {}", rate_text(r.prefill), *prompt_, repeat_);
    fields.add("decode", "{}, {} tokens, median of {}", rate_text(r.decode), *generate_, repeat_);
    fields.add("peak memory", "{}, {} of it private", format_bytes(r.peak_bytes),
               format_bytes(r.private_bytes));
    fields.add("bandwidth", "{:.0f} % of the {:.1f} GB/s this machine reads, at {} a token",
               100 * r.share_of_bandwidth(), r.limits.read_bandwidth / 1e9,
               format_bytes(r.work.bytes_per_token));
    fields.add("arithmetic", "{:.0f} % of the {:.0f} G{} operations/s this machine does",
               100 * r.share_of_peak(), r.peak() / 1e9, r.int8 ? " int8" : " f32");
    if (r.share_of_bandwidth() > 1) {
      fields.add("", "more than 100 %: the weights fit into the processor's cache");
    }
    fields.print();
  }

  ComputeFlags compute_;
  std::optional<uint64_t> prompt_, generate_;
  uint64_t repeat_ = 5;
  bool json_ = false;
};

constexpr Example kExamples[] = {
    {"nibble bench classics-q4.gguf", "speed and memory, beside what the machine could do"},
    {"nibble bench MODEL --dynamic INT4 -j 2", "weights quantized as they load, two threads"},
    {"nibble bench MODEL --prompt 512 --generate 128 --repeat 9 --json", "for programs"},
};

}  // namespace

extern const CommandRow bench_command;
const CommandRow bench_command = {
    "bench",
    "measure speed and memory against what the machine can do",
    "MODEL [flags]",
    "Reads a prompt of random tokens and generates greedily after it, --repeat times and once more "
    "before that to warm up. Then the machine itself is measured with as many threads: bytes read "
    "from memory per second, and multiply-adds per second.\n\n"
    "Bandwidth is the bytes of all matrices a decoded token needs times the decode rate; "
    "arithmetic "
    "is two operations per weight of the layers and prompt token times the prefill rate. Peak "
    "memory "
    "is the most that was resident before the machine was measured; mapped weights count, though "
    "the system may drop them, private memory is what it cannot.",
    kExamples,
    [] { return std::unique_ptr<Command>(new Bench); }};

}  // namespace nibble::cli
