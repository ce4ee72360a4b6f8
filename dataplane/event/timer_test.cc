#include "dataplane/event/timer.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/random.h"

namespace portico::event {
namespace {

using base::Duration;
using base::MonotonicTime;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonotonicTime kStart{hours(1000)};

// Runs what it is told and counts.
struct Recorder : Timer::Handler {
  void OnTimer(Timer& timer) override {
    ++count;
    if (then) then(timer);
  }
  int count = 0;
  std::function<void(Timer&)> then;
};

struct Wheel : TimerWheel {
  Wheel() { Advance(kStart); }
  // Goes from expiry to expiry as a loop does.
  void AdvanceTo(MonotonicTime time) {
    for (auto next = NextExpiry(); next && *next <= time; next = NextExpiry())
      Advance(*next);
    Advance(time);
  }
};

TEST(TimerWheel, RunsAtTheDeadlineNeverBefore) {
  const struct {
    const char* name;
    Duration delay;
  } rows[] = {
      {"a tick", milliseconds(1)},
      {"part of a tick", microseconds(1)},
      {"a tick and a part", microseconds(1001)},
      {"the last slot of the first level", milliseconds(63)},
      {"the first of the second", milliseconds(64)},
      {"two levels", milliseconds(64 * 64 - 1)},
      {"the first of the third", milliseconds(64 * 64)},
      {"a minute", seconds(60)},
      {"a day", hours(24)},
      {"just within the wheel", hours(24 * 12)},
      {"longer than the wheel", hours(24 * 40)},
      {"a year", hours(24 * 365)},
  };
  for (const auto& row : rows) {
    for (Duration phase : {Duration(0), Duration(1), Duration(milliseconds(17)), Duration(seconds(4099))}) {
      SCOPED_TRACE(std::string(row.name) + " after " + std::to_string(phase.count()));
      Wheel wheel;
      const MonotonicTime begin = kStart + phase;
      wheel.Advance(begin);
      Recorder recorder;
      Timer timer(wheel, recorder);
      timer.Set(begin + row.delay);
      wheel.AdvanceTo(begin + row.delay - microseconds(1));
      EXPECT_EQ(recorder.count, 0);
      ASSERT_NE(wheel.NextExpiry(), std::nullopt);
      EXPECT_LE(*wheel.NextExpiry(), begin + row.delay + TimerWheel::kTick);
      wheel.AdvanceTo(begin + row.delay + TimerWheel::kTick);
      EXPECT_EQ(recorder.count, 1);
      EXPECT_EQ(timer.deadline(), std::nullopt);
      EXPECT_EQ(wheel.size(), 0u);
      EXPECT_EQ(wheel.NextExpiry(), std::nullopt);
    }
  }
}

TEST(TimerWheel, OneBigStepIsAsGoodAsManySmallOnes) {
  Wheel wheel;
  std::vector<int> order;
  Recorder recorders[4];
  std::vector<std::unique_ptr<Timer>> timers;
  const Duration delays[] = {hours(2), milliseconds(3), seconds(7), hours(24 * 30)};
  for (int i = 0; i < 4; ++i) {
    recorders[i].then = [&order, i](Timer&) { order.push_back(i); };
    timers.push_back(std::make_unique<Timer>(wheel, recorders[i]));
    timers[i]->Set(kStart + delays[i]);
  }
  EXPECT_EQ(wheel.Advance(kStart + hours(24 * 400)), 4u);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 0, 3}));
}

TEST(TimerWheel, MovingLaterOnlyStores) {
  Wheel wheel;
  Recorder recorder;
  Timer timer(wheel, recorder);
  timer.Set(kStart + milliseconds(10));
  const uint64_t insertions = wheel.insertions();
  for (int i = 0; i < 1000; ++i)
    timer.Set(kStart + seconds(5) + milliseconds(i));
  EXPECT_EQ(wheel.insertions(), insertions);
  EXPECT_EQ(*wheel.NextExpiry(), kStart + milliseconds(10)) << "the wheel finds out when the old one comes up";
  wheel.AdvanceTo(kStart + milliseconds(10));
  EXPECT_EQ(recorder.count, 0);
  wheel.AdvanceTo(kStart + milliseconds(5998));
  EXPECT_EQ(recorder.count, 0);
  wheel.AdvanceTo(kStart + milliseconds(5999));
  EXPECT_EQ(recorder.count, 1);
}

TEST(TimerWheel, MovingEarlierMoves) {
  Wheel wheel;
  Recorder recorder;
  Timer timer(wheel, recorder);
  timer.Set(kStart + hours(5));
  timer.Set(kStart + milliseconds(2));
  EXPECT_EQ(wheel.size(), 1u);
  wheel.AdvanceTo(kStart + milliseconds(2));
  EXPECT_EQ(recorder.count, 1);
  wheel.AdvanceTo(kStart + hours(6));
  EXPECT_EQ(recorder.count, 1);
}

TEST(TimerWheel, CancelAndForget) {
  Wheel wheel;
  Recorder recorder;
  Timer cancelled(wheel, recorder), forgotten(wheel, recorder), again(wheel, recorder);
  for (Timer* timer : {&cancelled, &forgotten, &again})
    timer->Set(kStart + milliseconds(5));
  cancelled.Cancel();
  EXPECT_EQ(cancelled.deadline(), std::nullopt);
  EXPECT_EQ(wheel.size(), 3u) << "it waits for its slot";
  forgotten.Forget();
  forgotten.Forget();
  EXPECT_EQ(wheel.size(), 2u);
  again.Cancel();
  again.Set(kStart + milliseconds(9));
  wheel.AdvanceTo(kStart + milliseconds(8));
  EXPECT_EQ(recorder.count, 0);
  EXPECT_EQ(wheel.size(), 1u);
  wheel.AdvanceTo(kStart + milliseconds(9));
  EXPECT_EQ(recorder.count, 1);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheel, ForgettingTheLastLeavesNothingToWaitFor) {
  Wheel wheel;
  Recorder recorder;
  Timer timer(wheel, recorder);
  for (Duration delay : {Duration(milliseconds(5)), Duration(seconds(5)), Duration(hours(24 * 400))}) {
    timer.Set(kStart + delay);
    EXPECT_NE(wheel.NextExpiry(), std::nullopt);
    timer.Forget();
    EXPECT_EQ(wheel.NextExpiry(), std::nullopt);
  }
}

TEST(TimerWheel, ADeadlineInThePastRunsInTheNextTick) {
  Wheel wheel;
  Recorder recorder;
  Timer timer(wheel, recorder);
  timer.Set(kStart - hours(1));
  EXPECT_EQ(wheel.Advance(kStart), 0u);
  EXPECT_EQ(wheel.Advance(kStart + milliseconds(1)), 1u);
  timer.Set(MonotonicTime::min());
  EXPECT_EQ(wheel.Advance(kStart + milliseconds(2)), 1u);
}

TEST(TimerWheel, TheLastOfAllTimesNeverComes) {
  Wheel wheel;
  Recorder recorder;
  Timer timer(wheel, recorder);
  timer.Set(MonotonicTime::max());
  wheel.AdvanceTo(kStart + hours(24 * 365));
  EXPECT_EQ(recorder.count, 0);
  EXPECT_EQ(wheel.size(), 1u);
}

TEST(TimerWheel, TimeThatGoesBackChangesNothing) {
  Wheel wheel;
  Recorder recorder;
  Timer timer(wheel, recorder);
  timer.Set(kStart + milliseconds(5));
  EXPECT_EQ(wheel.Advance(kStart - hours(1)), 0u);
  EXPECT_EQ(wheel.Advance(kStart + milliseconds(5)), 1u);
}

TEST(TimerHandler, MaySetItselfAgain) {
  Wheel wheel;
  Recorder recorder;
  Timer timer(wheel, recorder);
  MonotonicTime next = kStart;
  recorder.then = [&](Timer& self) { self.Set(next += milliseconds(10)); };
  timer.Set(next += milliseconds(10));
  wheel.AdvanceTo(kStart + milliseconds(100));
  EXPECT_EQ(recorder.count, 10);
}

TEST(TimerHandler, SettingThePastDoesNotSpin) {
  Wheel wheel;
  Recorder recorder;
  Timer timer(wheel, recorder);
  recorder.then = [&](Timer& self) { self.Set(kStart); };
  timer.Set(kStart);
  EXPECT_EQ(wheel.Advance(kStart + hours(1)), 1u);
  EXPECT_EQ(wheel.Advance(kStart + hours(2)), 1u);
}

TEST(TimerHandler, MayDestroyAnyTimer) {
  const struct {
    const char* name;
    int first;   // whose handler destroys
    int victim;  // whom
    int ran;     // how many run
  } rows[] = {{"itself", 0, 0, 3}, {"one that is due after it", 0, 2, 2}, {"one that has run", 2, 0, 3}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Wheel wheel;
    Recorder recorders[3];
    std::unique_ptr<Timer> timers[3];
    for (int i = 0; i < 3; ++i) {
      timers[i] = std::make_unique<Timer>(wheel, recorders[i]);
      timers[i]->Set(kStart + milliseconds(i < 2 ? 5 : 6));
    }
    recorders[row.first].then = [&](Timer&) { timers[row.victim].reset(); };
    EXPECT_EQ(wheel.Advance(kStart + milliseconds(20)), static_cast<size_t>(row.ran));
    EXPECT_EQ(wheel.size(), 0u);
  }
}

TEST(TimerHandler, MayCancelOrMoveOneThatIsDueToo) {
  for (bool move : {false, true}) {
    SCOPED_TRACE(move);
    Wheel wheel;
    Recorder first, second;
    Timer one(wheel, first), other(wheel, second);
    one.Set(kStart + milliseconds(5));
    other.Set(kStart + milliseconds(5));
    first.then = [&](Timer&) { move ? other.Set(kStart + seconds(1)) : other.Cancel(); };
    EXPECT_EQ(wheel.Advance(kStart + milliseconds(5)), 1u);
    EXPECT_EQ(wheel.size(), move ? 1u : 0u);
    wheel.AdvanceTo(kStart + seconds(2));
    EXPECT_EQ(second.count, move ? 1 : 0);
  }
}

// Against the simplest thing that could be right: every deadline compared with the time, over steps of all sizes.
TEST(TimerWheel, AgreesWithAList) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    base::Random random(seed);
    Wheel wheel;
    MonotonicTime now = kStart;
    const auto some_time = [&] { return Duration(random.Below(uint64_t{1} << random.Below(42))); };
    std::vector<std::unique_ptr<Timer>> timers;
    Recorder recorder;
    recorder.then = [&](Timer& timer) {
      if (random.Below(4) == 0) timer.Set(now + TimerWheel::kTick + some_time());
    };
    for (int i = 0; i < 50; ++i)
      timers.push_back(std::make_unique<Timer>(wheel, recorder));
    for (int step = 0; step < 300; ++step) {
      for (int change = 0; change < 5; ++change) {
        Timer& timer = *timers[random.Below(timers.size())];
        switch (random.Below(4)) {
          case 0:
            timer.Cancel();
            break;
          case 1:
            timer.Forget();
            break;
          default:
            timer.Set(now + some_time());
        }
      }
      now += some_time();
      wheel.Advance(now);
      for (const auto& timer : timers)
        if (timer->deadline()) {
          ASSERT_GT(*timer->deadline() + TimerWheel::kTick, now);
          ASSERT_TRUE(wheel.NextExpiry());
          ASSERT_LE(*wheel.NextExpiry(), *timer->deadline() + 2 * TimerWheel::kTick);
        }
    }
  }
}

}  // namespace
}  // namespace portico::event
