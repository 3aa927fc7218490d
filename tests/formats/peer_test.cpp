#include <bit>
#include <cctype>
#include <cmath>
#include <cstring>
#include <string>

#include "base/random.h"
#include "samples.h"
#include "support/support.h"

// llama.cpp as the judge: its decoding bit for bit, its plain encoding byte for byte, and never a
// larger loss than its encoding with importance.

namespace nibble {
namespace {

using test::decode;
using test::encode;

constexpr size_t kCount = 32 * 512;

class AgainstPeer : public testing::TestWithParam<const Format*> {
 protected:
  // The peer's function PREFIX + the format's name in lower case + SUFFIX.
  template <typename Function>
  Function* peer(const char* prefix, const char* suffix) const {
    std::string name = prefix;
    for (const char c : GetParam()->name) name += char(std::tolower(static_cast<unsigned char>(c)));
    return reinterpret_cast<Function*>(test::peer_symbol((name + suffix).c_str()));
  }
};

using DequantizeRow = void(const void* blocks, float* out, int64_t n);
using QuantizeRow = void(const float* x, void* blocks, int64_t n);
using QuantizeRows = size_t(const float* x, void* blocks, int64_t rows, int64_t row_size,
                            const float* importance);

TEST_P(AgainstPeer, DecodesAnyBytesToTheSameBits) {
  const Format& format = *GetParam();
  auto* dequantize = peer<DequantizeRow>("dequantize_row_", "");
  if (dequantize == nullptr) GTEST_SKIP() << "llama.cpp is not here (NIBBLE_PEER)";
  std::vector<std::byte> bytes(format.bytes_for(kCount));
  Random random(1);
  for (auto& byte : bytes) byte = std::byte(random.below(256));
  std::vector<float> theirs(kCount);
  dequantize(bytes.data(), theirs.data(), int64_t(kCount));
  const auto ours = decode(format, bytes, kCount);
  for (size_t i = 0; i < kCount; ++i) {
    if (std::isnan(theirs[i])) {
      EXPECT_TRUE(std::isnan(ours[i])) << i;
    } else {
      EXPECT_EQ(std::bit_cast<uint32_t>(ours[i]), std::bit_cast<uint32_t>(theirs[i])) << i;
    }
  }
}

TEST_P(AgainstPeer, EncodesPlainlyToTheSameBytes) {
  const Format& format = *GetParam();
  auto* quantize = peer<QuantizeRow>("quantize_row_", "_ref");
  if (quantize == nullptr) GTEST_SKIP() << "llama.cpp is not here (NIBBLE_PEER)";
  for (const auto& sample : test::samples()) {
    if (!sample.reference_defined) continue;
    const auto x = sample.make(kCount);
    std::vector<std::byte> theirs(format.bytes_for(kCount));
    quantize(x.data(), theirs.data(), int64_t(kCount));
    const auto ours = encode(format, x);
    for (size_t at = 0; at < ours.size(); at += format.block_bytes) {
      ASSERT_EQ(std::memcmp(&ours[at], &theirs[at], format.block_bytes), 0)
          << sample.name << ", block " << at / format.block_bytes;
    }
  }
}

// Beyond what one rounding of a scale to f16 is worth: constant blocks hang on nothing else, and a
// search in floats does not see it.
TEST_P(AgainstPeer, LosesNoMoreWithImportance) {
  const Format& format = *GetParam();
  auto* quantize = peer<QuantizeRows>("quantize_", "");
  if (quantize == nullptr) GTEST_SKIP() << "llama.cpp is not here (NIBBLE_PEER)";
  constexpr size_t kRow = 1024;
  const auto importance = test::importances(kRow);
  const std::vector<float> zeros(kRow);
  for (const auto& sample : test::samples()) {
    if (!sample.reference_defined) continue;
    const auto x = sample.make(kCount);
    std::vector<std::byte> theirs(format.bytes_for(kRow));
    for (size_t row = 0; row < kCount; row += kRow) {
      const std::span<const float> weights(&x[row], kRow);
      quantize(weights.data(), theirs.data(), 1, kRow, importance.data());
      const auto ours = encode(format, weights, importance.data());
      const double slack = test::loss(weights, zeros, importance.data()) * 0x1p-24;
      EXPECT_LE(test::loss(weights, decode(format, ours, kRow), importance.data()),
                test::loss(weights, decode(format, theirs, kRow), importance.data()) + slack)
          << sample.name << ", row " << row / kRow;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, AgainstPeer, testing::ValuesIn(test::quantized_formats()),
                         [](const auto& format) { return std::string(format.param->name); });

}  // namespace
}  // namespace nibble
