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

namespace {

size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

// One token in int8 as the instruction set rounds it, before it finds its place in a panel.
class Quantized {
 public:
  Quantized(const IsaKernels& isa, const float* x, size_t blocks) {
    thread_local Scratch<int8_t> q_memory;
    thread_local Scratch<float> scale_memory;
    thread_local Scratch<int32_t> total_memory;
    q = q_memory.reserve(blocks * kBlock);
    scales = scale_memory.reserve(blocks);
    totals = total_memory.reserve(blocks);
    isa.quantize(x, blocks, q, scales, totals);
  }
  float sum(size_t block) const { return scales[block] * float(totals[block]); }

  int8_t* q;
  float* scales;
  int32_t* totals;
};

}  // namespace

QuantizedColumns Activations::State::quantized_columns(const IsaKernels& isa, ThreadPool& pool) {
  if (columns_for_ != &isa) {
    NIBBLE_CHECK(x.cols % kBlock == 0);
    const size_t padded = ceil_div(blocks(), kGroup) * kGroup;
    int8_t* q = columns_.reserve(x.rows * x.cols);
    float* scales = column_scales_.reserve(x.rows * padded);
    float* sums = column_sums_.reserve(x.rows * padded);
    std::fill_n(scales, x.rows * padded, 0.0f);
    std::fill_n(sums, x.rows * padded, 0.0f);
    pool.parallel_for(x.rows, 8, [&](size_t begin, size_t end, unsigned) {
      for (size_t t = begin; t < end; ++t) {
        const Quantized token(isa, x.row(t), blocks());
        const size_t first = t / isa.dot_columns * isa.dot_columns;
        const size_t width = std::min(isa.dot_columns, x.rows - first);
        for (size_t b = 0; b < blocks(); ++b) {
          const size_t word = first * blocks() + b * width + t - first;
          std::memcpy(q + word * kBlock, token.q + b * kBlock, kBlock);
          const size_t group = first * padded + (b / kGroup * width + t - first) * kGroup;
          scales[group + b % kGroup] = token.scales[b];
          sums[group + b % kGroup] = token.sum(b);
        }
      }
    });
    columns_for_ = &isa;
  }
  return {columns_.data(), column_scales_.data(), column_sums_.data()};
}

Activations::State::I8Panels Activations::State::i8_panels(const IsaKernels& isa,
                                                           ThreadPool& pool) {
  if (i8_panels_for_ != &isa) {
    NIBBLE_CHECK(x.cols % kBlock == 0);
    const size_t width = isa.gemm_i8_tokens, panels = ceil_div(x.rows, width);
    int8_t* q = panels_.reserve(panels * width * x.cols);
    float* scales = panel_scales_.reserve(panels * width * blocks());
    float* sums = panel_sums_.reserve(panels * width * blocks());
    int32_t* minus_totals = minus_totals_.reserve(panels * width * blocks());
    pool.parallel_for(panels, 4, [&](size_t begin, size_t end, unsigned) {
      for (size_t t = begin * width; t < std::min(end * width, x.rows); ++t) {
        const Quantized token(isa, x.row(t), blocks());
        const size_t first = t / width * width, place = t - first;
        for (size_t word = 0; word < x.cols / 4; ++word) {
          std::memcpy(q + first * x.cols + (word * width + place) * 4, token.q + word * 4, 4);
        }
        for (size_t b = 0; b < blocks(); ++b) {
          scales[first * blocks() + b * width + place] = token.scales[b];
          sums[first * blocks() + b * width + place] = token.sum(b);
          minus_totals[first * blocks() + b * width + place] = -token.totals[b];
        }
      }
    });
    i8_panels_for_ = &isa;
  }
  return {panels_.data(), panel_scales_.data(), panel_sums_.data(), minus_totals_.data()};
}

const float* Activations::State::f32_panels(const IsaKernels& isa, ThreadPool& pool) {
  if (f32_panels_for_ != &isa) {
    const size_t width = isa.gemm_f32_tokens, panels = ceil_div(x.rows, width);
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
