#include "kernels/matmul.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/fixtures.h"
#include "kernels/isa_kernels.h"

namespace nibble::test {
namespace {

struct Shape {
  size_t rows, cols, tokens;
};

// Both regimes, every remainder of the register tiles, more columns than one tile is deep.
const Shape kQuantizedShapes[] = {{1, 32, 1},   {5, 64, 2},    {33, 96, 3},    {17, 256, 4},
                                  {40, 288, 5}, {64, 512, 7},  {70, 544, 8},   {31, 32, 9},
                                  {33, 64, 13}, {65, 288, 16}, {100, 256, 31}, {129, 1120, 18},
                                  {8, 2080, 1}, {12, 2080, 11}};
const Shape kFloatShapes[] = {{1, 1, 1},     {3, 5, 2},   {17, 33, 3},   {32, 100, 4},
                              {7, 31, 6},    {65, 64, 8}, {33, 17, 9},   {64, 255, 12},
                              {70, 256, 13}, {31, 1, 25}, {40, 300, 37}, {9, 1031, 1}};

constexpr float kUntouched = -12345.0f;

// y with two columns too many, to see that nothing writes there.
struct Output {
  size_t tokens, rows;
  std::vector<float> memory;

  Output(size_t t, size_t r) : tokens(t), rows(r), memory(t * (r + 2), kUntouched) {}
  MatView<float> view() { return {memory.data(), tokens, rows, rows + 2}; }
  float operator()(size_t t, size_t r) const { return memory[t * (rows + 2) + r]; }
  bool margins_untouched() const {
    for (size_t t = 0; t < tokens; ++t) {
      if ((*this)(t, rows) != kUntouched || (*this)(t, rows + 1) != kUntouched) return false;
    }
    return true;
  }
};

Output multiply(const TestWeights& w, const std::vector<float>& x, size_t tokens,
                ActivationPrecision precision, const float* bias, unsigned threads = 2) {
  ThreadPool pool(threads);
  Activations activations;
  activations.set(MatView<const float>(x.data(), tokens, w.cols), precision, pool);
  Output y(tokens, w.rows);
  matmul(w.matrix(), activations, y.view(), bias, pool);
  return y;
}

// A product in double and the sum of the magnitudes that went into it, the measure of rounding.
struct Exact {
  double value = 0, magnitude = 0;
};

Exact exact_f32(const TestWeights& w, const float* x, size_t row) {
  Exact e;
  for (size_t k = 0; k < w.cols; ++k) {
    const double product = double(w.values[row * w.cols + k]) * double(x[k]);
    e.value += product;
    e.magnitude += std::fabs(product);
  }
  return e;
}

// What the int8 path means: every block of 32 inputs is rounded to multiples of amax / 127.
Exact exact_i8(const TestWeights& w, const float* x, size_t row) {
  Exact e;
  for (size_t b = 0; b < w.cols / 32; ++b) {
    float amax = 0;
    for (size_t j = 0; j < 32; ++j) amax = std::max(amax, std::fabs(x[b * 32 + j]));
    if (amax < 1e-36f) continue;
    const float scale = amax / 127, inverse = 127 / amax;
    for (size_t j = 0; j < 32; ++j) {
      const double q = std::nearbyint(x[b * 32 + j] * inverse);
      e.value += double(w.values[row * w.cols + b * 32 + j]) * double(scale) * q;
      e.magnitude += block_reach(w, row, b) * double(scale) * std::fabs(q);
    }
  }
  return e;
}

void expect_close(const TestWeights& w, const std::vector<float>& x, size_t tokens,
                  ActivationPrecision precision, const std::vector<float>& bias) {
  const bool int8 = precision == ActivationPrecision::kInt8 && w.format->is_quantized();
  const Output y = multiply(w, x, tokens, precision, bias.empty() ? nullptr : bias.data());
  ASSERT_TRUE(y.margins_untouched());
  for (size_t t = 0; t < tokens; ++t) {
    for (size_t r = 0; r < w.rows; ++r) {
      const float* in = x.data() + t * w.cols;
      Exact e = int8 ? exact_i8(w, in, r) : exact_f32(w, in, r);
      const double added = bias.empty() ? 0 : double(bias[r]);
      ASSERT_NEAR(y(t, r), e.value + added, 1e-6 * (e.magnitude + std::fabs(added)) + 1e-37)
          << w.format->name << ": token " << t << ", row " << r << " of " << w.rows << " x "
          << w.cols << " x " << tokens;
    }
  }
}

const Format* const kQuantized[] = {&formats::q4_0, &formats::q4_1, &formats::q5_0, &formats::q5_1,
                                    &formats::q8_0};
// F64 stands for a format that no instruction set has kernels for.
const Format* const kFloats[] = {&formats::f32, &formats::f16, &formats::bf16, &formats::f64};

class Matmul : public IsaTest {};
NIBBLE_ON_EVERY_ISA(Matmul);

TEST_P(Matmul, WithInt8InputsIsTheQuantizedArithmeticToRounding) {
  Random random(1);
  for (const Format* format : kQuantized) {
    for (const Shape& s : kQuantizedShapes) {
      const TestWeights w = make_weights(random, *format, s.rows, s.cols);
      const std::vector<float> x = normal_values(random, s.tokens * s.cols);
      const std::vector<float> bias =
          s.tokens % 2 == 0 ? normal_values(random, s.rows) : std::vector<float>();
      expect_close(w, x, s.tokens, ActivationPrecision::kInt8, bias);
    }
  }
}

TEST_P(Matmul, WithF32InputsIsTheProductToRounding) {
  Random random(2);
  for (const Format* format : kQuantized) {
    for (const Shape& s : kQuantizedShapes) {
      const TestWeights w = make_weights(random, *format, s.rows, s.cols);
      expect_close(w, normal_values(random, s.tokens * s.cols), s.tokens, ActivationPrecision::kF32,
                   normal_values(random, s.rows));
    }
  }
}

TEST_P(Matmul, OfFloatWeightsIsTheProductToRoundingInEitherPrecision) {
  Random random(3);
  for (const Format* format : kFloats) {
    for (const Shape& s : kFloatShapes) {
      const TestWeights w = make_weights(random, *format, s.rows, s.cols);
      const std::vector<float> x = normal_values(random, s.tokens * s.cols);
      expect_close(w, x, s.tokens, ActivationPrecision::kF32, {});
      expect_close(w, x, s.tokens, ActivationPrecision::kInt8, normal_values(random, s.rows));
    }
  }
}

TEST_P(Matmul, HoldsForExtremeWeightsAndInputs) {
  Random random(4);
  for (const Content content : {Content::kAllMax, Content::kZeros, Content::kSubnormal}) {
    for (const Format* format : kQuantized) {
      for (const size_t tokens : {1, 4, 20}) {
        const TestWeights w = make_weights(random, *format, 35, 320, content);
        std::vector<float> same(tokens * 320, 2.5f), zeros(tokens * 320), spiky(tokens * 320);
        for (size_t i = 0; i < spiky.size(); i += 7) spiky[i] = i % 2 == 0 ? -1e4f : 1e-4f;
        for (const auto& x : {same, zeros, spiky, normal_values(random, tokens * 320, 1e-38)}) {
          expect_close(w, x, tokens, ActivationPrecision::kInt8, {});
          expect_close(w, x, tokens, ActivationPrecision::kF32, {});
        }
      }
    }
    for (const Format* format : kFloats) {
      const TestWeights w = make_weights(random, *format, 20, 70, content);
      expect_close(w, normal_values(random, 70), 1, ActivationPrecision::kF32, {});
      expect_close(w, normal_values(random, 70 * 20), 20, ActivationPrecision::kF32, {});
    }
  }
}

TEST_P(Matmul, GivesTheSameBytesWithAnyNumberOfThreads) {
  Random random(5);
  for (const Format* format : {&formats::q4_0, &formats::q5_1, &formats::q8_0, &formats::bf16}) {
    for (const size_t tokens : {1, 6, 50}) {
      const TestWeights w = make_weights(random, *format, 333, 1120);
      const std::vector<float> x = normal_values(random, tokens * w.cols);
      for (const auto precision : {ActivationPrecision::kInt8, ActivationPrecision::kF32}) {
        const Output one = multiply(w, x, tokens, precision, nullptr, 1);
        EXPECT_EQ(one.memory, multiply(w, x, tokens, precision, nullptr, 2).memory);
        EXPECT_EQ(one.memory, multiply(w, x, tokens, precision, nullptr, 3).memory);
      }
    }
  }
}

TEST_P(Matmul, GivesATokenTheSameBytesWhateverTokensAreBesideIt) {
  Random random(6);
  const IsaKernels& isa = *GetParam()->kernels;
  for (const Format* format : {&formats::q4_1, &formats::q8_0, &formats::f16}) {
    const TestWeights w = make_weights(random, *format, 50, 352);
    const std::vector<float> x = normal_values(random, 40 * w.cols);
    for (const auto precision : {ActivationPrecision::kInt8, ActivationPrecision::kF32}) {
      const bool int8 = format->is_quantized() && precision == ActivationPrecision::kInt8;
      const size_t limit = int8 ? isa.few_columns_i8 : isa.few_columns_f32;
      const Output few = multiply(w, x, limit, precision, nullptr);
      const Output many = multiply(w, x, 40, precision, nullptr);
      for (size_t tokens = 1; tokens < 40; ++tokens) {
        const Output y = multiply(w, x, tokens, precision, nullptr);
        const Output& expected = tokens <= limit ? few : many;
        for (size_t t = 0; t < tokens; ++t) {
          for (size_t r = 0; r < w.rows; ++r) ASSERT_EQ(y(t, r), expected(t, r)) << tokens;
        }
      }
    }
  }
}

TEST_P(Matmul, ShowsInputsThatAreNoNumbers) {
  Random random(7);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    for (const size_t tokens : {1, 10}) {
      for (const Format* format : {&formats::q4_0, &formats::q5_1, &formats::q8_0}) {
        const TestWeights w = make_weights(random, *format, 20, 128);
        std::vector<float> x = normal_values(random, tokens * 128);
        x[77] = bad;
        const Output y = multiply(w, x, tokens, ActivationPrecision::kInt8, nullptr);
        for (size_t r = 0; r < w.rows; ++r) EXPECT_FALSE(std::isfinite(y(0, r)));
        if (tokens > 1) {
          EXPECT_TRUE(std::isfinite(y(1, 0)));
        }
      }
    }
  }
}

TEST_P(Matmul, ReadsNewInputsAfterTheNextSet) {
  Random random(8);
  const TestWeights w = make_weights(random, formats::q4_0, 16, 64);
  const std::vector<float> first = normal_values(random, 12 * 64),
                           second = normal_values(random, 64);
  ThreadPool pool(2);
  Activations activations;
  Output y(12, 16), z(1, 16);
  activations.set(MatView<const float>(first.data(), 12, 64), ActivationPrecision::kInt8, pool);
  matmul(w.matrix(), activations, y.view(), nullptr, pool);
  activations.set(MatView<const float>(second.data(), 1, 64), ActivationPrecision::kInt8, pool);
  matmul(w.matrix(), activations, z.view(), nullptr, pool);
  EXPECT_EQ(z.memory, multiply(w, second, 1, ActivationPrecision::kInt8, nullptr).memory);
}

}  // namespace
}  // namespace nibble::test
