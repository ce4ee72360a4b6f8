#include "dataplane/upstream/outlier/ejection.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace portico::upstream::outlier {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(EjectionTest, NeverAllAndAtMostTheShare) {
  struct Row {
    size_t endpoints;
    uint32_t percent;
    size_t most;
  };
  const Row rows[] = {{0, 100, 0}, {1, 100, 0}, {2, 50, 1},  {2, 100, 1},   {2, 1, 1},      {2, 0, 0},      {3, 50, 1},
                      {3, 67, 2},  {3, 100, 2}, {9, 50, 4},  {10, 9, 1},    {10, 50, 5},    {10, 100, 9},   {10, 0, 0},
                      {11, 50, 5}, {100, 1, 1}, {100, 2, 2}, {100, 99, 99}, {100, 100, 99}, {1000, 33, 330}};
  for (const Row& row : rows)
    EXPECT_EQ(EjectedMax(row.endpoints, row.percent), row.most) << row.endpoints << " " << row.percent;
}

TEST(EjectionTest, LongerWithEachAndForgottenWhileItServes) {
  struct Step {
    seconds serves;  // before it fails again
    seconds ejected;
  };
  struct Row {
    std::string_view name;
    EjectionRules rules;
    std::vector<Step> steps;
  };
  const EjectionRules rules = {.base_time = seconds(30), .max_time = seconds(100)};
  const auto with = [](seconds base, seconds max) { return EjectionRules{.base_time = base, .max_time = max}; };
  const Row rows[] = {
      {"the first time is not forgotten by having served long", rules, {{seconds(1000), seconds(30)}}},
      {"as long again, up to the maximum",
       rules,
       {{seconds(1), seconds(30)},
        {seconds(1), seconds(60)},
        {seconds(1), seconds(90)},
        {seconds(1), seconds(100)},
        {seconds(1), seconds(100)}}},
      {"ten seconds forget one",
       rules,
       {{seconds(0), seconds(30)}, {seconds(0), seconds(60)}, {seconds(10), seconds(60)}}},
      {"less than ten forget none",
       rules,
       {{seconds(0), seconds(30)}, {seconds(9), seconds(60)}, {seconds(9), seconds(90)}}},
      {"twenty forget two",
       rules,
       {{seconds(0), seconds(30)}, {seconds(0), seconds(60)}, {seconds(0), seconds(90)}, {seconds(20), seconds(60)}}},
      {"all is forgotten", rules, {{seconds(0), seconds(30)}, {seconds(0), seconds(60)}, {seconds(3600), seconds(30)}}},
      {"what the maximum cut off need not be forgotten",
       with(seconds(30), seconds(60)),
       {{seconds(0), seconds(30)},
        {seconds(0), seconds(60)},
        {seconds(0), seconds(60)},
        {seconds(0), seconds(60)},
        {seconds(20), seconds(30)}}},
      {"a maximum below the base is none",
       with(seconds(30), seconds(1)),
       {{seconds(0), seconds(30)}, {seconds(0), seconds(30)}}},
      {"the same base and maximum", with(seconds(5), seconds(5)), {{seconds(0), seconds(5)}, {seconds(0), seconds(5)}}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EjectionHistory history;
    base::MonotonicTime now(seconds(7));
    int step = 0;
    for (const Step& wanted : row.steps) {
      SCOPED_TRACE(++step);
      now += wanted.serves;
      EXPECT_FALSE(history.Ejected(now));
      EXPECT_EQ(history.Eject(now, row.rules), wanted.ejected);
      EXPECT_EQ(history.until(), now + wanted.ejected);
      EXPECT_TRUE(history.Ejected(now));
      now += wanted.ejected;
      EXPECT_TRUE(history.Ejected(now - microseconds(1)));
      EXPECT_FALSE(history.Ejected(now));
    }
  }
}

// The bounds of the resource: nothing overflows, and it stays what the rules say.
TEST(EjectionTest, TheLongestAndTheShortest) {
  EjectionHistory history;
  base::MonotonicTime now(seconds(1));
  const EjectionRules rules = {.base_time = milliseconds(1), .max_time = std::chrono::hours(24)};
  for (int times = 1; times <= 3000; ++times) {
    ASSERT_EQ(history.Eject(now, rules), milliseconds(times));
    now = history.until();
  }
}

}  // namespace
}  // namespace portico::upstream::outlier
