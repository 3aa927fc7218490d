#pragma once

#include <cstdint>

namespace nibble {

// Q4_0: 32 weights in 18 bytes, 4.5 bits per weight; weight j is d * (code[j] - 8).
//
//     byte   0  1 | 2                 3                 ...  17
//            d    | code[0], code[16] code[1], code[17] ...  code[15], code[31]
//            f16  | low,     high nibble
#pragma pack(push, 1)
struct BlockQ4_0 {
  uint16_t d;
  uint8_t nibbles[16];
};
#pragma pack(pop)
static_assert(sizeof(BlockQ4_0) == 18 && alignof(BlockQ4_0) == 1);

}  // namespace nibble
