#pragma once

#include <cstdint>
#include <limits>

// Size arithmetic on numbers read from files: every sum and product is checked.

namespace nibble {

// Sets *out and returns true, or returns false when the result does not fit in 64 bits.
inline bool checked_add(uint64_t a, uint64_t b, uint64_t* out) {
  return !__builtin_add_overflow(a, b, out);
}
inline bool checked_mul(uint64_t a, uint64_t b, uint64_t* out) {
  return !__builtin_mul_overflow(a, b, out);
}

// The next multiple of `alignment` (a power of two) at or after `value`; false when it wraps.
inline bool checked_align(uint64_t value, uint64_t alignment, uint64_t* out) {
  if (value > std::numeric_limits<uint64_t>::max() - (alignment - 1)) return false;
  *out = (value + alignment - 1) & ~(alignment - 1);
  return true;
}

}  // namespace nibble
