#pragma once

#include <cstdint>

namespace nibble {

// Q4_1: 32 weights in 20 bytes, 5 bits per weight; weight j is d * code[j] + m.
//
//     byte   0  1 | 2  3 | 4                 5                 ...  19
//            d    | m    | code[0], code[16] code[1], code[17] ...  code[15], code[31]
//            f16  | f16  | low,     high nibble
#pragma pack(push, 1)
struct BlockQ4_1 {
  uint16_t d, m;
  uint8_t nibbles[16];
};
#pragma pack(pop)
static_assert(sizeof(BlockQ4_1) == 20 && alignof(BlockQ4_1) == 1);

}  // namespace nibble
