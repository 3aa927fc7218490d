#include "model/kv_cache.h"

#include <new>

#include "base/checked.h"
#include "base/error.h"

namespace nibble {

KvCache::KvCache(const Hyperparameters& h, size_t capacity, KvType type)
    : type_(type), capacity_(capacity) {
  row_bytes_ = h.kv_heads * h.head_dim * (type == KvType::kF16 ? 2 : 4);
  const bool fits =
      checked_mul(row_bytes_, capacity, &bytes_) && checked_mul(bytes_, 2 * h.layers, &bytes_);
  if (fits) data_.reset(new (std::nothrow) std::byte[bytes_]);
  if (data_ == nullptr) {
    throw out_of_resources("no memory for the keys and values of {} positions", capacity)
        .hint("ask for a shorter --context");
  }
}

void KvCache::truncate(size_t length) {
  NIBBLE_CHECK(length <= length_);
  length_ = length;
}

std::byte* KvCache::plane(size_t layer, bool values) const {
  return data_.get() + (2 * layer + values) * capacity_ * row_bytes_;
}

KvView KvCache::layer(size_t index) const {
  return {type_, plane(index, false), plane(index, true)};
}

void KvCache::store(size_t layer, MatView<const float> keys, MatView<const float> values) {
  NIBBLE_CHECK(length_ + keys.rows <= capacity_);
  store_kv(keys, type_, plane(layer, false), length_);
  store_kv(values, type_, plane(layer, true), length_);
}

void KvCache::advance(size_t tokens) {
  NIBBLE_CHECK(length_ + tokens <= capacity_);
  length_ += tokens;
}

}  // namespace nibble
