// What becomes of clients over the limit of connections.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/listener/test_world.h"

namespace portico::listener {
namespace {

TEST(ListenerLimit, ServesWhoWaitedAtAnAddressThatGoes) {
  World world;
  world.budget.set_connections_max(1);
  world.Serve(Hello(), {At("10.0.0.1", 0), At("10.0.0.2", 0)});
  world.Connect(Get("/silent"), At("10.0.0.1"));
  world.world.RunFor(seconds(1));
  TestPeer& next = world.Connect(Get("/"), At("10.0.0.1"));
  world.world.RunFor(seconds(1));
  TestPeer& queued = world.Connect(Get("/"), At("10.0.0.2"));
  world.world.RunFor(seconds(1));
  world.InLoop([&] {
    ASSERT_TRUE(world.listener->Bind(*Hello(), BindAddresses({At("10.0.0.1", 0)})).ok());
    world.listener->Update(Hello());
  });
  EXPECT_TRUE(world.Until([&] { return queued.Heard("hello"); }));
  EXPECT_EQ(next.heard, "") << "its address stays: it goes on waiting";
}

TEST(ListenerLimit, AcceptsNobodyOverTheLimit) {
  World world;
  world.budget.set_connections_max(2);
  world.Serve(Hello());
  world.Connect(Get("/silent"));
  world.Connect(Get("/silent"));
  world.world.RunFor(seconds(1));
  ASSERT_EQ(world.listener->connections(), 2u);
  TestPeer& waiting = world.Connect(Get("/"));
  world.world.RunFor(seconds(1));
  TestPeer& behind = world.Connect(Get("/"));
  world.world.RunFor(seconds(1));
  EXPECT_EQ(waiting.heard + behind.heard, "");
  EXPECT_EQ(world.listener->connections(), 2u);
  // A newer configuration does not let anybody in by the way.
  world.InLoop([&] {
    ASSERT_TRUE(world.listener->Bind(*Hello(), BindAddresses({})).ok());
    world.listener->Update(Hello());
  });
  world.world.RunFor(seconds(1));
  EXPECT_EQ(waiting.heard + behind.heard, "");
  world.clients.erase(world.clients.begin());
  EXPECT_TRUE(world.Until([&] { return waiting.Heard("hello"); }));
  EXPECT_TRUE(world.Until([&] { return behind.Heard("hello") && waiting.gone(); })) << "the idle one made room";
  world.InLoop([&] { world.budget.set_connections_max(std::nullopt); });
  std::vector<TestPeer*> more;
  for (int i = 0; i < 5; ++i)
    more.push_back(&world.Connect(Get("/silent")));
  EXPECT_TRUE(world.Until([&] { return world.listener->connections() == 7; }));
  EXPECT_FALSE(behind.gone());
}

TEST(ListenerLimit, AHigherLimitLetsInWhoWaits) {
  World world;
  world.budget.set_connections_max(1);
  world.Serve(Hello());
  world.Connect(Get("/silent"));
  world.world.RunFor(seconds(1));
  ASSERT_EQ(world.listener->connections(), 1u);
  TestPeer& waiting = world.Connect(Get("/"));
  world.world.RunFor(seconds(1));
  EXPECT_EQ(waiting.heard, "");
  world.InLoop([&] { world.budget.set_connections_max(2); });
  EXPECT_TRUE(world.Until([&] { return waiting.Heard("hello"); }));
}

TEST(ListenerLimit, IdleConnectionsMakeRoom) {
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
  const std::string goaway("\0\0\x8\7\0\0\0\0\0", 9);
  const struct {
    std::string_view name;
    std::string says;
    std::string_view hears;  // before the other comes
    bool makes_room;
    std::string_view hears_last = "";
  } kRows[] = {
      {"between requests", Get("/"), "hello", true},
      {"has not asked for anything yet", "", "", true},
      {"HTTP/2 without streams is told", preface, std::string_view("\4\0\0\0\0\0", 6), true, goaway},
      {"in the middle of a head", "GET / HTTP/1.1\r\n", "", false},
      {"waits for its answer", Get("/silent"), "", false},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    world.budget.set_connections_max(1);
    world.Serve(Hello());
    TestPeer& first = world.Connect(row.says);
    ASSERT_TRUE(world.Until([&] { return world.listener->connections() == 1 && first.Heard(row.hears); }));
    world.world.RunFor(milliseconds(100));
    TestPeer& other = world.Connect(Get("/"));
    world.world.RunFor(seconds(5));
    EXPECT_EQ(first.gone(), row.makes_room);
    EXPECT_EQ(other.Heard("hello"), row.makes_room);
    EXPECT_TRUE(first.Heard(row.hears_last));
  }
}

TEST(ListenerLimit, TheLongestIdleGoesFirst) {
  World world;
  world.budget.set_connections_max(3);
  world.Serve(Hello());
  TestPeer* peers[3];
  for (TestPeer*& peer : peers) {
    peer = &world.Connect(Get("/"));
    ASSERT_TRUE(world.Until([&] { return peer->Heard("hello"); }));
  }
  peers[0]->Say(Get("/"));
  ASSERT_TRUE(world.Until([&] { return peers[0]->Answers() == 2; }));
  TestPeer& other = world.Connect(Get("/"));
  EXPECT_TRUE(world.Until([&] { return other.Heard("hello"); }));
  world.world.RunFor(seconds(2));
  EXPECT_FALSE(peers[0]->gone());
  EXPECT_TRUE(peers[1]->gone());
  EXPECT_FALSE(peers[2]->gone());
}

TEST(ListenerLimit, ABusyConnectionMakesRoomOnceItIsIdle) {
  World world;
  world.budget.set_connections_max(1);
  world.Serve(Hello());
  TestPeer& slow = world.Connect("GET / HTTP/1.1\r\n");
  world.world.RunFor(seconds(1));
  ASSERT_EQ(world.listener->connections(), 1u);
  TestPeer& other = world.Connect(Get("/"));
  world.world.RunFor(seconds(1));
  EXPECT_EQ(other.heard, "");
  slow.Say("host: shop.example\r\n\r\n");
  EXPECT_TRUE(world.Until([&] { return slow.Heard("hello") && other.Heard("hello"); }, seconds(2)));
}

// Who waits may leave, and the listener may be closed under it.
TEST(ListenerLimit, WhoWaitsIsNotKeptForEver) {
  for (const bool closes : {false, true}) {
    SCOPED_TRACE(closes);
    World world;
    world.budget.set_connections_max(1);
    world.Serve(Hello());
    TestPeer& busy = world.Connect(Get("/silent"));
    world.world.RunFor(seconds(1));
    ASSERT_EQ(world.listener->connections(), 1u);
    TestPeer& waiting = world.Connect(Get("/"));
    world.world.RunFor(seconds(1));
    if (closes) {
      world.InLoop([&] { world.listener->Close(); });
      EXPECT_TRUE(world.Until([&] { return busy.gone() && waiting.gone(); }));
      EXPECT_FALSE(world.budget.full());
      continue;
    }
    world.clients.clear();
    EXPECT_TRUE(world.Until([&] { return world.listener->connections() == 0 && !world.budget.full(); }));
    EXPECT_TRUE(world.Until([&] { return world.budget.connections() == 0; }));
  }
}

// Who comes out of the queue has the time to say something, however many wait behind it. In every order in which things
// may reach us.
TEST(ListenerLimit, WhoWasLetInIsHeard) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    world.budget.set_connections_max(1);
    world.Serve(Hello());
    world.Connect(Get("/silent"));
    world.world.RunFor(seconds(1));
    TestPeer* queued[3];
    for (TestPeer*& peer : queued)
      peer = &world.Connect(Get("/"));
    world.world.RunFor(seconds(1));
    world.clients.erase(world.clients.begin());
    world.world.RunFor(seconds(6));
    for (const TestPeer* peer : queued)
      EXPECT_TRUE(peer->Heard("hello"));
  }
}

// Idle is who has been so for a second, not between two words.
TEST(ListenerLimit, WhoIsIdleForAMomentStays) {
  World world;
  world.budget.set_connections_max(1);
  world.Serve(Hello());
  TestPeer& first = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return first.Heard("hello"); }));
  TestPeer& other = world.Connect(Get("/"));
  for (size_t i = 2; i < 10; ++i) {
    world.world.RunFor(milliseconds(700));
    first.Say(Get("/"));
    ASSERT_TRUE(world.Until([&] { return first.Answers() == i; })) << i;
  }
  EXPECT_EQ(other.heard, "");
  first.Say("P");  // of POST, or of HTTP/2's preface
  world.world.RunFor(seconds(3));
  EXPECT_FALSE(first.gone());
}

TEST(ListenerLimit, WhoHasBegunToSpeakIsNotIdle) {
  World world;
  world.budget.set_connections_max(1);
  world.Serve(Hello());
  TestPeer& first = world.Connect("P");
  world.world.RunFor(milliseconds(100));
  TestPeer& other = world.Connect(Get("/"));
  world.world.RunFor(seconds(3));
  EXPECT_FALSE(first.gone());
  EXPECT_EQ(other.heard, "");
}

// Those over a limit that has become lower go when somebody waits, and all who are needed at once.
TEST(ListenerLimit, ALowerLimitDoesNotKeepPeopleWaiting) {
  for (const size_t connections_max : {30, 1}) {
    SCOPED_TRACE(connections_max);
    World world;
    world.Serve(Hello());
    std::vector<TestPeer*> peers;
    for (int i = 0; i < 100; ++i)
      peers.push_back(&world.Connect(Get("/")));
    ASSERT_TRUE(world.Until([&] { return std::ranges::all_of(peers, [](auto* one) { return one->Heard("hello"); }); }));
    world.InLoop([&] { world.budget.set_connections_max(connections_max); });
    world.world.RunFor(seconds(3));
    EXPECT_EQ(world.listener->connections(), 100u) << "nobody waits";
    TestPeer& other = world.Connect(Get("/"));
    EXPECT_TRUE(world.Until([&] { return other.Heard("hello"); }, seconds(1)));
    EXPECT_EQ(world.listener->connections(), connections_max);
  }
}

// HTTP/2 clients that are told to go and take their time: no more of them are told than are needed.
TEST(ListenerLimit, NoMoreAreToldToGoThanAreNeeded) {
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
  const std::string goaway("\0\0\x8\7\0\0\0\0\0", 9);
  World world;
  world.Serve(Hello());
  std::vector<TestPeer*> peers;
  for (int i = 0; i < 10; ++i)
    peers.push_back(&world.Connect(preface));
  ASSERT_TRUE(world.Until([&] { return world.listener->connections() == 10; }));
  world.world.RunFor(seconds(2));
  world.InLoop([&] { world.budget.set_connections_max(8); });
  TestPeer& other = world.Connect(Get("/"));
  world.world.RunFor(milliseconds(500));
  EXPECT_EQ(std::ranges::count_if(peers, [&](auto* one) { return one->Heard(goaway); }), 3);
  EXPECT_TRUE(world.Until([&] { return other.Heard("hello"); }, seconds(3)));
  EXPECT_EQ(std::ranges::count_if(peers, [&](auto* one) { return one->Heard(goaway); }), 3);
}

// Another worker's clients count as ours, and its idle ones make room for ours.
TEST(ConnectionBudget, IsTheProcesssNotTheWorkers) {
  struct Other final : ConnectionBudget::Holder {
    explicit Other(ConnectionBudget& its_budget) : budget(its_budget) { budget.Join(*this); }
    void OnBudgetChanged() override {}
    bool LetIn() override { return false; }
    std::optional<base::MonotonicTime> IdleSince() override {
      if (!idle) return std::nullopt;
      return base::MonotonicTime();
    }
    void CloseIdle() override {
      idle = false;
      budget.GiveBack();
    }
    ConnectionBudget& budget;
    bool idle = false;
  };
  World world;
  ConnectionBudget others(world.client_loop, world.total);
  Other other(others);
  others.set_connections_max(1);
  world.budget.set_connections_max(1);
  world.Serve(Hello());
  ASSERT_TRUE(others.TryTake());
  TestPeer& client = world.Connect(Get("/"));
  world.world.RunFor(seconds(1));
  EXPECT_EQ(client.heard, "");
  other.idle = true;
  EXPECT_TRUE(world.Until([&] { return client.Heard("hello"); }, seconds(1)));
  EXPECT_EQ(world.total->taken(), 1u);
}

// The budget is the worker's: another listener may have used it up.
TEST(ListenerLimit, SharesItsBudget) {
  World world;
  world.budget.set_connections_max(1);
  world.Serve(Hello());
  world.InLoop([&] { world.budget.Take(); });
  TestPeer& client = world.Connect(Get("/"));
  world.world.RunFor(seconds(1));
  EXPECT_EQ(client.heard, "");
  world.InLoop([&] { world.budget.GiveBack(); });
  EXPECT_TRUE(world.Until([&] { return client.Heard("hello"); }));
}

}  // namespace
}  // namespace portico::listener
