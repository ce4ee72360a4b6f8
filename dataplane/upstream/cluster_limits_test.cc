// Who waits for what when a cluster's limits are reached, and what its observer and admin hear.

#include <gtest/gtest.h>

#include "dataplane/upstream/cluster_for_test.h"

namespace portico::upstream {
namespace {

using namespace for_test;

std::shared_ptr<ClusterConfig> Limited(const std::vector<uint16_t>& ports, size_t connections_max,
                                       ClusterConfig::Protocol protocol = ClusterConfig::Protocol::kHttp1) {
  auto config = Config(ports);
  config->protocol = protocol;
  config->connections_max = connections_max;
  return config;
}

// As many connections as callers, each busy with one of them.
void MakeBusy(World& world, std::vector<std::unique_ptr<Caller>>& callers, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    callers.push_back(std::make_unique<Caller>());
    callers.back()->Start(*world.cluster);
    world.Open(i);
  }
}

TEST(ClusterLimitsTest, AFreeConnectionElsewhereIsBetterThanWaiting) {
  World world(Limited({9001, 9002}, 2));
  std::vector<std::unique_ptr<Caller>> busy;
  MakeBusy(world, busy, 2);
  world.Say(1, kOk);  // 9001, whose turn it is, is busy; 9002 is free
  Caller caller;
  caller.Start(*world.cluster);
  world.loop.Turn();
  world.Say(1, kOk);
  EXPECT_TRUE(caller.ended);
  EXPECT_EQ(caller.call->facts().endpoint, "127.0.0.1:9002");
  EXPECT_EQ(caller.call->facts().attempts, 1);
}

TEST(ClusterLimitsTest, WhoeverWaitsTakesWhatIsFreeFirst) {
  World world(Limited({9001, 9002, 9003}, 3));
  std::vector<std::unique_ptr<Caller>> busy;
  MakeBusy(world, busy, 3);
  Caller waiting[3];
  for (Caller& caller : waiting)
    caller.Start(*world.cluster);
  EXPECT_EQ(world.cluster->pending(), 3u);
  for (int i = 0; i < 3; ++i) {  // all of them by 9003, in the order in which they came
    world.Say(2, kOk);
    EXPECT_EQ(world.cluster->pending(), 2u - i);
    EXPECT_EQ(waiting[i].call->facts().endpoint, "127.0.0.1:9003");
  }
  world.Say(2, kOk);
  EXPECT_TRUE(waiting[2].ended);
  EXPECT_EQ(world.network.connects.size(), 3u);
}

TEST(ClusterLimitsTest, AConnectionThatEndsMakesRoomForWhoWaits) {
  World world(Limited({9001, 9002}, 1));
  std::vector<std::unique_ptr<Caller>> busy;
  MakeBusy(world, busy, 1);
  Caller waiting;
  waiting.Start(*world.cluster);
  world.loop.Turn();
  EXPECT_EQ(world.network.connects.size(), 1u);
  busy[0].reset();
  world.loop.Turn();
  world.loop.Turn();  // the room is handed over
  ASSERT_EQ(world.network.connects.size(), 2u);
  EXPECT_EQ(world.far(1).address.port(), 9002);
  world.Open(1);
  world.Say(1, kOk);
  EXPECT_TRUE(waiting.ended);
}

// One cluster in two workers.
struct TwoWorkers {
  explicit TwoWorkers(size_t connections_max, ClusterConfig::Protocol protocol = ClusterConfig::Protocol::kHttp1)
      : a(Limited({9001}, connections_max, protocol), budget), b(Limited({9001}, connections_max, protocol), budget) {}
  void Turn() {
    for (int i = 0; i < 4; ++i) {
      a.loop.Turn();
      b.loop.Turn();
    }
  }
  ClusterShared budget;
  World a, b;
};

TEST(ClusterLimitsTest, OneWorkerMayHaveItAll) {
  TwoWorkers two(2);
  std::vector<std::unique_ptr<Caller>> busy;
  MakeBusy(two.a, busy, 2);
  EXPECT_EQ(two.a.network.connects.size(), 2u);
  Caller waiting;
  waiting.Start(*two.b.cluster);
  two.Turn();
  EXPECT_EQ(two.b.network.connects.size(), 0u);
  EXPECT_FALSE(waiting.error);
  busy[0].reset();
  two.Turn();
  ASSERT_EQ(two.b.network.connects.size(), 1u);
  two.b.Open(0);
  two.b.Say(0, kOk);
  EXPECT_TRUE(waiting.ended);
  EXPECT_EQ(two.budget.connections->taken(), 2u);
}

TEST(ClusterLimitsTest, WhatIsIdleHereIsGivenUpForAnotherWorker) {
  struct Row {
    std::string_view name;
    bool is_idle_before;
  };
  for (const Row& row : {Row{"it is idle already", true}, Row{"it becomes idle", false}}) {
    SCOPED_TRACE(row.name);
    TwoWorkers two(2);
    std::vector<std::unique_ptr<Caller>> busy;
    MakeBusy(two.a, busy, 2);
    if (row.is_idle_before) two.a.Say(0, kOk);
    Caller waiting;
    waiting.Start(*two.b.cluster);
    two.Turn();
    if (!row.is_idle_before) two.a.Say(0, kOk);
    two.Turn();
    EXPECT_TRUE(two.a.far(0).destroyed);
    ASSERT_EQ(two.b.network.connects.size(), 1u);
    two.b.Open(0);
    two.b.Say(0, kOk);
    EXPECT_TRUE(waiting.ended);
    two.a.Say(1, kOk);
    two.Turn();
    EXPECT_FALSE(two.a.far(1).destroyed) << "nobody waits any more";
  }
}

// Its place among those who may wait is its own until it waits no more, whoever comes between.
TEST(ClusterLimitsTest, WhoWaitedIsNotRefusedWhenItsTurnComes) {
  TwoWorkers two(1);
  for (World* world : {&two.a, &two.b}) {
    auto config = Limited({9001}, 1);
    config->pending_max = 1;
    world->cluster->Update(config);
  }
  std::vector<std::unique_ptr<Caller>> busy;
  MakeBusy(two.a, busy, 1);
  Caller waiting, late;
  waiting.Start(*two.a.cluster);
  // Another worker looks for a place whenever there may be one.
  struct Snatcher final : shared::Budget::Member::Handler {
    void OnRoom() override {}
    size_t OnWanted(size_t) override { return 0; }
  } handler;
  test::ManualLoop loop;
  shared::Budget::Member snatcher(two.budget.pending, loop, handler);
  EXPECT_FALSE(snatcher.TryTake(1));
  snatcher.Wait(1);
  busy[0].reset();
  two.Turn();
  EXPECT_FALSE(waiting.error);
  ASSERT_EQ(two.a.network.connects.size(), 2u);
  late.Start(*two.b.cluster);
  two.Turn();
  EXPECT_EQ(late.error, ErrorKind::kConnectionLimitReached);
  snatcher.StopWaiting();
  two.a.Open(1);
  two.a.Say(1, kOk);
  EXPECT_TRUE(waiting.ended);
  loop.Turn();
  EXPECT_EQ(two.budget.pending->taken(), 0u);
}

// A worker whose callers have all gone waits for nothing.
TEST(ClusterLimitsTest, WhoHasGoneTakesNothingFromOthers) {
  TwoWorkers two(1);
  std::vector<std::unique_ptr<Caller>> busy;
  MakeBusy(two.a, busy, 1);
  {
    Caller waiting;
    waiting.Start(*two.b.cluster);
    two.Turn();
  }
  two.a.Say(0, kOk);
  two.Turn();
  EXPECT_FALSE(two.a.far(0).destroyed) << "nobody waits for it";
}

// A call's time to wait is one, however often it chooses again.
TEST(ClusterLimitsTest, AnUpdateDoesNotMakeAnybodyWaitLonger) {
  World world(Limited({9001}, 1));
  std::vector<std::unique_ptr<Caller>> busy;
  busy.push_back(std::make_unique<Caller>("POST", true));
  busy[0]->Start(*world.cluster);
  world.Open(0);
  Caller waiting;
  waiting.Start(*world.cluster);
  for (int i = 0; i < 59; ++i) {
    world.loop.Turn(seconds(1));
    world.cluster->Update(Limited({9001}, 1));
  }
  EXPECT_FALSE(waiting.error);
  world.loop.Turn(seconds(2));
  EXPECT_EQ(waiting.error, ErrorKind::kConnectionTimeout);
}

// More workers than connections: each has its turn, although the one that has the connection always has more to do.
TEST(ClusterLimitsTest, NobodyStarvesForTooFewConnections) {
  TwoWorkers two(1);
  std::vector<std::unique_ptr<Caller>> callers;
  MakeBusy(two.a, callers, 1);
  Caller own[3];
  for (Caller& caller : own)
    caller.Start(*two.a.cluster);
  Caller other;
  other.Start(*two.b.cluster);
  two.Turn();
  two.a.Say(0, kOk);
  two.Turn();
  EXPECT_TRUE(two.a.far(0).destroyed);
  ASSERT_EQ(two.b.network.connects.size(), 1u);
  two.b.Open(0);
  two.b.Say(0, kOk);
  EXPECT_TRUE(other.ended);
  two.Turn();
  EXPECT_TRUE(two.b.far(0).destroyed) << "and back";
  ASSERT_EQ(two.a.network.connects.size(), 2u);
  two.a.Open(1);
  for (Caller& caller : own) {
    two.a.Say(1, kOk);
    EXPECT_TRUE(caller.ended);
  }
}

// A connection that many share is never idle while they go on.
TEST(ClusterLimitsTest, ASharedConnectionIsDrainedForAnotherWorker) {
  TwoWorkers two(2, ClusterConfig::Protocol::kHttp2);
  std::vector<std::unique_ptr<Caller>> own;
  for (int i = 0; i < 101; ++i) {
    own.push_back(std::make_unique<Caller>("POST"));
    own.back()->Start(*two.a.cluster);
    if (i == 0) two.a.Open(0);
  }
  two.a.Open(1);
  ASSERT_EQ(two.a.network.connects.size(), 2u);
  Caller other("POST");
  other.Start(*two.b.cluster);
  two.Turn();
  EXPECT_EQ(two.b.network.connects.size(), 0u) << "nobody is cut";
  own.erase(own.begin(), own.begin() + 99);  // one of the first connection's hundred goes on
  two.Turn();
  own.push_back(std::make_unique<Caller>("POST"));
  own.back()->Start(*two.a.cluster);
  two.Turn();
  own.erase(own.begin());
  two.Turn();
  ASSERT_EQ(two.b.network.connects.size(), 1u);
  two.b.Open(0);
  EXPECT_EQ(two.b.cluster->pending(), 0u);
  EXPECT_EQ(two.a.far(0).destroyed + two.a.far(1).destroyed, 1) << "the other one is its share";
}

// A worker that always has somebody waiting does not keep all to itself, and does not lose more than its share.
TEST(ClusterLimitsTest, EachWorkerComesToItsShare) {
  TwoWorkers two(2);
  std::vector<std::unique_ptr<Caller>> callers;
  MakeBusy(two.a, callers, 2);
  Caller own[3];
  for (Caller& caller : own)
    caller.Start(*two.a.cluster);
  Caller others[2];
  for (Caller& caller : others)
    caller.Start(*two.b.cluster);
  two.Turn();
  two.a.Say(0, kOk);
  two.Turn();
  EXPECT_TRUE(two.a.far(0).destroyed) << "it has both";
  ASSERT_EQ(two.b.network.connects.size(), 1u);
  two.a.Say(1, kOk);
  two.Turn();
  two.a.Say(1, kOk);
  two.Turn();
  EXPECT_FALSE(two.a.far(1).destroyed) << "each has one";
  EXPECT_TRUE(own[0].ended);
  EXPECT_FALSE(own[2].ended);
}

TEST(ClusterLimitsTest, CallsThatWaitAreCountedInAllWorkers) {
  TwoWorkers two(1);
  for (World* world : {&two.a, &two.b}) {
    auto config = Limited({9001}, 1);
    config->pending_max = 2;
    world->cluster->Update(config);
  }
  std::vector<std::unique_ptr<Caller>> busy;
  MakeBusy(two.a, busy, 1);
  Caller first, second, third;
  first.Start(*two.a.cluster);
  second.Start(*two.b.cluster);
  third.Start(*two.b.cluster);
  two.Turn();
  EXPECT_FALSE(first.error || second.error);
  EXPECT_EQ(third.error, ErrorKind::kConnectionLimitReached);
  EXPECT_EQ(two.budget.pending->taken(), 2u);
}

// Every endpoint has refused the caller a new connection, but the first one has a connection that is idle by now.
TEST(ClusterLimitsTest, AnEndpointThatWasTriedServesByAConnectionThatStands) {
  World world(Config({9001, 9002}));
  std::vector<std::unique_ptr<Caller>> busy;
  MakeBusy(world, busy, 2);
  Caller caller;
  caller.Start(*world.cluster);
  world.far(2).Open(false);
  world.loop.Turn();
  world.Say(0, kOk);
  ASSERT_EQ(world.network.connects.size(), 4u);
  world.far(3).Open(false);
  world.loop.Turn();
  EXPECT_FALSE(caller.error);
  world.Say(0, kOk);
  EXPECT_TRUE(caller.ended);
  EXPECT_EQ(caller.call->facts().attempts, 3);
  EXPECT_EQ(world.observer.Text(), "connect_failure 2; success 2");
}

TEST(ClusterLimitsTest, AnUpdateLetsWhoWaitsGoOn) {
  struct Row {
    std::string_view name;
    std::vector<uint16_t> ports;
    size_t connections_max;
    uint16_t connects_to;
  };
  const Row rows[] = {{"a higher limit", {9001}, 2, 9001}, {"another endpoint and a higher limit", {9002}, 2, 9002}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    World world(Limited({9001}, 1));
    std::vector<std::unique_ptr<Caller>> busy;
    MakeBusy(world, busy, 1);
    Caller waiting;
    waiting.Start(*world.cluster);
    world.cluster->Update(Limited(row.ports, row.connections_max));
    ASSERT_EQ(world.network.connects.size(), 2u);
    EXPECT_EQ(world.far(1).address.port(), row.connects_to);
    world.Open(1);
    world.Say(1, kOk);
    EXPECT_TRUE(waiting.ended);
  }
}

TEST(ClusterLimitsTest, WithoutAnEndpointNobodyWaitsOn) {
  World world(Limited({9001}, 1));
  std::vector<std::unique_ptr<Caller>> busy;
  MakeBusy(world, busy, 1);
  Caller waiting;
  waiting.Start(*world.cluster);
  world.cluster->Update(Limited({}, 1));
  world.loop.Turn();
  EXPECT_EQ(waiting.error, ErrorKind::kDestinationUnavailable);
  world.Say(0, kOk);
  EXPECT_TRUE(busy[0]->ended);
  EXPECT_EQ(world.cluster->connections(), 0u);
}

// A limit below what is open: nothing new is made, and nobody is forgotten.
TEST(ClusterLimitsTest, ALowerLimitKeepsWhoWaits) {
  World world(Limited({9001, 9002}, 2));
  std::vector<std::unique_ptr<Caller>> busy;
  MakeBusy(world, busy, 2);
  world.cluster->Update(Limited({9001, 9002}, 1));
  Caller waiting;
  waiting.Start(*world.cluster);
  busy[0].reset();
  world.loop.Turn();
  EXPECT_EQ(world.network.connects.size(), 2u);
  world.Say(1, kOk);
  world.Say(1, kOk);
  EXPECT_TRUE(waiting.ended);
}

TEST(ClusterLimitsTest, SharedConnectionsAtTheLimit) {
  auto config = Limited({9001}, 1);
  config->protocol = ClusterConfig::Protocol::kHttp2;
  World world(config);
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < 150; ++i) {
    callers.push_back(std::make_unique<Caller>("POST"));  // not repeated when the connection ends
    callers.back()->Start(*world.cluster);
  }
  world.Open(0);
  EXPECT_EQ(world.network.connects.size(), 1u);
  EXPECT_EQ(world.cluster->pending(), 50u);
  callers.erase(callers.begin(), callers.begin() + 30);  // their streams end
  world.loop.Turn();
  EXPECT_EQ(world.cluster->pending(), 20u);
  world.far(0).End();
  world.loop.Turn();
  ASSERT_EQ(world.network.connects.size(), 2u);  // for those who still waited
  world.Open(1);
  EXPECT_EQ(world.cluster->pending(), 0u);
}

TEST(ClusterLimitsTest, TooManyWhoWaitAreTurnedAway) {
  auto config = Limited({9001, 9002}, 1);
  config->pending_max = 2;
  World world(config);
  std::vector<std::unique_ptr<Caller>> busy;
  MakeBusy(world, busy, 1);
  Caller waiting[3];
  for (Caller& caller : waiting)
    caller.Start(*world.cluster);
  world.loop.Turn();
  EXPECT_FALSE(waiting[1].error);
  EXPECT_EQ(waiting[2].error, ErrorKind::kConnectionLimitReached);
  EXPECT_TRUE(waiting[2].retry_safe);
  EXPECT_EQ(world.observer.Text(), "limit 1");
}

TEST(ClusterLimitsTest, EveryAttemptHasOneOutcome) {
  struct Row {
    std::string_view name;
    std::function<void(World&, Caller&)> happens;
    std::string_view outcomes;
  };
  const auto said = [](std::string_view bytes) {
    return [bytes](World& world, Caller&) {
      world.Open(0);
      world.Say(0, bytes);
    };
  };
  const auto waited = [](base::Duration time) { return [time](World& world, Caller&) { world.loop.Turn(time); }; };
  const Row rows[] = {
      {"200", said(kOk), "success 1"},
      {"404", said("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"), "success 1"},
      {"499", said("HTTP/1.1 499 Odd\r\ncontent-length: 0\r\n\r\n"), "success 1"},
      {"503", said("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"), "server_error 1"},
      {"malformed", said("HTTP/1.1 20 OK\r\n\r\n"), "protocol_error 1"},
      {"reset", [](World& world, Caller&) { world.Open(0), world.far(0).Fail(), world.loop.Turn(); }, "reset 1"},
      {"reset in the content",
       [](World& world, Caller&) {
         world.Open(0);
         world.Say(0, "HTTP/1.1 500 No\r\ncontent-length: 9\r\n\r\n1");
         world.far(0).Fail();
         world.loop.Turn();
       },
       "reset 1"},
      {"refused, then not in time",
       [](World& world, Caller&) { world.far(0).Open(false), world.loop.Turn(seconds(2)); }, "connect_failure 2"},
      {"no answer in time", [](World& world, Caller&) { world.Open(0), world.loop.Turn(seconds(61)); }, "timeout 1"},
      {"left while connecting", [](World&, Caller& caller) { caller.call.reset(); }, "cancelled 1"},
      {"left in the content",
       [](World& world, Caller& caller) {
         world.Open(0);
         world.Say(0, "HTTP/1.1 500 No\r\ncontent-length: 9\r\n\r\n1");
         caller.call.reset();
       },
       "cancelled 1"},
      {"left after the end",
       [](World& world, Caller& caller) { world.Open(0), world.Say(0, kOk), caller.call.reset(); }, "success 1"},
      {"endpoints removed", [](World& world, Caller&) { world.cluster->Update(Config({})), world.loop.Turn(); },
       "no_endpoint 1"},
      {"nothing yet", waited(milliseconds(1)), ""},
  };
  for (const Row& row : rows) {
    World world(Config({9001, 9002}));
    Caller caller;
    caller.Start(*world.cluster);
    row.happens(world, caller);
    EXPECT_EQ(world.observer.Text(), row.outcomes) << row.name;
  }
}

TEST(ClusterLimitsTest, ACallWithoutAnEndpointIsCounted) {
  World world(Config({}));
  Caller caller;
  caller.Start(*world.cluster);
  world.loop.Turn();
  EXPECT_EQ(world.observer.Text(), "no_endpoint 1");
  EXPECT_EQ(caller.call->facts().attempts, 0);
}

TEST(ClusterLimitsTest, ConnectionsAreCountedWhileTheyStand) {
  World world(Config({9001}));
  Caller first, second;
  first.Start(*world.cluster);
  second.Start(*world.cluster);
  EXPECT_EQ(world.observer.connections, 0);
  world.Open(0);
  EXPECT_EQ(world.observer.connections, 1);
  world.far(1).Open(false);
  world.loop.Turn();
  EXPECT_EQ(world.observer.connections, 1);
  world.far(0).End();
  world.loop.Turn();
  EXPECT_EQ(world.observer.connections, 0);
}

TEST(ClusterLimitsTest, AdminSeesEveryEndpoint) {
  World world(Config({9001, 9002}));
  Caller callers[4];
  for (Caller& caller : callers)
    caller.Start(*world.cluster);
  world.Open(0);
  world.far(1).Open(false);
  world.loop.Turn();
  std::vector<EndpointState> states = world.cluster->endpoint_states();
  ASSERT_EQ(states.size(), 2u);
  EXPECT_EQ(states[0].address, "127.0.0.1:9001");
  EXPECT_FALSE(states[0].resting);
  EXPECT_EQ(states[0].connections, 3u);
  EXPECT_EQ(states[0].waiting, 2u);  // the third call, and the second, which was refused by 9002
  EXPECT_TRUE(states[1].resting);
  EXPECT_EQ(states[1].connections, 1u);
  EXPECT_EQ(states[1].waiting, 1u);
}

}  // namespace
}  // namespace portico::upstream
