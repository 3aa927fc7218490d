#pragma once

#include "kernels/isa_kernels.h"

// Unpacking weights into panels for the int8 GEMM, once for all instruction sets; a format Q of
// blocks_*.h says how eight of its blocks become codes, scales and mins.

namespace nibble::NIBBLE_ISA_NAMESPACE {
namespace {

struct alignas(64) UnpackedGroup {
  uint8_t codes[kLanes][kGroup * kBlock];
  float grid[kLanes][2 * kGroup];  // eight scales, then eight mins
};

// Rows to columns: codes four at a time, and the scales and mins.
inline void transpose_group(const UnpackedGroup& group, size_t blocks, uint8_t* codes,
                            float* scales, float* mins) {
  F tile[kLanes];
  const size_t words = blocks * kBlock / 4;
  for (size_t i = 0; i < words; i += kLanes) {
    for (size_t r = 0; r < kLanes; ++r) std::memcpy(&tile[r], group.codes[r] + 4 * i, sizeof(F));
    transpose(tile);
    const size_t n = words - i < kLanes ? words - i : kLanes;
    for (size_t j = 0; j < n; ++j) {
      std::memcpy(codes + (i + j) * kI8Rows * 4, &tile[j], sizeof(F));
    }
  }
  for (size_t i = 0; i < 2 * kGroup; i += kLanes) {
    for (size_t r = 0; r < kLanes; ++r) tile[r] = load(group.grid[r] + i);
    transpose(tile);
    for (size_t j = 0; j < kLanes; ++j) {
      const size_t b = (i + j) % kGroup;
      if (b < blocks) store((i + j < kGroup ? scales : mins) + b * kI8Rows, tile[j]);
    }
  }
}

template <class Q>
void unpack_panel(const UnpackPanel& c) {
  UnpackedGroup group;
  for (size_t first = 0; first < kI8Rows; first += kLanes) {
    std::memset(&group, 0, sizeof group);
    for (size_t b = 0; b < c.blocks; b += kGroup) {
      const size_t n = c.blocks - b < kGroup ? c.blocks - b : kGroup;
      for (size_t r = 0; r < kLanes && first + r < c.rows; ++r) {
        const uint8_t* w = c.w + (first + r) * c.row_bytes + b * sizeof(typename Q::Block);
        unpack_blocks<Q>(w, n, group.codes[r], group.grid[r], group.grid[r] + kGroup);
      }
      const size_t at = b * kI8Rows + first;
      transpose_group(group, n, c.codes + b * kBlock * kI8Rows + first * 4, c.scales + at,
                      c.mins + at);
    }
  }
}

}  // namespace
}  // namespace nibble::NIBBLE_ISA_NAMESPACE
