#include "formats/q8_0.h"

#include <cmath>

#include "formats/block32.h"
#include "formats/weighted_fit.h"

// Codes are level + 128. Rounding never yields level -128, which has no positive twin; files of
// others may hold it, and it decodes.

namespace nibble {
namespace {

constexpr SymmetricSearch kSearch = {.top = 254,
                                     .zero = 127,
                                     .first = 126.6f,
                                     .step = 0.2f,
                                     .trials_per_sign = 16,
                                     .both_signs = false};

void fit(const float* x, const float* importance, BlockGrid& grid) {
  const auto [lowest, highest] = block32::extent(x);
  const float magnitude = std::fabs(highest > -lowest ? highest : lowest);
  block32::set_scale(magnitude / 127.0f, grid);
  grid.min[0] = grid.origin[0] = 0;
  if (importance != nullptr) improve(kSearch, x, importance, grid);
}

// Halves go away from zero. The fraction is exact, where adding 0.5 before truncating would not be.
int round_weight(const BlockGrid& grid, int, float x) {
  float level = x * grid.inverse[0];
  level = level > -127.0f ? level : -127.0f;
  level = level < 127.0f ? level : 127.0f;
  const int whole = int(level);
  const float fraction = level - float(whole);
  return whole + int(fraction >= 0.5f) - int(fraction <= -0.5f) + 128;
}

float value(const BlockGrid& grid, int, int code) { return float(code - 128) * grid.scale[0]; }

void pack(const BlockGrid& grid, const uint8_t* codes, std::byte* out) {
  auto& block = *reinterpret_cast<BlockQ8_0*>(out);
  block.d = grid.d;
  for (int j = 0; j < 32; ++j) block.q[j] = int8_t(codes[j] - 128);
}

void decode(const std::byte* in, size_t n, float* out) {
  const auto* block = reinterpret_cast<const BlockQ8_0*>(in);
  for (const float* end = out + n; out != end; out += 32, ++block) {
    const float d = f16_to_f32(block->d);
    for (int j = 0; j < 32; ++j) out[j] = float(block->q[j]) * d;
  }
}

constexpr BlockCodec kCodec = {.group_size = 32,
                               .codes = 256,
                               .fit = fit,
                               .round = round_weight,
                               .value = value,
                               .pack = pack};

}  // namespace

const Format formats::q8_0 = {
    .name = "Q8_0",
    .gguf_id = 8,
    .safetensors_name = "",
    .block_size = 32,
    .block_bytes = sizeof(BlockQ8_0),
    .codec = &kCodec,
    .decode = decode,
    .encode = block32::encode<fit, round_weight, pack, sizeof(BlockQ8_0)>};

}  // namespace nibble
