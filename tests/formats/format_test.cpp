#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "base/random.h"
#include "samples.h"

// What holds of every format.

namespace nibble {
namespace {

using test::decode;
using test::encode;

constexpr size_t kCount = 32 * 100;

bool same_bits(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

class EveryFormat : public testing::TestWithParam<const Format*> {};
class QuantizedFormat : public testing::TestWithParam<const Format*> {};

std::string name_of(const testing::TestParamInfo<const Format*>& format) {
  return std::string(format.param->name);
}
INSTANTIATE_TEST_SUITE_P(All, EveryFormat,
                         testing::ValuesIn(all_formats().begin(), all_formats().end()), name_of);
INSTANTIATE_TEST_SUITE_P(All, QuantizedFormat, testing::ValuesIn(test::quantized_formats()),
                         name_of);

TEST_P(EveryFormat, HasASize) {
  const Format& format = *GetParam();
  EXPECT_GT(format.block_size, 0u);
  EXPECT_GT(format.block_bytes, 0u);
  EXPECT_EQ(format.bytes_for(0), 0u);
  EXPECT_EQ(format.bytes_for(10 * format.block_size), 10 * format.block_bytes);
  EXPECT_DOUBLE_EQ(format.bits_per_weight() * format.block_size, 8.0 * format.block_bytes);
  EXPECT_TRUE(format.gguf_id >= 0 || !format.safetensors_name.empty()) << "no file can hold it";
}

TEST_P(EveryFormat, DecodesWhatItEncodes) {
  const Format& format = *GetParam();
  if (format.encode != nullptr) {
    EXPECT_NE(format.decode, nullptr);
  }
  if (format.is_quantized()) {
    EXPECT_NE(format.encode, nullptr);
  }
}

TEST_P(EveryFormat, GivesFiniteValuesForFiniteWeights) {
  const Format& format = *GetParam();
  if (format.encode == nullptr) return;
  const auto importance = test::importances(kCount);
  for (const auto& sample : test::samples()) {
    for (const float* weights : {static_cast<const float*>(nullptr), importance.data()}) {
      const auto x = sample.make(kCount);
      const auto y = decode(format, encode(format, x, weights), kCount);
      EXPECT_TRUE(all_finite(y.data(), kCount, nullptr)) << sample.name;
    }
  }
}

TEST_P(EveryFormat, KeepsZerosExactly) {
  const Format& format = *GetParam();
  if (format.encode == nullptr) return;
  const std::vector<float> zeros(kCount);
  const auto importance = test::importances(kCount);
  EXPECT_EQ(decode(format, encode(format, zeros), kCount), zeros);
  EXPECT_EQ(decode(format, encode(format, zeros, importance.data()), kCount), zeros);
}

TEST_P(EveryFormat, TakesUnalignedBytes) {
  const Format& format = *GetParam();
  if (format.encode == nullptr) return;
  const auto x = test::gaussian(kCount);
  const auto aligned = encode(format, x);
  std::vector<std::byte> shifted(aligned.size() + 1);
  format.encode(x.data(), nullptr, kCount, &shifted[1]);
  EXPECT_EQ(std::memcmp(&shifted[1], aligned.data(), aligned.size()), 0);
  std::vector<float> y(kCount);
  format.decode(&shifted[1], kCount, y.data());
  EXPECT_EQ(y, decode(format, aligned, kCount));
}

TEST_P(EveryFormat, LeavesNeighbouringMemoryAlone) {
  const Format& format = *GetParam();
  if (format.encode == nullptr) return;
  const auto x = test::gaussian(kCount);
  std::vector<std::byte> bytes(format.bytes_for(kCount) + 64, std::byte(0xA5));
  format.encode(x.data(), nullptr, kCount, bytes.data());
  for (size_t i = format.bytes_for(kCount); i < bytes.size(); ++i) {
    ASSERT_EQ(bytes[i], std::byte(0xA5));
  }
  std::vector<float> y(kCount + 16, 7.0f);
  format.decode(bytes.data(), kCount, y.data());
  for (size_t i = kCount; i < y.size(); ++i) ASSERT_EQ(y[i], 7.0f);
}

// What the separate steps of a codec make of x.
std::vector<std::byte> fit_round_pack(const Format& format, const std::vector<float>& x,
                                      const float* importance) {
  std::vector<std::byte> bytes(format.bytes_for(x.size()));
  std::vector<uint8_t> codes(format.block_size);
  for (size_t block = 0; block < x.size() / format.block_size; ++block) {
    const size_t first = block * format.block_size;
    BlockGrid grid;
    format.codec->fit(&x[first], importance == nullptr ? nullptr : importance + first, grid);
    for (size_t i = 0; i < codes.size(); ++i) {
      codes[i] = uint8_t(format.codec->round(grid, int(i), x[first + i]));
    }
    format.codec->pack(grid, codes.data(), &bytes[block * format.block_bytes]);
  }
  return bytes;
}

TEST_P(QuantizedFormat, EncodesAsFitRoundPack) {
  const Format& format = *GetParam();
  const auto importance = test::importances(kCount);
  for (const auto& sample : test::samples()) {
    const auto x = sample.make(kCount);
    EXPECT_EQ(encode(format, x), fit_round_pack(format, x, nullptr)) << sample.name;
    EXPECT_EQ(encode(format, x, importance.data()), fit_round_pack(format, x, importance.data()))
        << sample.name;
  }
}

TEST_P(QuantizedFormat, KnowsTheValueOfEveryCode) {
  const Format& format = *GetParam();
  const BlockCodec& codec = *format.codec;
  std::vector<uint8_t> codes(format.block_size);
  std::vector<std::byte> bytes(format.block_bytes);
  for (const auto& sample : test::samples()) {
    const auto x = sample.make(format.block_size);
    BlockGrid grid;
    codec.fit(x.data(), nullptr, grid);
    for (int code = 0; code < codec.codes; ++code) {
      for (size_t i = 0; i < codes.size(); ++i) codes[i] = uint8_t((code + int(i)) % codec.codes);
      codec.pack(grid, codes.data(), bytes.data());
      const auto y = decode(format, bytes, format.block_size);
      for (size_t i = 0; i < codes.size(); ++i) {
        ASSERT_TRUE(same_bits(codec.value(grid, int(i), codes[i]), y[i])) << sample.name << i;
      }
    }
  }
}

// Error feedback hands round() weights the fit never saw.
TEST_P(QuantizedFormat, RoundsAnyWeightToACode) {
  const Format& format = *GetParam();
  const auto x = test::gaussian(format.block_size);
  BlockGrid grid;
  format.codec->fit(x.data(), nullptr, grid);
  for (const float weight : {0.0f, 1.0f, -1.0f, 3e38f, -3e38f, 1e-45f}) {
    const int code = format.codec->round(grid, 0, weight);
    EXPECT_GE(code, 0);
    EXPECT_LT(code, format.codec->codes);
  }
}

TEST_P(QuantizedFormat, RoundsToTheNearestValue) {
  const Format& format = *GetParam();
  const BlockCodec& codec = *format.codec;
  const auto x = test::gaussian(kCount);
  const auto importance = test::importances(kCount);
  for (size_t first = 0; first < kCount; first += format.block_size) {
    BlockGrid grid;
    codec.fit(&x[first], &importance[first], grid);
    for (size_t i = 0; i < format.block_size; ++i) {
      const float weight = x[first + i];
      const float rounded = codec.value(grid, int(i), codec.round(grid, int(i), weight));
      for (int code = 0; code < codec.codes; ++code) {
        EXPECT_LE(std::fabs(rounded - weight), std::fabs(codec.value(grid, int(i), code) - weight) +
                                                   2e-2f * std::fabs(grid.scale[0]));
      }
    }
  }
}

TEST_P(QuantizedFormat, LosesNoMoreWithImportanceThanWithoutInAnyBlock) {
  const Format& format = *GetParam();
  const auto importance = test::importances(kCount);
  for (const auto& sample : test::samples()) {
    const auto x = sample.make(kCount);
    const auto plain = decode(format, encode(format, x), kCount);
    const auto fitted = decode(format, encode(format, x, importance.data()), kCount);
    for (size_t first = 0; first < kCount; first += format.block_size) {
      const auto block = [&](const std::vector<float>& all) {
        return std::span<const float>(&all[first], format.block_size);
      };
      EXPECT_LE(test::loss(block(x), block(fitted), &importance[first]),
                test::loss(block(x), block(plain), &importance[first]) * (1 + 1e-5))
          << sample.name << ", weight " << first;
    }
  }
}

TEST_P(QuantizedFormat, IgnoresTheUnitOfImportance) {
  const Format& format = *GetParam();
  const auto x = test::gaussian(kCount);
  const auto importance = test::importances(kCount);
  const auto bytes = encode(format, x, importance.data());
  for (const float unit : {0x1p-100f, 0x1p+100f}) {
    auto scaled = importance;
    for (float& w : scaled) w *= unit;
    EXPECT_EQ(encode(format, x, scaled.data()), bytes) << unit;
  }
}

TEST_P(QuantizedFormat, FitsPlainlyWhereNothingIsImportant) {
  const Format& format = *GetParam();
  const auto x = test::gaussian(kCount);
  const std::vector<float> nothing(kCount);
  EXPECT_EQ(encode(format, x, nothing.data()), encode(format, x));
}

// An outlier nobody multiplies with must not cost the others their precision.
TEST_P(QuantizedFormat, GivesUpOnAnUnimportantOutlier) {
  const Format& format = *GetParam();
  auto x = test::gaussian(kCount);
  std::vector<float> importance(kCount, 1.0f);
  for (size_t i = 5; i < kCount; i += format.block_size) {
    x[i] *= 1.2f * 0.06f / std::fabs(x[i]);
    importance[i] = 0;
  }
  const auto plain = decode(format, encode(format, x), kCount);
  const auto fitted = decode(format, encode(format, x, importance.data()), kCount);
  EXPECT_LT(test::loss(x, fitted, importance.data()),
            0.9 * test::loss(x, plain, importance.data()));
}

// The search against trying every scale f16 has: close to the best there is.
TEST(ScaleSearch, ComesNearTheBestScaleThereIs) {
  const Format& format = formats::q4_0;
  constexpr size_t kBlocks = 8, kSize = 32;
  const auto x = test::gaussian(kBlocks * kSize);
  const auto importance = test::importances(kBlocks * kSize);
  double found = 0, best = 0;
  for (size_t first = 0; first < x.size(); first += kSize) {
    const std::span<const float> block(&x[first], kSize);
    const auto y = decode(format, encode(format, block, &importance[first]), kSize);
    found += test::loss(block, y, &importance[first]);
    double least = HUGE_VAL;
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      if ((bits & 0x7FFF) < 0x0400 || (bits & 0x7FFF) > 0x2800) continue;  // 6e-5 .. 0.03
      const std::byte d[] = {std::byte(bits & 0xFF), std::byte(bits >> 8)};
      std::vector<std::byte> bytes(format.block_bytes, std::byte(0x99));
      std::memcpy(bytes.data(), d, 2);
      const double scale = decode(format, bytes, kSize)[0];  // code 9 is level 1
      double sum = 0;
      for (size_t i = 0; i < kSize; ++i) {
        const double level = std::fmin(7, std::fmax(-8, std::round(block[i] / scale)));
        sum += double(importance[first + i]) * std::pow(block[i] - level * scale, 2);
      }
      least = std::fmin(least, sum);
    }
    best += least;
  }
  EXPECT_LT(found, 1.02 * best);
}

}  // namespace
}  // namespace nibble
