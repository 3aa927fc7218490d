#pragma once

#include <cstdint>

namespace nibble {

// Q5_1: 32 weights in 24 bytes, 6 bits per weight; weight j is d * code[j] + m.
//
//     byte   0  1 | 2  3 | 4 ... 7              | 8                 ...  23
//            d    | m    | fifth                | code[0], code[16] ...  code[15], code[31]
//            f16  | f16  | bit j: 5th of code j | low four bits in the low, high nibble
#pragma pack(push, 1)
struct BlockQ5_1 {
  uint16_t d, m;
  uint8_t fifth[4];
  uint8_t nibbles[16];
};
#pragma pack(pop)
static_assert(sizeof(BlockQ5_1) == 24 && alignof(BlockQ5_1) == 1);

}  // namespace nibble
