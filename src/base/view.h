#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

namespace nibble {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// A row-major matrix somebody else owns: element (r, c) is data[r * stride + c].
template <typename T>
struct MatView {
  T* data = nullptr;
  size_t rows = 0, cols = 0;
  size_t stride = 0;  // elements from one row to the next, >= cols

  MatView() = default;
  MatView(T* d, size_t r, size_t c) : MatView(d, r, c, c) {}
  MatView(T* d, size_t r, size_t c, size_t s) : data(d), rows(r), cols(c), stride(s) {}
  // A view of constants from a view of variables.
  template <typename U>
  requires std::is_same_v<const U, T> MatView(const MatView<U>& m)
      : MatView(m.data, m.rows, m.cols, m.stride) {}

  T* row(size_t r) const { return data + r * stride; }
  T& operator()(size_t r, size_t c) const { return data[r * stride + c]; }
  MatView rows_from(size_t first, size_t count) const { return {row(first), count, cols, stride}; }
};

}  // namespace nibble
