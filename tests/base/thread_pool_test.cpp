#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace nibble {
namespace {

class Team : public testing::TestWithParam<unsigned> {
 protected:
  Team() : pool_(GetParam()) {}
  ThreadPool pool_;
};

TEST_P(Team, HasTheSizeAskedFor) { EXPECT_EQ(pool_.size(), GetParam()); }

TEST_P(Team, VisitsEveryIndexExactlyOnce) {
  for (const size_t count : {0u, 1u, 2u, 7u, 64u, 1000u, 4097u}) {
    for (const size_t grain : {0u, 1u, 3u, 64u, 5000u}) {
      std::vector<std::atomic<int>> visits(count);
      pool_.parallel_for(count, grain, [&](size_t begin, size_t end, unsigned thread) {
        EXPECT_LT(thread, pool_.size());
        EXPECT_LT(begin, end);
        EXPECT_LE(end - begin, std::max<size_t>(grain, 1));
        for (size_t i = begin; i < end; ++i) ++visits[i];
      });
      for (const auto& n : visits) ASSERT_EQ(n, 1) << count << " by " << grain;
    }
  }
}

// One thread number is never in two pieces at a time, so scratch memory by thread needs no lock.
TEST_P(Team, GivesEachThreadItsOwnNumber) {
  std::vector<std::atomic<int>> busy(pool_.size());
  std::atomic<int> clashes{0};
  pool_.parallel_for(2000, 1, [&](size_t, size_t, unsigned thread) {
    if (busy[thread].fetch_add(1) != 0) ++clashes;
    busy[thread].fetch_sub(1);
  });
  EXPECT_EQ(clashes, 0);
}

TEST_P(Team, RunsManyShortLoopsInARow) {
  std::vector<int> sums(16);
  for (int loop = 0; loop < 10000; ++loop) {
    pool_.parallel_for(sums.size(), 1, [&](size_t begin, size_t, unsigned) { ++sums[begin]; });
  }
  for (const int sum : sums) EXPECT_EQ(sum, 10000);
}

TEST_P(Team, WakesAfterAPauseLongerThanItsSpin) {
  std::atomic<int> visits{0};
  for (int loop = 0; loop < 20; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    pool_.parallel_for(8, 1, [&](size_t, size_t, unsigned) { ++visits; });
  }
  EXPECT_EQ(visits, 160);
}

TEST_P(Team, ThrowsTheExceptionOfABodyAndGoesOnWorking) {
  for (int loop = 0; loop < 100; ++loop) {
    EXPECT_THROW(pool_.parallel_for(50, 1,
                                    [](size_t begin, size_t, unsigned) {
                                      if (begin == 20) throw std::runtime_error("twenty");
                                    }),
                 std::runtime_error);
    std::atomic<int> visits{0};
    pool_.parallel_for(50, 1, [&](size_t, size_t, unsigned) { ++visits; });
    ASSERT_EQ(visits, 50);
  }
}

TEST_P(Team, SurvivesABodyThatAlwaysThrows) {
  EXPECT_THROW(pool_.parallel_for(100, 1, [](size_t, size_t, unsigned) { throw 7; }), int);
}

INSTANTIATE_TEST_SUITE_P(Threads, Team, testing::Values(1u, 2u, 3u, 8u));

TEST(ThreadPool, StartsAndStopsManyTimes) {
  for (int i = 0; i < 200; ++i) {
    ThreadPool pool(3);
    std::atomic<int> visits{0};
    if (i % 2 == 0) pool.parallel_for(3, 1, [&](size_t, size_t, unsigned) { ++visits; });
    EXPECT_EQ(visits, i % 2 == 0 ? 3 : 0);
  }
}

TEST(ThreadPool, UsesAtLeastOneCore) {
  EXPECT_GE(usable_cores(), 1u);
  EXPECT_EQ(ThreadPool(0).size(), usable_cores());
}

}  // namespace
}  // namespace nibble
