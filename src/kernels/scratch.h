#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace nibble {

// Memory of one cache line's alignment that only grows and holds nothing between uses.
template <typename T>
class Scratch {
 public:
  // At least `count` elements; what was there before is lost when it has to grow.
  T* reserve(size_t count) {
    if (count > capacity_) {
      memory_.reset();
      capacity_ = 0;
      const size_t bytes = (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
      memory_.reset(static_cast<T*>(std::aligned_alloc(kAlignment, bytes)));
      if (memory_ == nullptr) throw std::bad_alloc();
      capacity_ = count;
    }
    return memory_.get();
  }
  T* data() const { return memory_.get(); }

 private:
  static constexpr size_t kAlignment = 64;
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T, Free> memory_;
  size_t capacity_ = 0;
};

}  // namespace nibble
