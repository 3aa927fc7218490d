#include "io/container.h"

namespace nibble {

uint64_t TensorInfo::elements() const {
  uint64_t product = 1;
  for (const uint64_t dimension : shape) product *= dimension;
  return product;
}

uint64_t TensorInfo::row_size() const { return shape.empty() ? 1 : shape.back(); }

uint64_t TensorInfo::rows() const {
  const uint64_t size = row_size();
  return size == 0 ? 0 : elements() / size;
}

uint64_t TensorInfo::bytes() const { return format->bytes_for(elements()); }

uint64_t Reader::total_bytes() const {
  uint64_t sum = 0;
  for (const auto& tensor : tensors()) sum += tensor.bytes();
  return sum;
}

}  // namespace nibble
