#include "kernels/isa.h"

#include <cstdlib>
#include <set>

#include "base/error.h"
#include "kernels/fixtures.h"

namespace nibble::test {
namespace {

TEST(Isas, HaveDistinctNamesAndEndWithOneThatRunsEverywhere) {
  std::set<std::string_view> names;
  for (const Isa& isa : all_isas()) EXPECT_TRUE(names.insert(isa.name).second);
  EXPECT_EQ(all_isas().back().name, "scalar");
  EXPECT_TRUE(all_isas().back().runs_here());
}

// What a fresh process says when NIBBLE_ISA is set: the choice is made once per process.
void choose(const char* name) {
  setenv("NIBBLE_ISA", name, 1);
  try {
    fmt::print(stderr, "chosen: {}", active_isa().name);
  } catch (const Error& e) {
    fmt::print(stderr, "{}: {} ({})", int(e.kind()), e.what(), e.hint_text());
  }
  std::exit(0);
}

class ForcedIsa : public testing::Test {
 protected:
  void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(ForcedIsa, IsTakenWhenTheMachineHasIt) {
  for (const Isa* isa : isas_here()) {
    EXPECT_EXIT(choose(std::string(isa->name).c_str()), testing::ExitedWithCode(0),
                "chosen: " + std::string(isa->name));
  }
}

TEST_F(ForcedIsa, IsRefusedAsUsageErrorWhenUnknown) {
  EXPECT_EXIT(choose("avx9000"), testing::ExitedWithCode(0),
              "2: NIBBLE_ISA=avx9000 is no instruction set nibble knows \\(here run: .*scalar\\)");
}

TEST_F(ForcedIsa, IsRefusedAsUsageErrorWhenTheMachineLacksIt) {
  bool any = false;
  for (const Isa& isa : all_isas()) {
    if (isa.runs_here()) continue;
    any = true;
    EXPECT_EXIT(choose(std::string(isa.name).c_str()), testing::ExitedWithCode(0),
                "needs instructions this machine lacks");
  }
  if (!any) GTEST_SKIP() << "this machine has every instruction set nibble knows";
}

}  // namespace
}  // namespace nibble::test
