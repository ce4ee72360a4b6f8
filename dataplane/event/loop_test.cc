#include "dataplane/event/loop.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace portico::event {
namespace {

// A loop without waiting: only what all loops have in common.
class BareLoop final : public Loop {
 public:
  void Post(std::function<void()> task) override { task(); }
  base::WallTime WallNow() const override { return {}; }
  void Turn(base::MonotonicTime now = {}) {
    BeginTurn(now);
    EndTurn();
  }
  using Loop::HasTurnEnds;
};

struct Task : TurnEnd {
  void OnTurnEnd() override {
    ++count;
    if (then) then();
  }
  int count = 0;
  std::function<void()> then;
};

struct Dying : Deletable {
  explicit Dying(std::function<void()> last_words) : last_words(std::move(last_words)) {}
  ~Dying() override { last_words(); }
  std::function<void()> last_words;
};

TEST(Loop, EndsATurnInOrder) {
  BareLoop loop;
  std::string order;
  Task task;
  struct Handler : Timer::Handler {
    explicit Handler(std::function<void()> run) : run(std::move(run)) {}
    void OnTimer(Timer&) override { run(); }
    std::function<void()> run;
  } handler([&] { order += "timer "; });
  Timer timer(loop.timers(), handler);
  task.then = [&] { order += "end "; };
  loop.DeleteLater(std::make_unique<Dying>([&] { order += "deletion"; }));
  loop.AtTurnEnd(task);
  timer.Set(base::MonotonicTime(std::chrono::seconds(1)));
  EXPECT_EQ(order, "");
  loop.Turn(base::MonotonicTime(std::chrono::seconds(1)));
  EXPECT_EQ(order, "timer end deletion");
}

TEST(Loop, RunsATurnEndOnceHoweverOftenItWasAskedFor) {
  BareLoop loop;
  Task task;
  loop.AtTurnEnd(task);
  loop.AtTurnEnd(task);
  loop.Turn();
  EXPECT_EQ(task.count, 1);
  loop.Turn();
  EXPECT_EQ(task.count, 1);
}

TEST(Loop, BoundsTheRoundsOfTurnEnds) {
  BareLoop loop;
  Task task;
  task.then = [&] { loop.AtTurnEnd(task); };
  loop.AtTurnEnd(task);
  loop.Turn();
  EXPECT_EQ(task.count, 8);
  EXPECT_TRUE(loop.HasTurnEnds()) << "the rest is for the next turn, which must not wait";
  task.then = nullptr;
  loop.Turn();
  EXPECT_EQ(task.count, 9);
  EXPECT_FALSE(loop.HasTurnEnds());
}

TEST(Loop, ATurnEndMayDestroyAnother) {
  BareLoop loop;
  Task first;
  auto second = std::make_unique<Task>();
  loop.AtTurnEnd(first);
  loop.AtTurnEnd(*second);
  first.then = [&] { second.reset(); };
  loop.Turn();
  EXPECT_EQ(first.count, 1);
}

TEST(Loop, WhatDiesMayHandOverMore) {
  BareLoop loop;
  int dead = 0;
  loop.DeleteLater(std::make_unique<Dying>([&] {
    ++dead;
    loop.DeleteLater(std::make_unique<Dying>([&] { ++dead; }));
  }));
  loop.Turn();
  EXPECT_EQ(dead, 2);
}

TEST(Loop, DestroysWithItWhatWaits) {
  int dead = 0;
  {
    BareLoop loop;
    loop.DeleteLater(std::make_unique<Dying>([&] { ++dead; }));
  }
  EXPECT_EQ(dead, 1);
}

}  // namespace
}  // namespace portico::event
