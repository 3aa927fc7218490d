// The kernels of plain C++. Nothing but the order of these headers: each builds on those before it.
#define NIBBLE_ISA_NAMESPACE scalar

// clang-format off
#include "kernels/simd_scalar.h"
#include "kernels/body_gemm.h"
#include "kernels/blocks_scalar.h"
#include "kernels/body_unpack.h"
#include "kernels/body_float.h"
#include "kernels/body_attention.h"
#include "kernels/body_limits.h"
#include "kernels/body_table.h"
