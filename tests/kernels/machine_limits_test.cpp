#include "kernels/machine_limits.h"

#include "kernels/fixtures.h"

namespace nibble::test {
namespace {

TEST(MachineLimits, AreOfTheOrderOfAnyMachineThatRunsThis) {
  ThreadPool pool(1);
  const MachineLimits limits = measure_machine_limits(pool);
  EXPECT_GT(limits.read_bandwidth, 1e8);
  EXPECT_LT(limits.read_bandwidth, 1e13);
  EXPECT_GT(limits.int8_ops, 1e8);
  EXPECT_LT(limits.int8_ops, 1e15);
  EXPECT_GT(limits.f32_ops, 1e8);
  EXPECT_LT(limits.f32_ops, 1e14);
}

}  // namespace
}  // namespace nibble::test
