#pragma once

#include "kernels/isa.h"
#include "kernels/isa_kernels.h"
#include "kernels/matmul.h"
#include "kernels/scratch.h"

namespace nibble {

// The inputs of matmul in the shapes the kernels want, each made once, when first asked for.
struct Activations::State {
  MatView<const float> x;
  ActivationPrecision precision = ActivationPrecision::kF32;

  size_t blocks() const { return x.cols / kBlock; }

  // int8, row after row, for dot products.
  QuantizedRows quantized_rows(const IsaKernels& isa, ThreadPool& pool);

  // int8 and f32 panels of the inputs for the GEMMs, laid out as isa_kernels.h draws them; panel p
  // holds tokens p * gemm_*_tokens and on.
  struct I8Panels {
    const int8_t* q;
    const float* scales;
    const float* sums;
  };
  I8Panels i8_panels(const IsaKernels& isa, ThreadPool& pool);
  const float* f32_panels(const IsaKernels& isa, ThreadPool& pool);

  void forget() { rows_for_ = i8_panels_for_ = f32_panels_for_ = nullptr; }

 private:
  // For which instruction set each shape has been made since the last set().
  const IsaKernels* rows_for_ = nullptr;
  const IsaKernels* i8_panels_for_ = nullptr;
  const IsaKernels* f32_panels_for_ = nullptr;
  Scratch<int8_t> rows_, panels_;
  Scratch<float> row_scales_, row_sums_, panel_scales_, panel_sums_, f32_panels_;
};

}  // namespace nibble
