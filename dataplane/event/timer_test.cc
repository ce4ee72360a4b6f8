#include "dataplane/event/timer.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace portico::event {
namespace {

using base::MonotonicTime;
using std::chrono::milliseconds;

MonotonicTime At(int64_t ms) {
  return MonotonicTime(milliseconds(ms));
}

struct Recorder : Timer::Handler {
  void OnTimer(Timer&) override { fired.push_back(now); }
  MonotonicTime now{};
  std::vector<MonotonicTime> fired;
};

// Steps through time as a loop would: from expiry to expiry.
void RunUntil(TimerWheel& wheel, Recorder& recorder, MonotonicTime end) {
  while (const auto next = wheel.NextExpiry()) {
    if (*next > end) break;
    recorder.now = *next;
    wheel.Advance(*next);
  }
  recorder.now = end;
  wheel.Advance(end);
}

TEST(TimerTest, FiresAtItsDeadlineWhateverTheDistance) {
  for (const int64_t ms : {1, 2, 63, 64, 65, 127, 128, 4095, 4096, 4097, 262143, 262144, 300000, 16777216, 90000000}) {
    for (const int64_t start : {0, 1, 63, 64, 1000003}) {
      TimerWheel wheel;
      Recorder recorder;
      wheel.Advance(At(start));
      Timer timer(wheel, recorder);
      timer.Set(At(start + ms));
      RunUntil(wheel, recorder, At(start + ms - 1));
      EXPECT_TRUE(recorder.fired.empty()) << ms << " from " << start;
      RunUntil(wheel, recorder, At(start + ms + 1));
      ASSERT_EQ(recorder.fired.size(), 1u) << ms << " from " << start;
      EXPECT_EQ(recorder.fired[0], At(start + ms)) << ms << " from " << start;
      EXPECT_EQ(wheel.size(), 0u);
    }
  }
}

TEST(TimerTest, BeyondTheWheelIsReachedByGoingRound) {
  TimerWheel wheel;
  Recorder recorder;
  Timer timer(wheel, recorder);
  const int64_t thirty_days = int64_t{30} * 24 * 3600 * 1000;
  timer.Set(At(thirty_days));
  RunUntil(wheel, recorder, At(thirty_days + 1));
  ASSERT_EQ(recorder.fired.size(), 1u);
  EXPECT_EQ(recorder.fired[0], At(thirty_days));
}

TEST(TimerTest, LaterIsOnlyAStore) {
  TimerWheel wheel;
  Recorder recorder;
  Timer timer(wheel, recorder);
  timer.Set(At(100));
  const uint64_t before = wheel.insertions();
  for (int i = 101; i < 1000; ++i)
    timer.Set(At(i));
  EXPECT_EQ(wheel.insertions(), before);
  RunUntil(wheel, recorder, At(2000));
  ASSERT_EQ(recorder.fired.size(), 1u);
  EXPECT_EQ(recorder.fired[0], At(999));
}

TEST(TimerTest, EarlierIsEarlier) {
  TimerWheel wheel;
  Recorder recorder;
  Timer timer(wheel, recorder);
  timer.Set(At(100000));
  timer.Set(At(5));
  RunUntil(wheel, recorder, At(5));
  EXPECT_EQ(recorder.fired.size(), 1u);
}

TEST(TimerTest, CancelledNeverFiresAndCanBeSetAgain) {
  TimerWheel wheel;
  Recorder recorder;
  Timer timer(wheel, recorder);
  timer.Set(At(10));
  timer.Cancel();
  RunUntil(wheel, recorder, At(20));
  EXPECT_TRUE(recorder.fired.empty());
  EXPECT_EQ(wheel.size(), 0u);
  timer.Set(At(30));
  timer.Cancel();
  timer.Set(At(40));
  RunUntil(wheel, recorder, At(50));
  EXPECT_EQ(recorder.fired, std::vector<MonotonicTime>{At(40)});
}

TEST(TimerTest, APastDeadlineFiresAtTheNextTick) {
  TimerWheel wheel;
  Recorder recorder;
  wheel.Advance(At(1000));
  Timer timer(wheel, recorder);
  timer.Set(At(5));
  RunUntil(wheel, recorder, At(1001));
  EXPECT_EQ(recorder.fired.size(), 1u);
}

TEST(TimerTest, AHandlerMayDestroyAnyTimerAndSetItsOwn) {
  struct Destroyer : Timer::Handler {
    void OnTimer(Timer& timer) override {
      ++count;
      other.reset();
      if (count < 3) timer.Set(next += milliseconds(64));
    }
    std::unique_ptr<Timer> other;
    MonotonicTime next = At(10);
    int count = 0;
  };
  TimerWheel wheel;
  Destroyer destroyer;
  Recorder recorder;
  Timer first(wheel, destroyer);
  destroyer.other = std::make_unique<Timer>(wheel, recorder);
  first.Set(At(10));
  destroyer.other->Set(At(10));
  RunUntil(wheel, recorder, At(1000));
  EXPECT_EQ(destroyer.count, 3);
  EXPECT_TRUE(recorder.fired.empty());
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerTest, ManyTimersFireInOrderAndOnTime) {
  std::mt19937_64 random(7);
  TimerWheel wheel;
  struct One : Timer::Handler {
    void OnTimer(Timer&) override { fired = *now; }
    const MonotonicTime* now = nullptr;
    MonotonicTime deadline{}, fired{};
    std::unique_ptr<Timer> timer;
  };
  std::vector<One> all(2000);
  MonotonicTime now{};
  for (One& one : all) {
    one.now = &now;
    one.deadline = MonotonicTime(base::Duration(1 + static_cast<int64_t>(random() % 1'000'000'000)));
    one.timer = std::make_unique<Timer>(wheel, one);
    one.timer->Set(one.deadline);
  }
  while (const auto next = wheel.NextExpiry()) {
    ASSERT_GT(*next, now);
    now = *next;
    wheel.Advance(now);
  }
  for (const One& one : all) {
    EXPECT_GE(one.fired, one.deadline);
    EXPECT_LT(one.fired - one.deadline, TimerWheel::kTick);
  }
}

}  // namespace
}  // namespace portico::event
