#pragma once

#include <cstdint>

namespace nibble {

// Q8_0: 32 weights in 34 bytes, 8.5 bits per weight; weight j is d * q[j].
//
//     byte   0  1 | 2    3    ...  33
//            d    | q[0] q[1] ...  q[31]
//            f16  | int8
#pragma pack(push, 1)
struct BlockQ8_0 {
  uint16_t d;
  int8_t q[32];
};
#pragma pack(pop)
static_assert(sizeof(BlockQ8_0) == 34 && alignof(BlockQ8_0) == 1);

}  // namespace nibble
