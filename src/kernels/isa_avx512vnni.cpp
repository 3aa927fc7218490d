// The kernels of AVX-512 with VNNI. Nothing but the order of these headers: each builds on those
// before it.
#define NIBBLE_ISA_NAMESPACE avx512vnni

// clang-format off
#include "kernels/simd_avx512.h"
#include "kernels/body_gemm.h"
#include "kernels/blocks_x86.h"
#include "kernels/body_unpack.h"
#include "kernels/body_float.h"
#include "kernels/body_attention.h"
#include "kernels/body_limits.h"
#include "kernels/body_table.h"
