#pragma once

#include "kernels/isa_kernels.h"

// The table of one instruction set, built from the functions the other headers have made for it.

namespace nibble::formats {
extern const Format f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1;
}

namespace nibble::NIBBLE_ISA_NAMESPACE {
namespace {

template <class Q>
constexpr FormatKernels quantized(const Format& format) {
  return {&format, Q::kKind, Q::kZeroShift, dot_i8<Q>, unpack_panel<Q>, nullptr, nullptr};
}
template <class W>
constexpr FormatKernels floating(const Format& format) {
  return {&format, Codes8::kSigned, 0, nullptr, nullptr, dot_f32<W>, decode<W>};
}

constexpr FormatKernels kFormats[] = {
    quantized<Q4_0>(formats::q4_0),    quantized<Q4_1>(formats::q4_1),
    quantized<Q5_0>(formats::q5_0),    quantized<Q5_1>(formats::q5_1),
    quantized<Q8_0>(formats::q8_0),    floating<WeightF32>(formats::f32),
    floating<WeightF16>(formats::f16), floating<WeightBf16>(formats::bf16),
};

}  // namespace

extern const IsaKernels kernels;
constexpr IsaKernels kernels = {
    .formats = kFormats,
    .format_count = sizeof kFormats / sizeof kFormats[0],
    .quantize = quantize,
    .dot_columns = kDotColumns,
    .few_columns_i8 = kFewColumnsI8,
    .few_columns_f32 = kFewColumnsF32,
    .gemm_i8_rows = kI8Rows,
    .gemm_i8_tokens = kI8Tokens,
    .gemm_i8 = gemm_i8<kHasSignedCodes>,
    .gemm_f32_rows = kF32Rows,
    .gemm_f32_tokens = kF32Tokens,
    .pack_f32 = pack_f32,
    .gemm_f32 = gemm_f32,
    .rms_norm = rms_norm,
    .rope_halves = rope_halves,
    .rope_neighbours = rope_neighbours,
    .silu_multiply = silu_multiply,
    .add = add_all,
    .exp = exp_all,
    .max = max_all,
    .sum_exp = sum_exp,
    .to_f16 = to_f16,
    .attention_scratch = attention_scratch,
    .attention = attention,
    .peak_i8 = peak_i8,
    .peak_f32 = peak_f32,
    .read_lines = read_lines,
};

}  // namespace nibble::NIBBLE_ISA_NAMESPACE
