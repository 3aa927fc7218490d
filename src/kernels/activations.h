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

  // int8 for dot products.
  QuantizedColumns quantized_columns(const IsaKernels& isa, ThreadPool& pool);

  // int8 and f32 panels of the inputs for the GEMMs, laid out as isa_kernels.h draws them; panel p
  // holds tokens p * gemm_*_tokens and on.
  struct I8Panels {
    const int8_t* q;
    const float* scales;
    const float* sums;
    const int32_t* minus_totals;
  };
  I8Panels i8_panels(const IsaKernels& isa, ThreadPool& pool);
  const float* f32_panels(const IsaKernels& isa, ThreadPool& pool);

  void forget() { columns_for_ = i8_panels_for_ = f32_panels_for_ = nullptr; }

 private:
  // For which instruction set each shape has been made since the last set().
  const IsaKernels* columns_for_ = nullptr;
  const IsaKernels* i8_panels_for_ = nullptr;
  const IsaKernels* f32_panels_for_ = nullptr;
  Scratch<int8_t> columns_, panels_;
  Scratch<float> column_scales_, column_sums_, panel_scales_, panel_sums_, f32_panels_;
  Scratch<int32_t> minus_totals_;
};

}  // namespace nibble
