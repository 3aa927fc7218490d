#pragma once

#include "kernels/isa_kernels.h"

// Loops that do nothing but keep one unit of the machine busy, for machine_limits.

namespace nibble::NIBBLE_ISA_NAMESPACE {
namespace {

constexpr size_t kPeakSteps = 64;  // products per chain and round

// Enough independent chains to hide the latency of two multipliers, few enough for 16 registers.
constexpr int kChains = 10;

double peak_f32(size_t rounds) {
  F sums[kChains];
  for (F& sum : sums) sum = set(0);
  volatile float one = 1;  // so that nothing is computed at compile time
  const F a = set(one), b = set(one * 0.5f);
  for (size_t i = 0; i < rounds * kPeakSteps; ++i) {
    NIBBLE_UNROLL
    for (int c = 0; c < kChains; ++c) sums[c] = fma(a, b, sums[c]);
  }
  F all = set(0);
  for (F sum : sums) all = add(all, sum);
  one = reduce_add(all);
  return 2.0 * kLanes * kChains * kPeakSteps * double(rounds);
}

double peak_i8(size_t rounds) {
  // Read anew in every step and different for every chain, or compilers compute it once for all.
  constexpr size_t kVaried = 8;
  uint8_t codes[kVaried * kLanes * 4];
  int8_t inputs[kChains * 4];
  for (size_t i = 0; i < sizeof codes; ++i) codes[i] = uint8_t(i % 3);
  for (size_t i = 0; i < sizeof inputs; ++i) inputs[i] = int8_t(i * (rounds + 7) % 101);
  I sums[kChains];
  Inputs x[kChains];
  for (int c = 0; c < kChains; ++c) {
    sums[c] = zero_i();
    x[c] = broadcast_inputs(inputs + 4 * c);
  }
  for (size_t i = 0; i < rounds * kPeakSteps; ++i) {
    const Codes w = load_codes(codes + i % kVaried * kLanes * 4);
    NIBBLE_UNROLL
    for (int c = 0; c < kChains; ++c) sums[c] = dot4<false>(sums[c], w, x[c]);
  }
  F all = set(0);
  for (I sum : sums) all = add(all, to_float(sum));
  volatile float keep = reduce_add(all);
  return 8.0 * kLanes * kChains * kPeakSteps * double(rounds) + 0 * keep;
}

// Reads every cache line of `bytes` (a multiple of 64 * streams) in `streams` places at once.
uint64_t read_lines(const uint8_t* data, size_t bytes, size_t streams) {
  const size_t part = bytes / streams / 64 * 64;
  uint64_t sum = 0;
  for (size_t i = 0; i < part; i += 64) {
    for (size_t s = 0; s < streams; ++s) {
      uint64_t words[8];
      std::memcpy(words, data + s * part + i, sizeof words);
      for (uint64_t word : words) sum += word;
    }
  }
  return sum;
}

}  // namespace
}  // namespace nibble::NIBBLE_ISA_NAMESPACE
