#include "formats/q5_1.h"

#include "formats/block32.h"
#include "formats/weighted_fit.h"

namespace nibble {
namespace {

constexpr AffineSearch kSearch = {.top = 31, .first = -1.2f, .step = 0.4f, .trials_per_end = 8};

void fit(const float* x, const float* importance, BlockGrid& grid) {
  const auto [lowest, highest] = block32::extent(x);
  block32::set_scale((highest - lowest) / 31.0f, grid);
  block32::set_minimum(block32::first_lowest(x, lowest), grid);
  if (importance != nullptr) improve(kSearch, x, importance, grid);
}

int round_weight(const BlockGrid& grid, int, float x) {
  return block32::truncate_within((x - grid.origin[0]) * grid.inverse[0] + 0.5f, 31.0f);
}

float value(const BlockGrid& grid, int, int code) {
  return float(code) * grid.scale[0] - grid.min[0];
}

void pack(const BlockGrid& grid, const uint8_t* codes, std::byte* out) {
  auto& block = *reinterpret_cast<BlockQ5_1*>(out);
  block.d = grid.d;
  block.m = grid.dmin;
  block32::pack_fifth_bits(codes, block.fifth);
  block32::pack_nibbles(codes, block.nibbles);
}

void decode(const std::byte* in, size_t n, float* out) {
  const auto* block = reinterpret_cast<const BlockQ5_1*>(in);
  for (const float* end = out + n; out != end; out += 32, ++block) {
    block32::Codes codes;
    block32::unpack_nibbles(block->nibbles, codes.data());
    block32::unpack_fifth_bits(block->fifth, codes.data());
    const float d = f16_to_f32(block->d), m = f16_to_f32(block->m);
    for (int j = 0; j < 32; ++j) out[j] = float(codes[j]) * d + m;
  }
}

constexpr BlockCodec kCodec = {
    .group_size = 32, .codes = 32, .fit = fit, .round = round_weight, .value = value, .pack = pack};

}  // namespace

const Format formats::q5_1 = {
    .name = "Q5_1",
    .gguf_id = 7,
    .safetensors_name = "",
    .block_size = 32,
    .block_bytes = sizeof(BlockQ5_1),
    .codec = &kCodec,
    .decode = decode,
    .encode = block32::encode<fit, round_weight, pack, sizeof(BlockQ5_1)>};

}  // namespace nibble
