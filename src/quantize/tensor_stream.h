#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "io/container.h"
#include "methods/method.h"
#include "model/checkpoint.h"

namespace nibble {

// Hands chunks of bytes to a Writer on a thread of its own, in order, while the next chunk is
// computed. A few buffers go round, so memory is bounded; an error of the writer reaches the
// computing side at its next call.
class WriteQueue {
 public:
  explicit WriteQueue(Writer& writer);
  ~WriteQueue();  // drops what is not yet written

  // An empty buffer to fill; waits until one is free.
  std::vector<std::byte> take_buffer();
  void push(std::vector<std::byte> filled);
  // Returns when everything is written; throws what the writer threw.
  void drain();

 private:
  void run();
  void rethrow_locked();

  Writer& writer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<std::byte>> filled_;
  std::vector<std::vector<std::byte>> free_;
  bool writing_ = false, stop_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

// Where the row that is written as row r lies in the source; empty = at r.
using RowOrderFunction = std::function<uint64_t(uint64_t r)>;

// One tensor from its stored format into `to`: rows decoded, quantized by `method` and queued in
// chunks of a few MiB. Rows that already are in `to` are passed on as they are.
// Throws Error(kBadInput) on NaN and infinity, naming row and column.
void stream_tensor(const CheckpointTensor& tensor, const Format& to, const Method& method,
                   const RowOrderFunction& source_row, ThreadPool& pool, WriteQueue& queue,
                   Progress& progress);

}  // namespace nibble
