#pragma once

#include <cstdint>

namespace nibble {

// Q5_0: 32 weights in 22 bytes, 5.5 bits per weight; weight j is d * (code[j] - 16).
//
//     byte   0  1 | 2 ... 5              | 6                 ...  21
//            d    | fifth                | code[0], code[16] ...  code[15], code[31]
//            f16  | bit j: 5th of code j | low four bits in the low, high nibble
#pragma pack(push, 1)
struct BlockQ5_0 {
  uint16_t d;
  uint8_t fifth[4];
  uint8_t nibbles[16];
};
#pragma pack(pop)
static_assert(sizeof(BlockQ5_0) == 22 && alignof(BlockQ5_0) == 1);

}  // namespace nibble
