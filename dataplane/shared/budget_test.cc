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
  size_t OnWanted(size_t count) override {
    ++wanted;
    wanted_count = count;
    for (; count > 0 && idle > 0; --count, --idle)
      member->Return();
    return later;
  }
  void Want(size_t count) {
    wants += count;
    member->Wait(max);
  }

  FakeLoop& loop;
  size_t max = 2;
  size_t wants = 0;
  size_t idle = 0;   // of what it holds
  size_t later = 0;  // that it says will come
  int rooms = 0, wanted = 0;
  size_t wanted_count = 0;
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

TEST(Budget, AsksOneAfterAnotherUntilEnoughComesBack) {
  const struct {
    std::string_view name;
    size_t b_max;     // b waits
    size_t idle[3];   // of the two that a and c each hold, and of none
    size_t later[3];  // that each says will come
    int wanted[3];    // how often each was asked
    std::string_view held;
  } kRows[] = {
      {"nobody has any", 4, {0, 0, 0}, {0, 0, 0}, {1, 1, 1}, "2 0 2"},
      {"the next one gives it up", 4, {2, 0, 2}, {0, 0, 0}, {0, 1, 1}, "2 1 1"},
      {"the last one gives it up", 4, {1, 0, 0}, {0, 0, 0}, {1, 1, 1}, "1 1 2"},
      {"it is coming", 4, {1, 0, 0}, {0, 0, 1}, {0, 1, 1}, "2 0 2"},
      {"it is coming to who waits, of its own", 4, {1, 0, 1}, {0, 1, 0}, {0, 1, 0}, "2 0 2"},
      {"over a limit that has become lower", 3, {2, 0, 2}, {0, 0, 0}, {0, 1, 1}, "2 1 0"},
      {"far over it", 1, {2, 0, 2}, {0, 0, 0}, {1, 1, 1}, "0 1 0"},
      {"over it, and some is coming", 2, {2, 0, 0}, {0, 0, 2}, {1, 1, 1}, "1 0 2"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    Taker* takers[] = {&world.a, &world.b, &world.c};
    for (Taker* one : {&world.a, &world.c})
      ASSERT_TRUE(one->member->TryTake(4) && one->member->TryTake(4));
    for (size_t i = 0; i < 3; ++i) {
      takers[i]->idle = row.idle[i];
      takers[i]->later = row.later[i];
    }
    world.b.max = row.b_max;
    world.b.Want(1);
    EXPECT_TRUE(world.a.member->OthersWait());
    EXPECT_FALSE(world.b.member->OthersWait()) << "nobody but itself";
    world.Turn();
    for (size_t i = 0; i < 3; ++i)
      EXPECT_EQ(takers[i]->wanted, row.wanted[i]) << i;
    EXPECT_EQ(world.Held(), row.held);
  }
}

// The question that goes round is not lost with a member that it has come to, and meets who came later.
TEST(Budget, AsksOnWhoeverGoes) {
  for (const bool loop_goes_too : {false, true}) {
    SCOPED_TRACE(loop_goes_too);
    World world;
    world.a.max = world.b.max = 2;
    ASSERT_TRUE(world.a.member->TryTake(2) && world.a.member->TryTake(2));
    world.c.member->Wait(2);  // asks c, a, b
    world.b.Want(1);
    world.a.idle = 2;
    world.c.member.reset();
    if (loop_goes_too) world.loop_c.tasks.clear();
    world.Turn();
    EXPECT_EQ(world.Held(), "1 1 -");
    world.b.Want(1);
    world.Turn();
    EXPECT_EQ(world.Held(), "0 2 -") << "asked anew";
  }
}

TEST(Budget, WhoHasMoreOwesWhoHasLess) {
  const struct {
    std::string_view name;
    size_t a, b, c, max;  // what each holds; b waits
    bool owes;            // a does
  } kRows[] = {
      {"all", 3, 0, 0, 3, true},
      {"two more", 3, 1, 0, 4, true},
      {"one more: then the other would have", 2, 1, 0, 3, false},
      {"as many", 2, 2, 0, 4, false},
      {"fewer", 1, 2, 0, 3, false},
      {"its share of fewer slots than members", 1, 0, 1, 2, true},
      {"as many slots as members, and another has more", 1, 0, 2, 3, false},
      {"none", 0, 0, 3, 3, false},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    for (size_t i = 0; i < row.a; ++i)
      world.a.member->Take();
    for (size_t i = 0; i < row.b; ++i)
      world.b.member->Take();
    for (size_t i = 0; i < row.c; ++i)
      world.c.member->Take();
    EXPECT_FALSE(world.a.member->OwesOne()) << "nobody waits";
    world.b.max = row.max;
    world.b.Want(1);
    EXPECT_EQ(world.a.member->OwesOne(), row.owes);
    EXPECT_FALSE(world.b.member->OwesOne()) << "not to itself";
    world.b.wants = 0;
  }
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

// a holds two, b and c wait for one each, up to two in all.
TEST(Budget, KeepsItsLineWhateverBecomesOfIt) {
  const struct {
    std::string_view name;
    std::function<void(World&)> change;
    std::string_view held;
  } kRows[] = {
      {"nothing", [](World&) {}, "2 0 0"},
      {"one comes back", [](World& world) { world.a.member->Return(); }, "1 1 0"},
      {"the first is gone",
       [](World& world) {
         world.b.member.reset();
         world.a.member->Return();
       },
       "1 - 1"},
      {"the first waits again once it is promised one",
       [](World& world) {
         world.a.member->Return();
         world.b.member->Wait(2);
       },
       "1 1 0"},
      {"the first stops once it is promised one, and takes it all the same",
       [](World& world) {
         world.a.member->Return();
         world.b.member->StopWaiting();
       },
       "1 1 0"},
      {"the first stops before it is promised one",
       [](World& world) {
         world.b.member->StopWaiting();
         world.a.member->Return();
       },
       "1 0 1"},
      {"the first may have more", [](World& world) { world.b.member->Wait(3); }, "2 1 0"},
      {"the first may have fewer, and holds up the others",
       [](World& world) {
         world.b.member->Wait(1);
         world.a.member->Return();
       },
       "1 0 0"},
      {"it keeps its place with another limit",
       [](World& world) {
         world.b.member->Wait(1);
         world.b.member->Wait(2);
         world.a.member->Return();
       },
       "1 1 0"},
      {"somebody takes one above the limit",
       [](World& world) {
         world.c.member->Take();
         world.a.member->Return();
       },
       "1 0 1"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    ASSERT_TRUE(world.a.member->TryTake(2) && world.a.member->TryTake(2));
    world.b.Want(1);
    world.c.Want(1);
    row.change(world);
    world.Turn();
    EXPECT_EQ(world.Held(), row.held);
    world.b.wants = world.c.wants = 0;
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
    if (rounds > 0 && !inside_now && member.TryTake(kSlots)) Enter();
  }
  size_t OnWanted(size_t) override { return 0; }
  void Enter() {
    inside_now = true;
    EXPECT_LE(++inside, kSlots);
  }
  void Leave() {
    inside_now = false;
    --inside;
    --rounds;
    member.Return();
  }
  // Inside for a turn, so that others meet it there. Now and then it changes its mind.
  void Round() {
    if (member.TryTake(kSlots)) {
      Enter();
    } else {
      member.Wait(kSlots);
      if (rounds % 7 == 0) {
        loop.Turn();
        member.StopWaiting();
        if (!inside_now) member.Wait(kSlots);
      }
    }
    while (!inside_now)
      loop.Turn();
    loop.Turn();
    Leave();
  }

  QueueLoop loop;
  Budget::Member member;
  std::atomic<int>& inside;
  bool inside_now = false;
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
}

TEST(Keyed, ForgetsWhatNobodyHolds) {
  Keyed<int> keyed;
  std::vector<std::shared_ptr<int>> held;
  for (int i = 0; i < 100; ++i)
    held.push_back(keyed.Of(std::to_string(i)));
  EXPECT_EQ(keyed.size(), 100u);
  held.resize(10);
  for (int i = 0; i < 10'000; ++i) {
    keyed.Of("passing " + std::to_string(i));
    ASSERT_LE(keyed.size(), 200u);
  }
  EXPECT_LE(keyed.size(), 20u + 2u);
}

}  // namespace
}  // namespace portico::shared
