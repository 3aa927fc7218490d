#include "formats/format.h"

// What containers hold beside weights nibble computes with. Their bytes go from file to file as
// they are; only their size is known here.
//
//     BOOL I8 U8           1 byte
//     I16 U16              2 bytes, little-endian
//     I32 U32              4 bytes
//     I64 U64              8 bytes
//     C64                  8 bytes: real and imaginary F32
//     F4                   2 values in 1 byte
//     F6_E2M3 F6_E3M2      4 values in 3 bytes

namespace nibble {
namespace {

constexpr int32_t kNotInGguf = -1;

constexpr Format carried(std::string_view dtype, uint32_t values, uint32_t bytes,
                         int32_t gguf_id = kNotInGguf) {
  return {.name = dtype,
          .gguf_id = gguf_id,
          .safetensors_name = dtype,
          .block_size = values,
          .block_bytes = bytes,
          .codec = nullptr,
          .decode = nullptr,
          .encode = nullptr};
}

}  // namespace

const Format formats::i8 = carried("I8", 1, 1, 24);
const Format formats::i16 = carried("I16", 1, 2, 25);
const Format formats::i32 = carried("I32", 1, 4, 26);
const Format formats::i64 = carried("I64", 1, 8, 27);
const Format formats::u8 = carried("U8", 1, 1);
const Format formats::u16 = carried("U16", 1, 2);
const Format formats::u32 = carried("U32", 1, 4);
const Format formats::u64 = carried("U64", 1, 8);
const Format formats::boolean = carried("BOOL", 1, 1);
const Format formats::c64 = carried("C64", 1, 8);
const Format formats::f4 = carried("F4", 2, 1);
const Format formats::f6_e2m3 = carried("F6_E2M3", 4, 3);
const Format formats::f6_e3m2 = carried("F6_E3M2", 4, 3);

}  // namespace nibble
