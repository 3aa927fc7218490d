#include "kernels/ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/error.h"
#include "kernels/isa.h"
#include "kernels/isa_kernels.h"

namespace nibble {
namespace {

const IsaKernels& isa() { return *active_isa().kernels; }

// Rows per piece so that a piece is some ten thousand elements; a single row is never split.
size_t rows_per_piece(size_t cols) {
  return std::max<size_t>(1, 16384 / std::max<size_t>(1, cols));
}

template <typename A, typename B>
void check_same_shape(const MatView<A>& a, const MatView<B>& b) {
  NIBBLE_CHECK(a.rows == b.rows && a.cols == b.cols);
}

}  // namespace

void rms_norm(MatView<const float> x, const float* weight, float epsilon, MatView<float> out,
              ThreadPool& pool) {
  check_same_shape(x, out);
  pool.parallel_for(x.rows, rows_per_piece(x.cols), [&](size_t begin, size_t end, unsigned) {
    for (size_t t = begin; t < end; ++t) {
      isa().rms_norm(x.row(t), weight, epsilon, x.cols, out.row(t));
    }
  });
}

void rope(MatView<float> x, size_t heads, size_t head_dim, std::span<const int32_t> positions,
          std::span<const float> inverse_frequencies, float magnitude, RopePairs pairs,
          ThreadPool& pool) {
  const size_t half = inverse_frequencies.size();
  NIBBLE_CHECK(x.cols == heads * head_dim && positions.size() == x.rows && 2 * half <= head_dim);
  const auto rotate = pairs == RopePairs::kHalves ? isa().rope_halves : isa().rope_neighbours;
  pool.parallel_for(x.rows, rows_per_piece(x.cols), [&](size_t begin, size_t end, unsigned) {
    std::vector<float> cosine(half), sine(half);
    for (size_t t = begin; t < end; ++t) {
      // In double: an angle of a hundred thousand radians keeps seven digits of its remainder.
      for (size_t i = 0; i < half; ++i) {
        const double angle = double(positions[t]) * double(inverse_frequencies[i]);
        cosine[i] = float(std::cos(angle)) * magnitude;
        sine[i] = float(std::sin(angle)) * magnitude;
      }
      for (size_t h = 0; h < heads; ++h) {
        rotate(x.row(t) + h * head_dim, cosine.data(), sine.data(), half);
      }
    }
  });
}

void silu_multiply(MatView<const float> gate, MatView<const float> up, MatView<float> out,
                   ThreadPool& pool) {
  check_same_shape(gate, up);
  check_same_shape(gate, out);
  pool.parallel_for(gate.rows, rows_per_piece(gate.cols), [&](size_t begin, size_t end, unsigned) {
    for (size_t t = begin; t < end; ++t) {
      isa().silu_multiply(gate.row(t), up.row(t), gate.cols, out.row(t));
    }
  });
}

void add_in_place(MatView<float> x, MatView<const float> y, ThreadPool& pool) {
  check_same_shape(x, y);
  pool.parallel_for(x.rows, rows_per_piece(x.cols), [&](size_t begin, size_t end, unsigned) {
    for (size_t t = begin; t < end; ++t) isa().add(x.row(t), y.row(t), x.cols);
  });
}

void store_kv(MatView<const float> x, KvType type, void* cache, size_t first_position) {
  for (size_t t = 0; t < x.rows; ++t) {
    const size_t at = (first_position + t) * x.cols;
    if (type == KvType::kF16) {
      isa().to_f16(x.row(t), x.cols, static_cast<uint16_t*>(cache) + at);
    } else {
      std::memcpy(static_cast<float*>(cache) + at, x.row(t), x.cols * sizeof(float));
    }
  }
}

double log_softmax(std::span<float> logits) {
  if (logits.empty()) return -std::numeric_limits<double>::infinity();
  const float largest = isa().max(logits.data(), logits.size());
  const double sum = isa().sum_exp(logits.data(), logits.size(), largest);
  const double log_sum = double(largest) + std::log(sum);
  for (float& x : logits) x = float(double(x) - log_sum);
  return log_sum;
}

}  // namespace nibble
