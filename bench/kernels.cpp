// Speed of the kernels: per instruction set, format and regime, in bytes and operations per second.
//
//     bench_kernels --benchmark_filter=avx2/Q4_0
//
// Threads: NIBBLE_BENCH_THREADS, or one per core.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernels/isa.h"
#include "kernels/machine_limits.h"
#include "kernels/matmul.h"
#include "kernels/ops.h"

namespace nibble {
namespace {

ThreadPool& pool() {
  const char* threads = std::getenv("NIBBLE_BENCH_THREADS");
  static ThreadPool instance(threads == nullptr ? 0 : unsigned(std::atoi(threads)));
  return instance;
}

std::vector<float> values(size_t n) {
  Random random(1);
  std::vector<float> x(n);
  for (float& v : x) v = float(random.uniform() - 0.5);
  return x;
}

// Weights of `rows` x `cols`; one encoded row, repeated.
std::vector<std::byte> weights(const Format& format, size_t rows, size_t cols) {
  const std::vector<float> x = values(cols);
  std::vector<std::byte> row(format.bytes_for(cols)), all;
  format.encode(x.data(), nullptr, cols, row.data());
  all.reserve(rows * row.size());
  for (size_t r = 0; r < rows; ++r) all.insert(all.end(), row.begin(), row.end());
  return all;
}

void count(benchmark::State& state, double bytes, double operations) {
  using benchmark::Counter;
  const auto rate = [&](double x) {
    return Counter(x, Counter::kIsIterationInvariantRate, Counter::kIs1000);
  };
  state.counters["bytes/s"] = rate(bytes);
  state.counters["ops/s"] = rate(operations);
}

struct Product {
  const Isa* isa;
  const Format* format;
  size_t rows, cols, tokens;
  ActivationPrecision precision;
};

void product(benchmark::State& state, const Product& p) {
  set_active_isa(*p.isa);
  const std::vector<std::byte> data = weights(*p.format, p.rows, p.cols);
  const WeightMatrix w{p.format, data.data(), p.rows, p.cols};
  const std::vector<float> x = values(p.tokens * p.cols);
  std::vector<float> y(p.tokens * p.rows);
  Activations activations;
  for (auto _ : state) {
    activations.set(MatView<const float>(x.data(), p.tokens, p.cols), p.precision, pool());
    matmul(w, activations, {y.data(), p.tokens, p.rows}, nullptr, pool());
  }
  count(state, double(data.size()), 2.0 * double(p.rows * p.cols * p.tokens));
}

struct Attending {
  const Isa* isa;
  KvType type;
  size_t tokens, context;
};

void attending(benchmark::State& state, const Attending& a) {
  set_active_isa(*a.isa);
  constexpr size_t kHeads = 32, kKvHeads = 8, kDim = 128;
  const std::vector<float> q = values(a.tokens * kHeads * kDim);
  const size_t kv_size = a.context * kKvHeads * kDim;
  std::vector<float> kv(2 * kv_size), out(q.size());
  void* second = a.type == KvType::kF32 ? static_cast<void*>(kv.data() + kv_size)
                                        : static_cast<void*>(kv.data() + kv_size / 2);
  const std::vector<float> rows = values(kv_size);
  for (void* cache : {static_cast<void*>(kv.data()), second}) {
    store_kv({rows.data(), a.context, kKvHeads * kDim}, a.type, cache, 0);
  }
  for (auto _ : state) {
    attention({q.data(), a.tokens, kHeads * kDim}, {a.type, kv.data(), second}, kHeads, kKvHeads,
              kDim, a.context - a.tokens, 0, 0.088f, {out.data(), a.tokens, kHeads * kDim}, pool());
  }
  const double element = a.type == KvType::kF32 ? 4 : 2;
  const double seen = double(a.tokens) * (double(a.context) - double(a.tokens - 1) / 2);
  count(state, 2 * double(kv_size) * element, 4 * seen * kHeads * kDim);
}

void register_isa(const Isa& isa) {
  const std::string prefix = std::string(isa.name) + "/";
  const auto add = [&](const std::string& name, auto function, auto argument) {
    benchmark::RegisterBenchmark((prefix + name).c_str(), function, argument)->UseRealTime();
  };
  for (const char* name : {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "F16", "BF16", "F32"}) {
    const Format& format = format_by_name(name);
    // More than any cache for one column, a usual layer for many.
    const size_t rows = (size_t(192) << 20) / format.bytes_for(4096);
    const auto add_product = [&](const std::string& what, size_t r, size_t tokens, auto precision) {
      add(name + what, product, Product{&isa, &format, r, 4096, tokens, precision});
    };
    for (const size_t tokens : {1, 4, 8}) {
      add_product("/columns:" + std::to_string(tokens), rows, tokens, ActivationPrecision::kInt8);
    }
    for (const size_t tokens : {9, 16, 32, 512}) {
      add_product("/columns:" + std::to_string(tokens), 4096, tokens, ActivationPrecision::kInt8);
    }
    if (!format.is_quantized()) continue;
    add_product("/f32/columns:1", rows, 1, ActivationPrecision::kF32);
    add_product("/f32/columns:512", 4096, 512, ActivationPrecision::kF32);
  }
  for (const KvType type : {KvType::kF32, KvType::kF16}) {
    const std::string suffix = type == KvType::kF32 ? "f32" : "f16";
    add("attention/decode/" + suffix, attending, Attending{&isa, type, 1, 8192});
    add("attention/prefill/" + suffix, attending, Attending{&isa, type, 512, 2048});
  }
}

}  // namespace
}  // namespace nibble

int main(int argc, char** argv) {
  using namespace nibble;
  benchmark::Initialize(&argc, argv);
  for (const Isa& isa : all_isas()) {
    if (!isa.runs_here()) continue;
    set_active_isa(isa);
    const MachineLimits limits = measure_machine_limits(pool());
    fmt::print("{}, {} threads: reads {:.1f} GB/s, int8 {:.0f} Gop/s, f32 {:.0f} Gop/s\n", isa.name,
               pool().size(), limits.read_bandwidth / 1e9, limits.int8_ops / 1e9,
               limits.f32_ops / 1e9);
    register_isa(isa);
  }
  benchmark::RunSpecifiedBenchmarks();
}
