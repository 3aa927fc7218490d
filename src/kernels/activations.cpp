#include "kernels/activations.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace nibble {

Activations::Activations() : state_(std::make_unique<State>()) {}
Activations::~Activations() = default;

void Activations::set(MatView<const float> x, ActivationPrecision precision, ThreadPool&) {
  state_->x = x;
  state_->precision = precision;
  state_->forget();
}

QuantizedRows Activations::State::quantized_rows(const IsaKernels& isa, ThreadPool& pool) {
  if (rows_for_ != &isa) {
    NIBBLE_CHECK(x.cols % kBlock == 0);
    int8_t* q = rows_.reserve(x.rows * x.cols);
    float* scales = row_scales_.reserve(x.rows * blocks());
    float* sums = row_sums_.reserve(x.rows * blocks());
    pool.parallel_for(x.rows, 8, [&](size_t begin, size_t end, unsigned) {
      for (size_t t = begin; t < end; ++t) {
        isa.quantize(x.row(t), blocks(), q + t * x.cols, scales + t * blocks(),
                     sums + t * blocks());
      }
    });
    rows_for_ = &isa;
  }
  return {rows_.data(), row_scales_.data(), row_sums_.data()};
}

namespace {

size_t panels_of(size_t tokens, size_t width) { return (tokens + width - 1) / width; }

// Writes one quantized token into place `t` of a panel `width` tokens wide.
void interleave(const int8_t* q, const float* scales, const float* sums, size_t blocks,
                size_t width, size_t t, int8_t* panel, float* panel_scales, float* panel_sums) {
  for (size_t word = 0; word < blocks * kBlock / 4; ++word) {
    std::memcpy(panel + (word * width + t) * 4, q + word * 4, 4);
  }
  for (size_t b = 0; b < blocks; ++b) {
    panel_scales[b * width + t] = scales[b];
    panel_sums[b * width + t] = sums[b];
  }
}

}  // namespace

Activations::State::I8Panels Activations::State::i8_panels(const IsaKernels& isa,
                                                           ThreadPool& pool) {
  if (i8_panels_for_ != &isa) {
    const QuantizedRows rows = quantized_rows(isa, pool);
    const size_t width = isa.gemm_i8_tokens, panels = panels_of(x.rows, width);
    int8_t* q = panels_.reserve(panels * width * x.cols);
    float* scales = panel_scales_.reserve(panels * width * blocks());
    float* sums = panel_sums_.reserve(panels * width * blocks());
    pool.parallel_for(panels, 4, [&](size_t begin, size_t end, unsigned) {
      for (size_t t = begin * width; t < std::min(end * width, x.rows); ++t) {
        const size_t first = t / width * width;
        interleave(rows.q + t * x.cols, rows.scales + t * blocks(), rows.sums + t * blocks(),
                   blocks(), width, t % width, q + first * x.cols, scales + first * blocks(),
                   sums + first * blocks());
      }
    });
    i8_panels_for_ = &isa;
  }
  return {panels_.data(), panel_scales_.data(), panel_sums_.data()};
}

const float* Activations::State::f32_panels(const IsaKernels& isa, ThreadPool& pool) {
  if (f32_panels_for_ != &isa) {
    const size_t width = isa.gemm_f32_tokens, panels = panels_of(x.rows, width);
    float* out = f32_panels_.reserve(panels * width * x.cols);
    pool.parallel_for(panels, 2, [&](size_t begin, size_t end, unsigned) {
      for (size_t t = begin * width; t < std::min(end * width, x.rows); ++t) {
        const float* in = x.row(t);
        float* panel = out + t / width * width * x.cols + t % width;
        for (size_t k = 0; k < x.cols; ++k) panel[k * width] = in[k];
      }
    });
    f32_panels_for_ = &isa;
  }
  return f32_panels_.data();
}

}  // namespace nibble
