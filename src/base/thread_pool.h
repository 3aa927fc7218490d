#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace nibble {

// A fixed team of threads that run loops together. The caller is one of the team, so a pool of one
// starts no thread. Between loops the workers spin for a few microseconds (a decoded token is some
// hundred short loops), then sleep.
class ThreadPool {
 public:
  explicit ThreadPool(unsigned threads = 0);  // 0 = one per core this process may use
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  unsigned size() const { return unsigned(workers_.size()) + 1; }

  // Runs body(begin, end, thread) over [0, count) in pieces of at most `grain`, handed out in
  // order; returns when all are done. `thread` is 0 ≤ thread < size(), for scratch memory. The
  // first exception of a body is thrown here after the loop has stopped. Which thread gets which
  // piece is not fixed: results must not depend on it. One loop at a time; a body must not start
  // another.
  using Body = std::function<void(size_t begin, size_t end, unsigned thread)>;
  void parallel_for(size_t count, size_t grain, const Body& body);

 private:
  void work(unsigned thread);
  void run_pieces(unsigned thread);
  bool enter(uint64_t state);

  // state_: which loop, whether it is open to workers, and how many of them are inside.
  static constexpr uint64_t kInside = 0xFFFF, kOpen = 0x10000, kNextLoop = 0x20000;

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<uint64_t> state_{0};
  std::atomic<unsigned> sleeping_{0};
  bool stop_ = false;  // under mutex_

  const Body* body_ = nullptr;
  size_t count_ = 0, grain_ = 1;
  std::atomic<size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;
};

// Cores this process may run on (affinity mask and cgroup quota respected).
unsigned usable_cores();

}  // namespace nibble
