#include "kernels/fixtures.h"

#include <cmath>
#include <cstring>

#include "base/half.h"

namespace nibble::test {

void IsaTest::TearDown() { set_active_isa(*isas_here().front()); }

std::vector<const Isa*> isas_here() {
  std::vector<const Isa*> here;
  for (const Isa& isa : all_isas()) {
    if (isa.runs_here()) here.push_back(&isa);
  }
  return here;
}

std::string isa_name(const testing::TestParamInfo<const Isa*>& info) {
  return std::string(info.param->name);
}

std::vector<float> normal_values(Random& random, size_t n, double size) {
  std::vector<float> values(n);
  for (float& x : values) x = float(random.normal() * size);
  return values;
}

namespace {

// d (and m where there is one) of one block; both may be negative.
void fill_halves(Random& random, std::byte* block, size_t count, Content content) {
  for (size_t i = 0; i < count; ++i) {
    float value = float(random.normal() * 0.02);
    if (content == Content::kAllMax) value = i == 0 ? 1.0f : -3.0f;
    if (content == Content::kZeros) value = 0;
    if (content == Content::kSubnormal) value = float(random.normal()) * 0x1p-22f;
    const f16_bits bits = f32_to_f16(value);
    std::memcpy(block + 2 * i, &bits, 2);
  }
}

void fill_block(Random& random, const Format& format, std::byte* block, Content content) {
  for (size_t i = 0; i < format.block_bytes; ++i) {
    block[i] = content == Content::kAllMax ? std::byte(0xFF) : std::byte(random.below(256));
  }
  const bool has_min = &format == &formats::q4_1 || &format == &formats::q5_1;
  fill_halves(random, block, has_min ? 2 : 1, content);
}

void fill_float(Random& random, const Format& format, std::byte* to, Content content) {
  double value = random.normal();
  if (content == Content::kAllMax) value = 60000;
  if (content == Content::kZeros) value = 0;
  if (content == Content::kSubnormal) value *= 0x1p-20;
  if (format.block_bytes == 8) std::memcpy(to, &value, 8);
  const float narrow = float(value);
  if (format.block_bytes == 4) std::memcpy(to, &narrow, 4);
  if (format.block_bytes != 2) return;
  const uint16_t bits = &format == &formats::f16 ? f32_to_f16(narrow) : f32_to_bf16(narrow);
  std::memcpy(to, &bits, 2);
}

}  // namespace

TestWeights make_weights(Random& random, const Format& format, size_t rows, size_t cols,
                         Content content) {
  TestWeights w{&format, rows, cols, {}, 1 + random.below(63) * 2, {}};
  w.memory.resize(w.offset + rows * format.bytes_for(cols));
  const size_t blocks = rows * cols / format.block_size;
  for (size_t b = 0; b < blocks; ++b) {
    std::byte* to = w.memory.data() + w.offset + b * format.block_bytes;
    if (format.is_quantized())
      fill_block(random, format, to, content);
    else
      fill_float(random, format, to, content);
  }
  w.values.resize(rows * cols);
  format.decode(w.memory.data() + w.offset, rows * cols, w.values.data());
  return w;
}

double block_reach(const TestWeights& w, size_t row, size_t block) {
  const size_t at = w.offset + row * w.format->bytes_for(w.cols) + block * w.format->block_bytes;
  uint16_t halves[2];
  std::memcpy(halves, w.memory.data() + at, 4);
  const double scale = std::fabs(f16_to_f32(halves[0]));
  if (w.format == &formats::q8_0) return 256 * scale;
  if (w.format == &formats::q4_0) return 16 * scale;
  if (w.format == &formats::q5_0) return 32 * scale;
  return 32 * scale + std::fabs(f16_to_f32(halves[1]));
}

}  // namespace nibble::test
