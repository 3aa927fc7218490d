#include "kernels/matmul.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "kernels/activations.h"

namespace nibble {
namespace {

// Weights unpacked at a time by one thread: rows of a panel times these columns stay in its L2
// cache while all inputs pass by.
constexpr size_t kI8Depth = 1024;
constexpr size_t kF32Depth = 256;
// Rows one thread takes at a time in the GEMMs; several panels, so that a panel of inputs is read
// from the L1 cache more than once.
constexpr size_t kGemmRows = 64;
// Bytes of weights one thread takes at a time for dot products: enough to stream, few enough to
// share out evenly. Anything smaller is not worth waking a thread.
constexpr size_t kStreamBytes = 64 << 10;

const FormatKernels* kernels_of(const IsaKernels& isa, const Format& format) {
  for (size_t i = 0; i < isa.format_count; ++i) {
    if (isa.formats[i].format == &format) return &isa.formats[i];
  }
  return nullptr;
}

// Everything one product needs, so that the regimes have the same arguments.
struct Product {
  const WeightMatrix& w;
  Activations::State& x;
  MatView<float> y;
  const float* bias;
  const IsaKernels& isa;
  const FormatKernels* kernels;  // nullptr: only decode() knows the format

  size_t tokens() const { return x.x.rows; }
  const std::byte* row(size_t r) const { return w.data + r * w.row_bytes(); }
  const float* bias_from(size_t r) const { return bias == nullptr ? nullptr : bias + r; }
};

const uint8_t* bytes(const std::byte* p) { return reinterpret_cast<const uint8_t*>(p); }

// Memory of this thread that lives as long as it does; one per type and purpose.
template <typename T, int kPurpose>
T* thread_scratch(size_t count) {
  thread_local Scratch<T> scratch;
  return scratch.reserve(count);
}

void decode(const Product& p, const std::byte* from, size_t n, float* out) {
  if (p.kernels != nullptr && p.kernels->decode != nullptr)
    p.kernels->decode(bytes(from), n, out);
  else
    p.w.format->decode(from, n, out);
}

// ---- few columns ----

size_t rows_to_stream(const Product& p) {
  return std::max<size_t>(1, kStreamBytes / std::max<size_t>(1, p.w.row_bytes()));
}

void few_columns_i8(const Product& p, ThreadPool& pool) {
  const QuantizedColumns x = p.x.quantized_columns(p.isa, pool);
  pool.parallel_for(p.w.rows, rows_to_stream(p), [&](size_t begin, size_t end, unsigned) {
    p.kernels->dot_i8({bytes(p.row(begin)), p.w.row_bytes(), end - begin, p.x.blocks(), x,
                       p.tokens(), p.bias_from(begin), p.y.data + begin, p.y.stride});
  });
}

const FormatKernels& f32_kernels(const IsaKernels& isa) {
  const FormatKernels* kernels = kernels_of(isa, formats::f32);
  NIBBLE_CHECK(kernels != nullptr);
  return *kernels;
}

void few_columns_f32(const Product& p, ThreadPool& pool) {
  const MatView<const float> x = p.x.x;
  const bool direct = p.kernels != nullptr && p.kernels->dot_f32 != nullptr;
  const auto dot = direct ? p.kernels->dot_f32 : f32_kernels(p.isa).dot_f32;
  pool.parallel_for(p.w.rows, rows_to_stream(p), [&](size_t begin, size_t end, unsigned) {
    DotF32 call{
        bytes(p.row(begin)), p.w.row_bytes(),    end - begin,      x.cols,    x.data, x.stride,
        p.tokens(),          p.bias_from(begin), p.y.data + begin, p.y.stride};
    if (direct) return dot(call);
    float* row = thread_scratch<float, 0>(x.cols);
    call.w = reinterpret_cast<const uint8_t*>(row);
    call.rows = 1;
    for (size_t r = begin; r < end; ++r) {
      decode(p, p.row(r), x.cols, row);
      call.bias = p.bias_from(r);
      call.y = p.y.data + r;
      dot(call);
    }
  });
}

// ---- many columns ----

void start_with_bias(const Product& p, size_t begin, size_t end) {
  for (size_t t = 0; t < p.tokens(); ++t) {
    float* y = p.y.row(t);
    if (p.bias == nullptr)
      std::fill(y + begin, y + end, 0.0f);
    else
      std::copy(p.bias + begin, p.bias + end, y + begin);
  }
}

// Runs `tile(y, stride)` on y itself, or on a copy as wide as the panel where the matrix ends
// sooner.
template <typename Tile>
void on_whole_panel(const Product& p, size_t row, size_t width, size_t first_token, size_t tokens,
                    const Tile& tile) {
  float* y = p.y.row(first_token) + row;
  const size_t present = std::min(width, p.w.rows - row);
  if (present == width) return tile(y, p.y.stride);
  float* copy = thread_scratch<float, 1>(width * tokens);
  for (size_t t = 0; t < tokens; ++t) {
    std::memcpy(copy + t * width, y + t * p.y.stride, present * sizeof(float));
    std::fill(copy + t * width + present, copy + (t + 1) * width, 0.0f);
  }
  tile(copy, width);
  for (size_t t = 0; t < tokens; ++t) {
    std::memcpy(y + t * p.y.stride, copy + t * width, present * sizeof(float));
  }
}

size_t panels_in(size_t rows, size_t width) { return (rows + width - 1) / width; }

void gemm_rows_i8(const Product& p, const Activations::State::I8Panels& x, size_t begin,
                  size_t end) {
  const size_t height = p.isa.gemm_i8_rows, width = p.isa.gemm_i8_tokens, blocks = p.x.blocks();
  const size_t depth = std::min(blocks, kI8Depth / kBlock);
  const size_t padded = panels_in(end - begin, height) * height;
  uint8_t* codes = thread_scratch<uint8_t, 2>(padded * depth * kBlock);
  float* scales = thread_scratch<float, 2>(padded * depth);
  float* mins = thread_scratch<float, 3>(padded * depth);
  for (size_t b = 0; b < blocks; b += depth) {
    const size_t n = std::min(depth, blocks - b);
    const size_t panel = height * depth;  // blocks of one unpacked panel
    for (size_t r = begin; r < end; r += height) {
      const size_t at = (r - begin) / height * panel;
      p.kernels->unpack({bytes(p.row(r) + b * p.w.format->block_bytes), p.w.row_bytes(),
                         std::min(height, end - r), n, codes + at * kBlock, scales + at,
                         mins + at});
    }
    for (size_t t = 0; t < p.tokens(); t += width) {
      const size_t tokens = std::min(width, p.tokens() - t), x_at = t * blocks + b * width;
      for (size_t r = begin; r < end; r += height) {
        const size_t at = (r - begin) / height * panel;
        on_whole_panel(p, r, height, t, tokens, [&](float* y, size_t stride) {
          p.isa.gemm_i8({codes + at * kBlock, scales + at, mins + at, p.kernels->kind,
                         p.kernels->zero_shift, x.q + x_at * kBlock, x.scales + x_at, x.sums + x_at,
                         x.minus_totals + x_at, n, tokens, y, stride});
        });
      }
    }
  }
}

void many_columns_i8(const Product& p, ThreadPool& pool) {
  const Activations::State::I8Panels x = p.x.i8_panels(p.isa, pool);
  pool.parallel_for(p.w.rows, kGemmRows, [&](size_t begin, size_t end, unsigned) {
    start_with_bias(p, begin, end);
    gemm_rows_i8(p, x, begin, end);
  });
}

// About `columns`, at least one block.
size_t whole_blocks(const Format& format, size_t columns) {
  return std::max<size_t>(1, columns / format.block_size) * format.block_size;
}

// Rows begin .. end, columns k .. k + depth of w as packed panels, `panel` floats each.
void pack_rows_f32(const Product& p, size_t begin, size_t end, size_t k, size_t depth, size_t panel,
                   float* out) {
  const size_t height = p.isa.gemm_f32_rows;
  float* rows = thread_scratch<float, 4>(height * depth);
  const size_t offset = p.w.format->bytes_for(k);
  for (size_t r = begin; r < end; r += height, out += panel) {
    const size_t n = std::min(height, end - r);
    for (size_t i = 0; i < n; ++i) decode(p, p.row(r + i) + offset, depth, rows + i * depth);
    p.isa.pack_f32(rows, depth, n, depth, out);
  }
}

void gemm_rows_f32(const Product& p, const float* x, size_t begin, size_t end) {
  const size_t height = p.isa.gemm_f32_rows, width = p.isa.gemm_f32_tokens, cols = p.w.cols;
  const size_t depth = std::min(cols, whole_blocks(*p.w.format, kF32Depth));
  const size_t panel = height * depth;
  float* w = thread_scratch<float, 5>(panels_in(end - begin, height) * panel);
  for (size_t k = 0; k < cols; k += depth) {
    const size_t n = std::min(depth, cols - k);
    pack_rows_f32(p, begin, end, k, n, panel, w);
    for (size_t t = 0; t < p.tokens(); t += width) {
      const size_t tokens = std::min(width, p.tokens() - t);
      for (size_t r = begin; r < end; r += height) {
        on_whole_panel(p, r, height, t, tokens, [&](float* y, size_t stride) {
          p.isa.gemm_f32(
              {w + (r - begin) / height * panel, x + t * cols + k * width, n, tokens, y, stride});
        });
      }
    }
  }
}

void many_columns_f32(const Product& p, ThreadPool& pool) {
  const float* x = p.x.f32_panels(p.isa, pool);
  pool.parallel_for(p.w.rows, kGemmRows, [&](size_t begin, size_t end, unsigned) {
    start_with_bias(p, begin, end);
    gemm_rows_f32(p, x, begin, end);
  });
}

}  // namespace

void matmul(const WeightMatrix& w, const Activations& activations, MatView<float> y,
            const float* bias, ThreadPool& pool) {
  Activations::State& x = activations.state();
  NIBBLE_CHECK(w.format != nullptr && w.format->decode != nullptr);
  NIBBLE_CHECK(w.cols == x.x.cols && w.cols % w.format->block_size == 0);
  NIBBLE_CHECK(y.rows == x.x.rows && y.cols == w.rows);
  if (y.rows == 0 || y.cols == 0) return;
  const IsaKernels& isa = *active_isa().kernels;
  const Product product{w, x, y, bias, isa, kernels_of(isa, *w.format)};
  const bool int8 = x.precision == ActivationPrecision::kInt8 && product.kernels != nullptr &&
                    product.kernels->dot_i8 != nullptr;
  const bool many = y.rows > (int8 ? isa.few_columns_i8 : isa.few_columns_f32);
  if (int8)
    (many ? many_columns_i8 : few_columns_i8)(product, pool);
  else
    (many ? many_columns_f32 : few_columns_f32)(product, pool);
}

}  // namespace nibble
