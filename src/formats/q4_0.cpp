#include "formats/q4_0.h"

#include "formats/block32.h"
#include "formats/weighted_fit.h"

namespace nibble {
namespace {

constexpr SymmetricSearch kSearch = {
    .top = 15, .zero = 8, .first = 7.0f, .step = 0.1f, .trials_per_sign = 24, .both_signs = true};

void fit(const float* x, const float* importance, BlockGrid& grid) {
  block32::set_scale(block32::signed_extreme(x) / -8.0f, grid);
  grid.min[0] = grid.origin[0] = 0;
  if (importance != nullptr) improve(kSearch, x, importance, grid);
}

int round_weight(const BlockGrid& grid, int, float x) {
  return block32::truncate_within(x * grid.inverse[0] + 8.5f, 15.0f);
}

float value(const BlockGrid& grid, int, int code) { return float(code - 8) * grid.scale[0]; }

void pack(const BlockGrid& grid, const uint8_t* codes, std::byte* out) {
  auto& block = *reinterpret_cast<BlockQ4_0*>(out);
  block.d = grid.d;
  block32::pack_nibbles(codes, block.nibbles);
}

void decode(const std::byte* in, size_t n, float* out) {
  const auto* block = reinterpret_cast<const BlockQ4_0*>(in);
  for (const float* end = out + n; out != end; out += 32, ++block) {
    block32::Codes codes;
    block32::unpack_nibbles(block->nibbles, codes.data());
    const float d = f16_to_f32(block->d);
    for (int j = 0; j < 32; ++j) out[j] = float(codes[j] - 8) * d;
  }
}

constexpr BlockCodec kCodec = {
    .group_size = 32, .codes = 16, .fit = fit, .round = round_weight, .value = value, .pack = pack};

}  // namespace

const Format formats::q4_0 = {
    .name = "Q4_0",
    .gguf_id = 2,
    .safetensors_name = "",
    .block_size = 32,
    .block_bytes = sizeof(BlockQ4_0),
    .codec = &kCodec,
    .decode = decode,
    .encode = block32::encode<fit, round_weight, pack, sizeof(BlockQ4_0)>};

}  // namespace nibble
