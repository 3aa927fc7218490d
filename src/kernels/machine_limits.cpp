#include "kernels/machine_limits.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "kernels/isa.h"
#include "kernels/isa_kernels.h"
#include "kernels/scratch.h"

namespace nibble {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSeconds = 0.3;  // per number
constexpr size_t kBytes = size_t(256) << 20;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The best rate of a few passes; `pass` returns how much it has done.
template <typename Pass>
double best_rate(double seconds, const Pass& pass) {
  double best = 0;
  const Clock::time_point end_of_all = Clock::now();
  do {
    const Clock::time_point start = Clock::now();
    const double done = pass();
    best = std::max(best, done / seconds_since(start));
  } while (seconds_since(end_of_all) < seconds);
  return best;
}

double peak(ThreadPool& pool, double (*loop)(size_t rounds)) {
  constexpr size_t kRounds = 2000;
  return best_rate(kSeconds, [&] {
    std::atomic<double> done = 0;
    pool.parallel_for(pool.size() * 4, 1, [&](size_t begin, size_t end, unsigned) {
      for (size_t i = begin; i < end; ++i) done += loop(kRounds);
    });
    return done.load();
  });
}

double read_bandwidth(ThreadPool& pool, const IsaKernels& isa) {
  Scratch<uint8_t> memory;
  uint8_t* data = memory.reserve(kBytes);
  std::memset(data, 1, kBytes);
  std::atomic<uint64_t> sum = 0;  // the reads must have a result
  double best = 0;
  // As matrix rows are read: pieces handed out in order; and each thread its own long piece.
  const size_t share = kBytes / pool.size();
  struct Pattern {
    size_t piece, streams;
  };
  constexpr int kPatterns = 4;
  const Pattern patterns[kPatterns] = {{64 << 10, 1}, {1 << 20, 4}, {share, 1}, {share, 4}};
  for (const Pattern& p : patterns) {
    const size_t count = kBytes / p.piece;
    const double rate = best_rate(kSeconds / kPatterns, [&] {
      pool.parallel_for(count, 1, [&](size_t begin, size_t end, unsigned) {
        sum += isa.read_lines(data + begin * p.piece, (end - begin) * p.piece, p.streams);
      });
      return double(count * p.piece);
    });
    best = std::max(best, rate);
  }
  return sum.load() == 0 ? 0 : best;
}

}  // namespace

MachineLimits measure_machine_limits(ThreadPool& pool) {
  const IsaKernels& isa = *active_isa().kernels;
  return {read_bandwidth(pool, isa), peak(pool, isa.peak_i8), peak(pool, isa.peak_f32)};
}

}  // namespace nibble
