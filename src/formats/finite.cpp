#include <bit>
#include <cstddef>
#include <cstdint>

#include "formats/format.h"

namespace nibble {
namespace {

bool finite(float v) { return (std::bit_cast<uint32_t>(v) & 0x7F800000) != 0x7F800000; }

}  // namespace

bool all_finite(const float* x, size_t n, size_t* first_bad) {
  constexpr size_t kPiece = 1024;
  for (size_t begin = 0; begin < n; begin += kPiece) {
    const size_t end = n - begin < kPiece ? n : begin + kPiece;
    uint32_t bad = 0;
    for (size_t i = begin; i < end; ++i) bad |= uint32_t(!finite(x[i]));
    if (bad == 0) continue;
    size_t i = begin;
    while (finite(x[i])) ++i;
    if (first_bad != nullptr) *first_bad = i;
    return false;
  }
  return true;
}

}  // namespace nibble
