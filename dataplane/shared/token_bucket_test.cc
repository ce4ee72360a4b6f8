#include "dataplane/shared/token_bucket.h"

#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace portico::shared {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMilli = 1'000'000;

TEST(RateOf, IsNeverMoreThanSaid) {
  const struct {
    const char* name;
    int64_t requests, per_ns, interval_ns;
  } kRows[] = {
      {"one a second", 1, kSecond, kSecond},
      {"the most", 1'000'000, kSecond, 1'000},
      {"not a whole nanosecond", 600'001, kSecond, 1'667},
      {"one an hour", 1, 3'600 * kSecond, 3'600 * kSecond},
      {"the most in an hour", 1'000'000, 3'600 * kSecond, 3'600'000},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(RateOf(row.requests, row.per_ns, 1).interval_ns, row.interval_ns) << row.name;
}

// When a request comes, in milliseconds, and what it gets.
struct Step {
  int64_t at_ms;
  bool token;
  int64_t remaining;
  int64_t wait_ms;
};

TEST(TakeToken, Rows) {
  const struct {
    const char* name;
    Rate rate;
    std::vector<Step> steps;
  } kRows[] = {
      {"a burst, then one a second",
       {kSecond, 3},
       {{0, true, 2, 0},
        {0, true, 1, 0},
        {0, true, 0, 0},
        {0, false, 0, 1000},
        {999, false, 0, 1},
        {1000, true, 0, 0},
        {1000, false, 0, 1000}}},
      {"who is refused loses nothing",
       {kSecond, 1},
       {{0, true, 0, 0}, {400, false, 0, 600}, {800, false, 0, 200}, {1000, true, 0, 0}}},
      {"at rest it is full and no fuller",
       {kSecond, 2},
       {{0, true, 1, 0}, {100'000, true, 1, 0}, {100'000, true, 0, 0}, {100'000, false, 0, 1000}}},
      {"half a token is none",
       {kSecond, 2},
       {{0, true, 1, 0}, {500, true, 0, 0}, {500, false, 0, 500}, {1000, true, 0, 0}}},
      {"a clock that is a little behind",
       {kSecond, 1},
       {{1000, true, 0, 0}, {990, false, 0, 1000}, {1990, false, 0, 10}, {2000, true, 0, 0}}},
      {"of two clocks the one behind gives nothing back",
       {10 * kMilli, 2},
       {{1000, true, 1, 0},
        {1000, true, 0, 0},
        {980, false, 0, 10},
        {1000, false, 0, 10},
        {985, false, 0, 10},
        {1010, true, 0, 0},
        {990, false, 0, 10},
        {1010, false, 0, 10}}},
      {"one an hour", {3'600 * kSecond, 1}, {{0, true, 0, 0}, {3'599'999, false, 0, 1}, {3'600'000, true, 0, 0}}},
      {"a burst of the most in an hour", {3'600 * kSecond, 1'000'000}, {{0, true, 999'999, 0}, {0, true, 999'998, 0}}},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    Bucket bucket;
    for (const Step& step : row.steps) {
      const Taken taken = TakeToken(bucket, row.rate, step.at_ms * 1'000'000);
      EXPECT_EQ(taken.token, step.token) << step.at_ms;
      EXPECT_EQ(taken.remaining, step.remaining) << step.at_ms;
      EXPECT_EQ(taken.wait_ns, step.wait_ms * 1'000'000) << step.at_ms;
    }
  }
}

TEST(TakeToken, SaysWhenItIsFullAgain) {
  Bucket bucket;
  const Rate rate{kSecond, 3};
  EXPECT_EQ(TakeToken(bucket, rate, 0).full_ns, kSecond);
  EXPECT_EQ(TakeToken(bucket, rate, 0).full_ns, 2 * kSecond);
  EXPECT_FALSE(bucket.IsFull(2 * kSecond - 1));
  EXPECT_TRUE(bucket.IsFull(2 * kSecond));
}

// What was taken stays taken when the configuration says another rate.
TEST(TakeToken, WithAnotherRate) {
  const struct {
    const char* name;
    Rate before;
    int taken;
    Rate after;
    int64_t remaining;  // after one more
    bool token;
  } kRows[] = {
      {"the same", {kSecond, 10}, 4, {kSecond, 10}, 5, true},
      {"a slower one", {kSecond, 10}, 4, {60 * kSecond, 10}, 5, true},
      {"a faster one", {60 * kSecond, 10}, 4, {kSecond, 10}, 5, true},
      {"a larger burst", {kSecond, 10}, 10, {kSecond, 20}, 9, true},
      {"a smaller burst", {kSecond, 10}, 4, {kSecond, 5}, 0, true},
      {"a burst that is smaller than what was taken", {kSecond, 10}, 10, {kSecond, 5}, 0, false},
      {"from the slowest to the fastest", {3'600 * kSecond, 1'000'000}, 9, {1'000, 1'000'000}, 999'990, true},
      {"from the fastest to the slowest", {1'000, 1'000'000}, 9, {3'600 * kSecond, 1'000'000}, 999'990, true},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    Bucket bucket;
    for (int i = 0; i < row.taken; ++i)
      EXPECT_TRUE(TakeToken(bucket, row.before, 5).token);
    const Taken taken = TakeToken(bucket, row.after, 5);
    EXPECT_EQ(taken.token, row.token);
    EXPECT_EQ(taken.remaining, row.remaining);
    // Nobody waits longer than a whole new bucket takes.
    EXPECT_LE(taken.full_ns, row.after.burst * row.after.interval_ns);
  }
}

TEST(GiveBackToken, UndoesATake) {
  const Rate rate{kSecond, 2};
  Bucket bucket;
  TakeToken(bucket, rate, 0);
  TakeToken(bucket, rate, 0);
  GiveBackToken(bucket, rate, 0);
  EXPECT_TRUE(TakeToken(bucket, rate, 0).token);
  EXPECT_FALSE(TakeToken(bucket, rate, 0).token);
  GiveBackToken(bucket, rate, -100 * kMilli);  // by a clock that is behind
  EXPECT_TRUE(TakeToken(bucket, rate, 0).token);
  EXPECT_FALSE(TakeToken(bucket, rate, 950 * kMilli).token);
  Bucket full;
  GiveBackToken(full, rate, 7);
  EXPECT_EQ(TakeToken(full, rate, 7).remaining, 1);
}

// Against a bucket that counts its tokens in the straightforward way, in exact fractions.
TEST(TakeToken, IsTheBucketThatItStandsFor) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    const Rate rate{static_cast<int64_t>(random() % 50 + 1), static_cast<int64_t>(random() % 20 + 1)};
    Bucket bucket;
    int64_t now = 0, level = rate.burst * rate.interval_ns, last = 0;  // in intervals' nanoseconds
    for (int i = 0; i < 300; ++i) {
      now += static_cast<int64_t>(random() % static_cast<uint64_t>(rate.interval_ns * 2));
      level = std::min(level + now - last, rate.burst * rate.interval_ns);
      last = now;
      const bool has = level >= rate.interval_ns;
      if (has) level -= rate.interval_ns;
      const Taken taken = TakeToken(bucket, rate, now);
      ASSERT_EQ(taken.token, has) << round << " " << i;
      ASSERT_EQ(taken.remaining, level / rate.interval_ns);
      ASSERT_EQ(taken.wait_ns, has ? 0 : rate.interval_ns - level);
    }
  }
}

}  // namespace
}  // namespace portico::shared
