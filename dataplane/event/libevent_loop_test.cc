#include "dataplane/event/libevent_loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/base/file_descriptor.h"
#include "dataplane/event/fd_event.h"
#include "dataplane/event/signals.h"
#include "dataplane/event/timer.h"

namespace portico::event {
namespace {

struct TimerRecorder : Timer::Handler {
  void OnTimer(Timer& timer) override {
    ++count;
    if (then) then();
  }
  int count = 0;
  std::function<void()> then;
};

struct FdRecorder : FdEvent::Handler {
  void OnFdEvent(FdReadiness ready) override {
    seen.push_back(std::string(ready.readable ? "r" : "") + (ready.writable ? "w" : "") + (ready.closed ? "c" : ""));
    if (then) then();
  }
  std::vector<std::string> seen;
  std::function<void()> then;
};

struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    here.Reset(ends[0]);
    there.Reset(ends[1]);
  }
  void Send() { EXPECT_EQ(::write(there.get(), "x", 1), 1); }
  base::FileDescriptor here, there;
};

TEST(LibeventLoop, RunsTimersNeverBeforeTheirTime) {
  LibeventLoop loop;
  TimerRecorder recorder;
  Timer timer(loop.timers(), recorder);
  const base::MonotonicTime deadline = loop.Now() + std::chrono::milliseconds(20);
  recorder.then = [&] {
    EXPECT_GE(loop.Now(), deadline);
    loop.Stop();
  };
  timer.Set(deadline);
  loop.Run();
  EXPECT_EQ(recorder.count, 1);
}

TEST(LibeventLoop, SetsItsTimerOnlyForEarlierTimes) {
  LibeventLoop loop;
  TimerRecorder recorder;
  Timer timer(loop.timers(), recorder), sooner(loop.timers(), recorder);
  FdRecorder events;
  FdEvent event(loop, events);
  timer.Set(loop.Now() + std::chrono::hours(1));
  Pair pair;
  events.then = [&] {
    char byte;
    EXPECT_EQ(::read(pair.here.get(), &byte, 1), 1);
  };
  ASSERT_TRUE(event.Watch(pair.here.get(), FdEvent::Interest::kReadable));
  for (int i = 0; i < 100; ++i) {
    timer.Set(loop.Now() + std::chrono::hours(1) + std::chrono::seconds(i));
    pair.Send();
    loop.Turn(true);
  }
  EXPECT_EQ(loop.timer_arms(), 1u);
  EXPECT_EQ(events.seen.size(), 100u);
  sooner.Set(loop.Now() + std::chrono::minutes(1));
  pair.Send();
  loop.Turn(true);
  EXPECT_EQ(loop.timer_arms(), 2u);
}

TEST(LibeventLoop, NowIsFixedWithinATurn) {
  LibeventLoop loop;
  std::vector<base::MonotonicTime> times;
  std::vector<base::WallTime> wall_times;
  Pair pairs[2];
  FdRecorder recorder;
  FdEvent one(loop, recorder), two(loop, recorder);
  recorder.then = [&] {
    times.push_back(loop.Now());
    wall_times.push_back(loop.WallNow());
  };
  ASSERT_TRUE(one.Watch(pairs[0].here.get(), FdEvent::Interest::kReadable));
  ASSERT_TRUE(two.Watch(pairs[1].here.get(), FdEvent::Interest::kReadable));
  pairs[0].Send();
  pairs[1].Send();
  loop.Post([&] { times.push_back(loop.Now()); });
  loop.Turn(true);
  ASSERT_EQ(times.size(), 3u);
  EXPECT_EQ(times[0], times[1]);
  EXPECT_EQ(times[0], times[2]);
  EXPECT_EQ(wall_times[0], wall_times[1]);
  EXPECT_GT(wall_times[0].time_since_epoch(), std::chrono::hours(24 * 365 * 50));
}

TEST(LibeventLoop, WakesForATaskFromAnotherThread) {
  LibeventLoop loop;
  std::vector<int> order;
  std::thread thread([&] {
    for (int i = 0; i < 100; ++i)
      loop.Post([&order, i] { order.push_back(i); });
    loop.Post([&] { loop.Stop(); });
  });
  loop.Run();
  thread.join();
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(order[i], i);
}

TEST(LibeventLoop, APostedTaskMayPostForTheNextTurn) {
  LibeventLoop loop;
  int count = 0;
  loop.Post([&] {
    ++count;
    loop.Post([&] { ++count; });
  });
  loop.Turn(true);
  EXPECT_EQ(count, 1);
  loop.Turn(true);
  EXPECT_EQ(count, 2);
}

TEST(LibeventLoop, DestroysTasksThatNeverRan) {
  auto held = std::make_shared<int>(1);
  {
    LibeventLoop loop;
    loop.Post([held] { FAIL(); });
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(LibeventLoop, DoesNotWaitWhileTurnEndsAreLeft) {
  LibeventLoop loop;
  struct Greedy : TurnEnd {
    void OnTurnEnd() override {
      if (++count < 20) loop->AtTurnEnd(*this);
    }
    LibeventLoop* loop = nullptr;
    int count = 0;
  } task;
  task.loop = &loop;
  loop.AtTurnEnd(task);
  for (int turn = 0; turn < 3; ++turn)
    loop.Turn(true);
  EXPECT_EQ(task.count, 20);
}

TEST(FdEvent, TellsOncePerChange) {
  LibeventLoop loop;
  Pair pair;
  FdRecorder recorder;
  FdEvent event(loop, recorder);
  ASSERT_TRUE(event.Watch(pair.here.get(), FdEvent::Interest::kStream));
  loop.Turn(true);
  EXPECT_EQ(recorder.seen, std::vector<std::string>{"w"});
  pair.Send();
  loop.Turn(true);
  loop.Turn(false);
  EXPECT_EQ(recorder.seen, (std::vector<std::string>{"w", "rw"})) << "the unread byte is not told again";
  pair.Send();
  ::shutdown(pair.there.get(), SHUT_WR);
  loop.Turn(true);
  EXPECT_EQ(recorder.seen.back(), "rwc") << "data and FIN arrive together";
}

TEST(FdEvent, TellsInEveryTurnWhileReadable) {
  LibeventLoop loop;
  Pair pair;
  FdRecorder recorder;
  FdEvent event(loop, recorder);
  ASSERT_TRUE(event.Watch(pair.here.get(), FdEvent::Interest::kReadable));
  pair.Send();
  loop.Turn(true);
  loop.Turn(true);
  EXPECT_EQ(recorder.seen.size(), 2u);
  event.Unwatch();
  loop.Turn(false);
  EXPECT_EQ(recorder.seen.size(), 2u);
  ASSERT_TRUE(event.Watch(pair.here.get(), FdEvent::Interest::kReadable));
  loop.Turn(true);
  EXPECT_EQ(recorder.seen.size(), 3u);
}

TEST(FdEvent, TellsInEveryTurnWhileItCanDoAnything) {
  LibeventLoop loop;
  Pair pair;
  FdRecorder recorder;
  FdEvent event(loop, recorder);
  ASSERT_TRUE(event.Watch(pair.here.get(), FdEvent::Interest::kReadableOrWritable));
  loop.Turn(false);
  loop.Turn(false);
  pair.Send();
  loop.Turn(false);
  loop.Turn(false);
  EXPECT_EQ(recorder.seen, (std::vector<std::string>{"w", "w", "rw", "rw"}));
  ASSERT_TRUE(event.Watch(pair.here.get(), FdEvent::Interest::kReadable));  // from now on
  loop.Turn(false);
  EXPECT_EQ(recorder.seen.back(), "r");
}

TEST(FdEvent, TriggeredInItsHandlerRunsInTheNextTurn) {
  LibeventLoop loop;
  FdRecorder recorder;
  FdEvent event(loop, recorder);
  recorder.then = [&] {
    if (recorder.seen.size() == 1) event.Trigger({.writable = true});
  };
  event.Trigger({.readable = true});
  event.Trigger({.closed = true});
  loop.Turn(true);
  EXPECT_EQ(recorder.seen, std::vector<std::string>{"rc"});
  loop.Turn(true);
  EXPECT_EQ(recorder.seen, (std::vector<std::string>{"rc", "w"}));
}

TEST(FdEvent, MayBeDestroyedByAnothersHandler) {
  for (bool triggered : {false, true}) {
    SCOPED_TRACE(triggered);
    LibeventLoop loop;
    Pair pairs[2];
    FdRecorder recorders[2];
    std::unique_ptr<FdEvent> events[2];
    for (int i = 0; i < 2; ++i) {
      events[i] = std::make_unique<FdEvent>(loop, recorders[i]);
      recorders[i].then = [&events, i] { events[1 - i].reset(); };
      if (triggered) {
        events[i]->Trigger({.readable = true});
      } else {
        ASSERT_TRUE(events[i]->Watch(pairs[i].here.get(), FdEvent::Interest::kReadable));
        pairs[i].Send();
      }
    }
    loop.Turn(true);
    EXPECT_EQ(recorders[0].seen.size() + recorders[1].seen.size(), 1u);
  }
}

TEST(FdEvent, SaysWhenItCanNotBeWatched) {
  LibeventLoop loop;
  FdRecorder recorder;
  FdEvent event(loop, recorder);
  testing::internal::CaptureStderr();
  EXPECT_FALSE(event.Watch(STDERR_FILENO + 1000, FdEvent::Interest::kReadable));
  testing::internal::GetCapturedStderr();  // libevent's own warning
  EXPECT_FALSE(event.watched());
}

TEST(SignalWatch, DeliversSignalsToTheLoop) {
  LibeventLoop loop;
  struct Recorder : SignalWatch::Handler {
    void OnSignal(int number) override { seen.push_back(number); }
    std::vector<int> seen;
  } recorder;
  SignalWatch signals(loop, {SIGHUP, SIGTERM}, recorder);
  for (int number : {SIGHUP, SIGHUP, SIGTERM})
    ASSERT_EQ(::kill(::getpid(), number), 0);
  loop.Turn(true);
  ASSERT_EQ(recorder.seen.size(), 2u) << "two of a kind are one";
  EXPECT_TRUE(recorder.seen[0] == SIGHUP || recorder.seen[1] == SIGHUP);
}

}  // namespace
}  // namespace portico::event
