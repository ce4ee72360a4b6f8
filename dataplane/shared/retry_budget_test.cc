#include "dataplane/shared/retry_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string_view>
#include <thread>
#include <vector>

namespace portico::shared {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

base::MonotonicTime At(base::Duration since_start) {
  return base::MonotonicTime(seconds(1000) + since_start);
}

int Take(RetryBudget& budget, const RetryConstraint& constraint, base::Duration when, int count) {
  int taken = 0;
  for (int i = 0; i < count; ++i)
    taken += budget.TryTake(constraint, At(when)) ? 1 : 0;
  return taken;
}

TEST(RetryBudgetTest, WhatIsAllowed) {
  struct Row {
    std::string_view name;
    RetryConstraint constraint;
    int requests;
    int allowed;  // of 1000, in the same second
  };
  const Row rows[] = {
      {"the share alone", {20, 0}, 100, 20},
      {"the least alone", {0, 10}, 100, 10},
      {"the larger of both: the share", {20, 10}, 100, 20},
      {"the larger of both: the least", {20, 10}, 5, 10},
      {"neither", {0, 0}, 100, 0},
      {"all of them", {100, 0}, 7, 7},
      {"rounded down", {20, 0}, 9, 1},
      {"no request, no share", {100, 0}, 0, 0},
  };
  for (const Row& row : rows) {
    RetryBudget budget;
    for (int i = 0; i < row.requests; ++i)
      budget.CountRequest(At({}));
    EXPECT_EQ(Take(budget, row.constraint, {}, 1000), row.allowed) << row.name;
  }
}

TEST(RetryBudgetTest, TheLeastIsAnewEachSecond) {
  RetryBudget budget;
  for (int second = 0; second < 30; ++second)
    EXPECT_EQ(Take(budget, {0, 3}, seconds(second), 10), 3) << second;
}

// Requests count for ten seconds, and so do the retries that were made of them.
TEST(RetryBudgetTest, TheShareIsOfTheLastTenSeconds) {
  RetryBudget budget;
  for (int i = 0; i < 100; ++i)
    budget.CountRequest(At(milliseconds(500)));
  EXPECT_EQ(Take(budget, {20, 0}, seconds(5), 15), 15);
  EXPECT_EQ(Take(budget, {20, 0}, seconds(9), 15), 5);   // of the twenty
  EXPECT_EQ(Take(budget, {20, 0}, seconds(10), 15), 0);  // the requests are too long ago
  for (int i = 0; i < 100; ++i)
    budget.CountRequest(At(seconds(11)));
  EXPECT_EQ(Take(budget, {20, 0}, seconds(14), 15), 0);   // 20 retries are in the last ten seconds
  EXPECT_EQ(Take(budget, {20, 0}, seconds(15), 30), 15);  // those of second 5 are not any more
  EXPECT_EQ(Take(budget, {20, 0}, seconds(400), 30), 0);
}

TEST(RetryBudgetTest, AConstraintThatChangesBindsAtOnce) {
  RetryBudget budget;
  EXPECT_EQ(Take(budget, {0, 10}, {}, 20), 10);
  EXPECT_EQ(Take(budget, {0, 5}, {}, 20), 0);
  EXPECT_EQ(Take(budget, {0, 12}, {}, 20), 2);
}

// Never more than allowed, and no request is lost, however many count at once.
TEST(RetryBudgetTest, ThreadsShareIt) {
  RetryBudget budget;
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int request = 0; request < 1000; ++request)
        budget.CountRequest(At({}));
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  threads.clear();
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] { taken += Take(budget, {20, 10}, {}, 1000); });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(taken, 800);
}

}  // namespace
}  // namespace portico::shared
