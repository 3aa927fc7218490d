#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>

#include "base/error.h"

namespace nibble {
namespace {

constexpr int kSpins = 4000;  // some ten microseconds

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// The number of whole cores of a cgroup v2 CPU quota, or 0 where there is none.
unsigned quota_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return unsigned(std::max(1.0, std::floor(std::strtod(quota.c_str(), nullptr) / period)));
}

}  // namespace

unsigned usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  if (::sched_getaffinity(0, sizeof set, &set) == 0) cores = unsigned(CPU_COUNT(&set));
  const unsigned quota = quota_cores();
  return std::max(1u, quota == 0 ? cores : std::min(cores, quota));
}

ThreadPool::ThreadPool(unsigned threads) {
  if (threads == 0) threads = usable_cores();
  for (unsigned i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::parallel_for(size_t count, size_t grain, const Body& body) {
  if (count == 0) return;
  grain = std::max<size_t>(grain, 1);
  if (workers_.empty() || count <= grain) {
    for (size_t at = 0; at < count; at += grain) body(at, std::min(count, at + grain), 0);
    return;
  }
  const uint64_t before = state_.load();
  NIBBLE_CHECK((before & (kOpen | kInside)) == 0);
  body_ = &body;
  count_ = count;
  grain_ = grain;
  error_ = nullptr;
  failed_ = false;
  next_ = 0;
  state_ = before + kNextLoop + kOpen;
  if (sleeping_.load() > 0) {
    std::lock_guard lock(mutex_);
    wake_.notify_all();
  }
  run_pieces(0);
  // Every piece has been handed out. Only those inside are waited for: a worker that has no core
  // now (another process has it) finds the loop closed when it gets one.
  state_.fetch_and(~kOpen);
  for (int spins = 0; (state_.load(std::memory_order_acquire) & kInside) != 0; ++spins) {
    if (spins < kSpins)
      relax();
    else
      std::this_thread::yield();
  }
  if (failed_) std::rethrow_exception(error_);
}

void ThreadPool::run_pieces(unsigned thread) {
  while (!failed_.load(std::memory_order_relaxed)) {
    const size_t begin = next_.fetch_add(grain_);
    if (begin >= count_) return;
    try {
      (*body_)(begin, std::min(count_, begin + grain_), thread);
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
  }
}

// True when this thread got into the open loop before it closed.
bool ThreadPool::enter(uint64_t state) {
  while ((state & kOpen) != 0) {
    if (state_.compare_exchange_weak(state, state + 1)) return true;
  }
  return false;
}

void ThreadPool::work(unsigned thread) {
  uint64_t seen = 0;  // the last loop this thread took part in, or missed
  const auto loop = [this] { return state_.load(std::memory_order_acquire) / kNextLoop; };
  for (;;) {
    for (int spins = 0; loop() == seen && spins < kSpins; ++spins) relax();
    if (loop() == seen) {
      std::unique_lock lock(mutex_);
      sleeping_.fetch_add(1);
      wake_.wait(lock, [&] { return loop() != seen || stop_; });
      sleeping_.fetch_sub(1);
      if (stop_) return;
    }
    const uint64_t state = state_.load();
    seen = state / kNextLoop;
    if (!enter(state)) continue;
    run_pieces(thread);
    state_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace nibble
