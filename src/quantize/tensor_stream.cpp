#include "quantize/tensor_stream.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/interrupt.h"

namespace nibble {
namespace {

constexpr size_t kChunkBytes = 8u << 20;
constexpr size_t kBuffers = 3;

}  // namespace

WriteQueue::WriteQueue(Writer& writer) : writer_(writer), free_(kBuffers) {
  thread_ = std::thread([this] { run(); });
}

WriteQueue::~WriteQueue() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WriteQueue::rethrow_locked() {
  if (error_) std::rethrow_exception(error_);
}

std::vector<std::byte> WriteQueue::take_buffer() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !free_.empty() || error_; });
  rethrow_locked();
  std::vector<std::byte> buffer = std::move(free_.back());
  free_.pop_back();
  return buffer;
}

void WriteQueue::push(std::vector<std::byte> filled) {
  {
    std::lock_guard lock(mutex_);
    rethrow_locked();
    filled_.push_back(std::move(filled));
  }
  changed_.notify_all();
}

void WriteQueue::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return (filled_.empty() && !writing_) || error_; });
  rethrow_locked();
}

void WriteQueue::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stop_ || (!filled_.empty() && !error_); });
    if (stop_) return;
    std::vector<std::byte> buffer = std::move(filled_.front());
    filled_.pop_front();
    writing_ = true;
    lock.unlock();
    std::exception_ptr error;
    try {
      writer_.append(buffer);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    writing_ = false;
    if (error) error_ = error;
    free_.push_back(std::move(buffer));
    changed_.notify_all();
  }
}

void stream_tensor(const CheckpointTensor& tensor, const Format& to, const Method& method,
                   const RowOrderFunction& source_row, ThreadPool& pool, WriteQueue& queue,
                   Progress& progress) {
  const Format& from = *tensor.info.format;
  // The elements of a vector are rows of one, so that a bias follows the order of its matrix.
  const bool vector = tensor.info.shape.size() < 2;
  const size_t rows = vector ? tensor.info.elements() : tensor.info.rows();
  const size_t cols = vector ? 1 : tensor.info.row_size();
  NIBBLE_CHECK(cols % from.block_size == 0 && cols % to.block_size == 0);
  const size_t from_bytes = from.bytes_for(cols), to_bytes = to.bytes_for(cols);
  const size_t rows_per_chunk =
      std::clamp<size_t>(kChunkBytes / std::max<size_t>(to_bytes, 1), 1, rows);
  std::vector<std::vector<float>> scratch(pool.size(), std::vector<float>(&from == &to ? 0 : cols));

  const auto convert_row = [&](size_t r, std::byte* out, float* values) {
    const uint64_t source = source_row ? source_row(r) : r;
    const std::byte* stored = tensor.bytes.data() + source * from_bytes;
    if (&from == &to) {
      std::memcpy(out, stored, to_bytes);
      return;
    }
    from.decode(stored, cols, values);
    size_t bad = 0;
    if (!all_finite(values, cols, &bad)) {
      throw bad_input("{} at row {}, column {}", values[bad], source, bad)
          .at(tensor.info.name)
          .hint("the model is damaged, or its numbers overflowed when it was saved");
    }
    method.quantize_rows(MatView<const float>(values, 1, cols), to, out);
  };

  for (size_t first = 0; first < rows; first += rows_per_chunk) {
    check_interrupt();
    const size_t n = std::min(rows_per_chunk, rows - first);
    std::vector<std::byte> buffer = queue.take_buffer();
    buffer.resize(n * to_bytes);
    const size_t grain = std::max<size_t>(1, (64u << 10) / std::max<size_t>(cols, 1));
    pool.parallel_for(n, grain, [&](size_t begin, size_t end, unsigned thread) {
      for (size_t r = begin; r < end; ++r) {
        convert_row(first + r, buffer.data() + r * to_bytes, scratch[thread].data());
      }
    });
    queue.push(std::move(buffer));
    progress.advance(n * from_bytes, tensor.name);
  }
}

}  // namespace nibble
