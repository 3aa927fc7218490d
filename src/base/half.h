#pragma once

#include <bit>
#include <cstdint>

// The 16-bit and 8-bit float types, converted bit-exactly in integer arithmetic (IEEE 754 binary16,
// bfloat16; round to nearest even). Header-only and dependency-free: the instruction-set objects of
// kernels/ include it, so everything here is `static inline`.

namespace nibble {

using f16_bits = uint16_t;
using bf16_bits = uint16_t;

static inline float f16_to_f32(f16_bits h) {
  const uint32_t sign = uint32_t(h & 0x8000u) << 16;
  const uint32_t exponent = (h >> 10) & 0x1Fu, mantissa = h & 0x3FFu;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000u | (mantissa << 13));
  if (exponent != 0)
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float subnormal = float(mantissa) * 0x1p-24f;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(subnormal));
}

static inline f16_bits f32_to_f16(float f) {
  const uint32_t x = std::bit_cast<uint32_t>(f);
  const uint32_t sign = (x >> 16) & 0x8000u, magnitude = x & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return f16_bits(sign | 0x7E00u | ((magnitude >> 13) & 0x3FFu));
  if (magnitude >= 0x477FF000u) return f16_bits(sign | 0x7C00u);  // rounds to 2^16 or more
  if (magnitude < 0x38800000u) {                                  // below 2^-14: subnormal
    if (magnitude < 0x33000000u) return f16_bits(sign);           // below 2^-25: zero
    const uint32_t shift = 126 - (magnitude >> 23);               // 14..24
    const uint32_t full = (magnitude & 0x7FFFFFu) | 0x800000u;
    const uint32_t half = 1u << (shift - 1), rest = full & ((1u << shift) - 1);
    uint32_t m = full >> shift;
    m += (rest > half) || (rest == half && (m & 1));
    return f16_bits(sign | m);
  }
  const uint32_t rounded = magnitude + 0xFFFu + ((magnitude >> 13) & 1);
  return f16_bits(sign | ((rounded - 0x38000000u) >> 13));
}

static inline float bf16_to_f32(bf16_bits h) { return std::bit_cast<float>(uint32_t(h) << 16); }

static inline bf16_bits f32_to_bf16(float f) {
  const uint32_t x = std::bit_cast<uint32_t>(f);
  if ((x & 0x7FFFFFFFu) > 0x7F800000u) return bf16_bits((x >> 16) | 0x40u);  // quiet NaN
  return bf16_bits((x + 0x7FFFu + ((x >> 16) & 1)) >> 16);
}

}  // namespace nibble
