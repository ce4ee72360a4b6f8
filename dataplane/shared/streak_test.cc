#include "dataplane/shared/streak.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace portico::shared {
namespace {

TEST(StreakTest, IsFullOnceAndBeginsAnew) {
  Streak streak;
  for (int round = 0; round < 3; ++round) {
    EXPECT_FALSE(streak.Fail(3));
    EXPECT_FALSE(streak.Fail(3));
    EXPECT_TRUE(streak.Fail(3));
  }
  EXPECT_FALSE(streak.Fail(3));
  streak.End();
  EXPECT_FALSE(streak.Fail(3));
  EXPECT_FALSE(streak.Fail(3));
  EXPECT_TRUE(streak.Fail(2)) << "a lower length counts what there is";
  EXPECT_TRUE(streak.Fail(1));
  EXPECT_TRUE(streak.Fail(1));
}

TEST(StreakTest, NoFailureIsLost) {
  constexpr int kThreads = 4, kEach = 5000, kLength = 10;
  Streak streak;
  std::atomic<int> full = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int failure = 0; failure < kEach; ++failure)
          full += streak.Fail(kLength) ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(full, kThreads * kEach / kLength);
}

TEST(SharedTimeTest, HoldsATime) {
  SharedTime time;
  EXPECT_EQ(time.value(), base::MonotonicTime());
  time.Set(base::MonotonicTime(base::Duration(12345)));
  EXPECT_EQ(time.value(), base::MonotonicTime(base::Duration(12345)));
}

}  // namespace
}  // namespace portico::shared
