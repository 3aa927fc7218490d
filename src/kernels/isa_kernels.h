#pragma once

#include <cstddef>
#include <cstdint>

// What one instruction set offers: plain functions over plain memory, no threads, no allocation.
// The instruction-set objects include this header and nothing that could put a shared inline
// function into them (scripts/check_isa_symbols.sh), so here are only structs and pointers.
//
// The vocabulary of the int8 path. Weights come in blocks of 32 as codes of one byte and a scale;
// what the codes mean depends on the format and on what the instruction set multiplies fastest
// (vpdpbusd wants the codes of Q8_0 as 0 .. 255). Inputs come in blocks of 32 with  input = x_scale
// * q, q in -127 .. 127. With x_total = Σq and x_sum = x_scale * x_total, one block adds
//     scale * x_scale * Σ(code * q)                    to Σ weight * input when codes are signed,
//     scale * x_scale * (Σ(code * q) - zero * x_total)  when they have a zero,
//     scale * x_scale * Σ(code * q) + min * x_sum       when they have a min.
enum class Codes8 {
  kSigned,    // weight = scale * code, code -128 .. 127
  kWithZero,  // weight = scale * (code - zero), code 0 .. 255
  kWithMin,   // weight = scale * code + min, code 0 .. 255
};

// Loops over register tiles must be unrolled before anything else happens to them.
#define NIBBLE_UNROLL _Pragma("GCC unroll 16")

namespace nibble {

struct Format;

inline constexpr size_t kBlock = 32;      // weights that share a scale in the int8 path
inline constexpr size_t kGroup = 8;       // blocks whose scales are handled side by side
inline constexpr size_t kMaxColumns = 8;  // inputs that dot products take at once
// Blocks of inputs that are smaller count as zeros: 127 / amax must be finite.
inline constexpr float kSmallestAmax = 1e-36f;

// Inputs rounded to int8, for dot products: in panels of `dot_columns` tokens, the last one as wide
// as there are tokens left. In a panel of T tokens, everything lies in the order it is read:
//   q      [blocks][T][32]
//   scales [blocks / 8 rounded up][T][8], zeros after the last block; sums likewise
struct QuantizedColumns {
  const int8_t* q;
  const float* scales;
  const float* sums;
};

// y[t * y_stride + r] = Σ_k w[r, k] x[t, k] + bias[r] for consecutive rows of packed weights.
struct DotI8 {
  const uint8_t* w;  // row r at w + r * row_bytes, at any alignment
  size_t row_bytes, rows, blocks;
  QuantizedColumns x;
  size_t tokens;      // 1 .. kMaxColumns
  const float* bias;  // [rows] or nullptr
  float* y;
  size_t y_stride;
};

// The same with f32 inputs, and weights that are floats of some width.
struct DotF32 {
  const uint8_t* w;
  size_t row_bytes, rows, cols;
  const float* x;  // token t at x + t * x_stride
  size_t x_stride;
  size_t tokens;  // 1 .. kMaxColumns
  const float* bias;
  float* y;
  size_t y_stride;
};

// A panel of weights unpacked for the int8 GEMM: `gemm_i8_rows` rows side by side.
//   codes  [blocks][8][gemm_i8_rows][4]   four consecutive columns of a row together
//   scales [blocks][gemm_i8_rows], mins likewise where codes come with one
struct UnpackPanel {
  const uint8_t* w;  // first row, first block
  size_t row_bytes;
  size_t rows;  // 1 .. gemm_i8_rows; the missing ones become zeros
  size_t blocks;
  uint8_t* codes;  // 64-byte aligned, as are the following
  float* scales;
  float* mins;
};

// One panel of weights times one panel of inputs, `gemm_i8_tokens` of them side by side:
//   x [blocks][8][gemm_i8_tokens][4], x_scales [blocks][gemm_i8_tokens]; x_sums and minus_totals
//   (-Σq) likewise.
// y[t * y_stride + r] gets the products, starting from what is there.
struct GemmI8 {
  const uint8_t* codes;
  const float* scales;
  const float* mins;
  Codes8 kind;
  int zero_shift;  // zero = 2^zero_shift
  const int8_t* x;
  const float* x_scales;
  const float* x_sums;
  const int32_t* minus_totals;
  size_t blocks;
  size_t tokens;  // 1 .. gemm_i8_tokens
  float* y;       // gemm_i8_rows floats per token are read and written
  size_t y_stride;
};

// w: [k][gemm_f32_rows], x: [k][gemm_f32_tokens]; y as above.
struct GemmF32 {
  const float* w;
  const float* x;
  size_t k;
  size_t tokens;  // 1 .. gemm_f32_tokens
  float* y;
  size_t y_stride;
};

// What an instruction set knows of one format. Float formats have dot_f32 and decode, quantized
// ones dot_i8 and unpack. A format without a row here is decoded and multiplied in f32.
struct FormatKernels {
  const Format* format;
  Codes8 kind;     // what unpack makes
  int zero_shift;  // zero = 2^zero_shift
  void (*dot_i8)(const DotI8& call);
  void (*unpack)(const UnpackPanel& call);
  void (*dot_f32)(const DotF32& call);
  void (*decode)(const uint8_t* w, size_t n, float* out);
};

// Softmax attention of some query rows over some positions of one KV head, see attention.cpp.
struct AttentionPiece {
  const float* q;  // row r at q + r * q_stride, [head_dim]; already scaled
  size_t q_stride, rows, head_dim;
  const void* keys;  // position p at keys + p * kv_stride elements
  const void* values;
  size_t kv_stride;
  bool f16;               // keys and values are f16, otherwise f32
  const uint32_t* first;  // [rows] positions first[r] .. last[r] - 1 are seen by row r
  const uint32_t* last;
  size_t begin, end;  // positions of this piece
  float* scratch;     // attention_scratch(rows, head_dim) floats, 64-byte aligned
  // Results: unnormalized Σ exp(s - max) v at out + r * out_stride, and per row max and Σ exp.
  float* out;  // out_stride is a multiple of 16 and >= head_dim; padding is overwritten
  size_t out_stride;
  float* maximum;  // -infinity where the row sees nothing of the piece
  float* sum;
};

struct IsaKernels {
  const FormatKernels* formats;
  size_t format_count;

  // Rounds blocks of 32 floats to int8: scale = amax / 127, nearest even. A NaN or an infinity
  // makes the scale of its block NaN, so that it is seen in the product.
  void (*quantize)(const float* x, size_t blocks, int8_t* q, float* scales, int32_t* totals);

  size_t dot_columns;  // of a panel of QuantizedColumns

  // Up to so many inputs dot products are faster than unpacking weights for a GEMM; <= kMaxColumns.
  size_t few_columns_i8, few_columns_f32;

  size_t gemm_i8_rows, gemm_i8_tokens;
  void (*gemm_i8)(const GemmI8& call);

  size_t gemm_f32_rows, gemm_f32_tokens;
  // w: `rows` rows of k floats, w_stride apart -> out [k][gemm_f32_rows], zeros for missing rows.
  void (*pack_f32)(const float* w, size_t w_stride, size_t rows, size_t k, float* out);
  void (*gemm_f32)(const GemmF32& call);

  void (*rms_norm)(const float* x, const float* weight, float epsilon, size_t n, float* out);
  // Rotates pairs (x[i * step], x[i * step + distance]) by the angle with cosine[i], sine[i].
  void (*rope_halves)(float* x, const float* cosine, const float* sine, size_t pairs);
  void (*rope_neighbours)(float* x, const float* cosine, const float* sine, size_t pairs);
  void (*silu_multiply)(const float* gate, const float* up, size_t n, float* out);
  void (*add)(float* x, const float* y, size_t n);
  void (*exp)(const float* x, size_t n, float* out);
  float (*max)(const float* x, size_t n);
  double (*sum_exp)(const float* x, size_t n, float shift);  // Σ exp(x - shift), added in double
  void (*to_f16)(const float* x, size_t n, uint16_t* out);

  size_t (*attention_scratch)(size_t rows, size_t head_dim);
  void (*attention)(const AttentionPiece& piece);

  // For machine_limits: operations done (a multiply-add is two) by `rounds` of a loop that keeps
  // every multiplier busy, and one pass over memory that reads every cache line.
  double (*peak_i8)(size_t rounds);
  double (*peak_f32)(size_t rounds);
  uint64_t (*read_lines)(const uint8_t* data, size_t bytes, size_t streams);
};

}  // namespace nibble
