#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "arch/arch.h"
#include "kernels/ops.h"

namespace nibble {

// Keys and values of one sequence, all layers, [positions, kv_heads * head_dim] each.
class KvCache {
 public:
  KvCache(const Hyperparameters& h, size_t capacity, KvType type);

  size_t length() const { return length_; }  // positions filled
  size_t capacity() const { return capacity_; }
  uint64_t bytes() const { return bytes_; }
  void clear() { length_ = 0; }
  // Keeps the first `length` positions. REQUIRES: length <= this->length().
  void truncate(size_t length);

  KvView layer(size_t index) const;
  // Stores keys and values [tokens, kv_heads * head_dim] behind the filled positions; they count
  // once advance() is called after the last layer. REQUIRES: length() + tokens <= capacity().
  void store(size_t layer, MatView<const float> keys, MatView<const float> values);
  void advance(size_t tokens);

 private:
  std::byte* plane(size_t layer, bool values) const;

  KvType type_;
  size_t capacity_, length_ = 0, row_bytes_;
  uint64_t bytes_;
  std::unique_ptr<std::byte[]> data_;
};

}  // namespace nibble
