#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/random.h"
#include "formats/format.h"
#include "kernels/isa.h"
#include "kernels/matmul.h"

namespace nibble::test {

// Runs every test of the suite once per instruction set this machine has.
class IsaTest : public testing::TestWithParam<const Isa*> {
 protected:
  void SetUp() override { set_active_isa(*GetParam()); }
  void TearDown() override;
};

std::vector<const Isa*> isas_here();
std::string isa_name(const testing::TestParamInfo<const Isa*>& info);

#define NIBBLE_ON_EVERY_ISA(suite) \
  INSTANTIATE_TEST_SUITE_P(Isa, suite, testing::ValuesIn(::nibble::test::isas_here()), isa_name)

// Standard normal values times `size`.
std::vector<float> normal_values(Random& random, size_t n, double size = 1);

// Weights as bytes of a format, whatever bytes that format allows, and what they mean.
struct TestWeights {
  const Format* format;
  size_t rows, cols;
  std::vector<std::byte> memory;  // the matrix begins at `offset`, which no type is aligned to
  size_t offset = 0;
  std::vector<float> values;  // decoded, [rows, cols]

  WeightMatrix matrix() const { return {format, memory.data() + offset, rows, cols}; }
};

enum class Content { kRandom, kAllMax, kZeros, kSubnormal };

// REQUIRES: cols % format.block_size == 0.
TestWeights make_weights(Random& random, const Format& format, size_t rows, size_t cols,
                         Content content = Content::kRandom);

// One block as the int8 path sees it: what its largest code times its scale, and its min, amount
// to.
double block_reach(const TestWeights& w, size_t row, size_t block);

}  // namespace nibble::test
