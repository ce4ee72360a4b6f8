#include "dataplane/shared/budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "dataplane/shared/keyed.h"
#include "dataplane/shared/task_queue.h"

namespace portico::shared {
namespace {

struct FakeLoop : base::Poster {
  void Post(std::function<void()> task) override { tasks.push_back(std::move(task)); }
  void Turn() {
    for (std::deque<std::function<void()>> now = std::exchange(tasks, {}); !now.empty(); now.pop_front())
      now.front()();
  }
  std::deque<std::function<void()>> tasks;
};

struct Taker final : Budget::Member::Handler {
  Taker(const std::shared_ptr<Budget>& budget, FakeLoop& its_loop)
      : loop(its_loop), member(std::in_place, budget, its_loop, *this) {}
  ~Taker() { Clear(); }
  void Clear() {
    while (member && member->held() > 0)
      member->Return();
  }
  void OnRoom() override {
    ++rooms;
    if (wants > 0) {
      wants -= member->TryTake(max) ? 1 : 0;
      if (wants > 0) member->Wait(max);
    }
  }
  void OnWanted() override { ++wanted; }
  void Want(size_t count) {
    wants += count;
    member->Wait(max);
  }

  FakeLoop& loop;
  size_t max = 2;
  size_t wants = 0;
  int rooms = 0, wanted = 0;
  std::optional<Budget::Member> member;
};

struct World {
  ~World() {
    for (Taker* one : {&a, &b, &c})
      one->Clear();
    Turn();
    for (Taker* one : {&a, &b, &c})
      one->Clear();
    Turn();
    EXPECT_EQ(budget->taken(), 0u);
  }
  void Turn() {
    for (int i = 0; i < 4; ++i)
      for (FakeLoop* loop : {&loop_a, &loop_b, &loop_c})
        loop->Turn();
  }
  // "2 0 1": what each of them holds.
  std::string Held() const {
    const auto text = [](const Taker& one) { return one.member ? std::to_string(one.member->held()) : "-"; };
    return text(a) + " " + text(b) + " " + text(c);
  }

  FakeLoop loop_a, loop_b, loop_c;
  std::shared_ptr<Budget> budget = std::make_shared<Budget>();
  Taker a{budget, loop_a}, b{budget, loop_b}, c{budget, loop_c};
};

TEST(Budget, IsOneForAll) {
  World world;
  EXPECT_TRUE(world.a.member->TryTake(2));
  EXPECT_TRUE(world.a.member->TryTake(2)) << "one may have it all";
  EXPECT_FALSE(world.b.member->HasRoom(2));
  EXPECT_FALSE(world.b.member->TryTake(2));
  EXPECT_TRUE(world.b.member->TryTake(3)) << "the limit is the taker's";
  world.b.member->Take();
  EXPECT_EQ(world.budget->taken(), 4u);
}

TEST(Budget, HandsWhatComesBackToWhoWaitedFirst) {
  World world;
  ASSERT_TRUE(world.a.member->TryTake(2) && world.a.member->TryTake(2));
  world.b.Want(2);
  world.c.Want(1);
  world.Turn();
  EXPECT_EQ(world.Held(), "2 0 0");
  world.a.member->Return();
  EXPECT_FALSE(world.a.member->HasRoom(2));
  EXPECT_FALSE(world.a.member->TryTake(2)) << "it is no longer there for who gave it back";
  world.Turn();
  EXPECT_EQ(world.Held(), "1 1 0");
  world.a.member->Return();
  world.Turn();
  EXPECT_EQ(world.Held(), "0 1 1") << "one slot at a time, each in turn";
  world.c.member->Return();
  world.Turn();
  EXPECT_EQ(world.Held(), "0 2 0");
}

TEST(Budget, TellsTheOthersThatSomebodyWaits) {
  World world;
  ASSERT_TRUE(world.a.member->TryTake(1));
  world.b.max = 1;
  world.b.Want(1);
  world.b.member->Wait(1);  // told once
  EXPECT_TRUE(world.a.member->OthersWait());
  EXPECT_FALSE(world.b.member->OthersWait()) << "nobody but itself";
  world.Turn();
  EXPECT_EQ(world.a.wanted, 1);
  EXPECT_EQ(world.b.wanted, 0);
  EXPECT_EQ(world.c.wanted, 1);
  EXPECT_EQ(world.a.member->FairShare(7), 2u);
  EXPECT_EQ(world.a.member->FairShare(2), 1u);
}

TEST(Budget, PassesOnWhatIsNotUsed) {
  const struct {
    std::string_view name;
    std::function<void(World&)> change;  // after b was granted the slot and before it hears so
    std::string_view held;
  } kRows[] = {
      {"it is needed", [](World&) {}, "0 1 0"},
      {"nobody needs it there any more", [](World& world) { world.b.wants = 0; }, "0 0 1"},
      {"the member is gone", [](World& world) { world.b.member.reset(); }, "0 - 1"},
      {"the loop is gone with its tasks",
       [](World& world) {
         world.b.member.reset();
         world.loop_b.tasks.clear();
       },
       "0 - 1"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    world.a.max = world.b.max = world.c.max = 1;
    ASSERT_TRUE(world.a.member->TryTake(1));
    world.b.Want(1);
    world.c.Want(1);
    world.a.member->Return();
    row.change(world);
    world.Turn();
    EXPECT_EQ(world.Held(), row.held);
  }
}

TEST(Budget, WhoStopsWaitingIsPassedOver) {
  World world;
  ASSERT_TRUE(world.a.member->TryTake(1));
  world.b.max = 1;
  world.b.Want(1);
  world.c.Want(1);  // up to 2: behind b it waits all the same
  world.Turn();
  EXPECT_EQ(world.Held(), "1 0 0");
  world.b.wants = 0;
  world.b.member->StopWaiting();
  world.Turn();
  EXPECT_EQ(world.Held(), "1 0 1");
  EXPECT_FALSE(world.a.member->OthersWait());
}

constexpr int kSlots = 2;

struct QueueLoop : base::Poster {
  void Post(std::function<void()> task) override { std::ignore = queue.Push(std::move(task)); }
  void Turn() {
    for (const TaskQueue::Task& task : queue.TakeAll())
      task();
    std::this_thread::yield();
  }
  TaskQueue queue;
};

struct Racer final : Budget::Member::Handler {
  Racer(const std::shared_ptr<Budget>& budget, std::atomic<int>& everybodys)
      : member(budget, loop, *this), inside(everybodys) {}
  void OnRoom() override {
    if (rounds > 0 && member.TryTake(kSlots)) Use();
  }
  void OnWanted() override {}
  void Use() {
    EXPECT_LE(++inside, kSlots);
    --inside;
    --rounds;
    member.Return();
  }
  void Round() {
    if (member.TryTake(kSlots)) return Use();
    member.Wait(kSlots);
    for (const int before = rounds; rounds == before;)
      loop.Turn();
  }

  QueueLoop loop;
  Budget::Member member;
  std::atomic<int>& inside;
  int rounds = 2000;
};

// At full speed: never over the limit, and nobody waits for ever.
TEST(Budget, LosesNoWakeUpAmongThreads) {
  auto budget = std::make_shared<Budget>();
  std::atomic<int> inside = 0;
  std::atomic<int> racing = 4;
  {
    std::vector<std::unique_ptr<Racer>> racers;
    for (int i = 0; i < racing; ++i)
      racers.push_back(std::make_unique<Racer>(budget, inside));
    std::vector<std::thread> threads;
    for (const auto& racer : racers) {
      threads.emplace_back([&racing, &racer] {
        while (racer->rounds > 0)
          racer->Round();
        for (--racing; racing > 0;)
          racer->loop.Turn();
      });
    }
    for (std::thread& thread : threads)
      thread.join();
  }
  EXPECT_EQ(budget->taken(), 0u);
}

TEST(Keyed, IsTheSameWhileAnybodyHoldsIt) {
  Keyed<int> keyed;
  const std::shared_ptr<int> one = keyed.Of("one");
  *one = 1;
  EXPECT_EQ(keyed.Of("one"), one);
  std::shared_ptr<int> two = keyed.Of("two");
  EXPECT_NE(two, one);
  *two = 2;
  two.reset();
  EXPECT_EQ(*keyed.Of("two"), 0) << "made anew";
  EXPECT_EQ(*keyed.Of("one"), 1);
  EXPECT_EQ(keyed.size(), 1u) << "what nobody holds is forgotten";
}

}  // namespace
}  // namespace portico::shared
