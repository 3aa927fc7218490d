#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/thread_pool.h"
#include "base/view.h"
#include "formats/format.h"

namespace nibble {

// A weight matrix in any format, as it lies in its file. Row r starts at data + r * row_bytes().
struct WeightMatrix {
  const Format* format = nullptr;
  const std::byte* data = nullptr;
  size_t rows = 0, cols = 0;  // [outputs, inputs]; cols % format->block_size == 0
  size_t row_bytes() const { return format->bytes_for(cols); }
};

// How the inputs of a matrix product are held. Weights in F32, F16 and BF16 are always multiplied
// in f32; kInt8 concerns quantized weights: inputs are rounded to 8 bits per block of 32, with f32
// scale.
enum class ActivationPrecision { kInt8, kF32 };

// The inputs of one or several matrix products (q, k and v share theirs), quantized once on demand.
class Activations {
 public:
  Activations();
  ~Activations();
  // x: [tokens, cols]; kept by reference until the next set().
  void set(MatView<const float> x, ActivationPrecision precision, ThreadPool& pool);

  struct State;
  State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// y = x · wᵀ (+ bias). x: [tokens, w.cols] from `activations`, y: [tokens, w.rows], bias [w.rows]
// or nullptr. REQUIRES: w.format has decode. The result does not depend on the number of threads,
// and row t does not depend on how many other rows there are beyond the choice between the two
// regimes (few columns: dot products on packed weights; many: tiles unpacked for one GEMM).
void matmul(const WeightMatrix& w, const Activations& activations, MatView<float> y,
            const float* bias, ThreadPool& pool);

}  // namespace nibble
