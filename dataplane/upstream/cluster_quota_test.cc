// The limits of calls: how many may be under way, and how many may wait.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "dataplane/upstream/cluster_for_test.h"

namespace portico::upstream {
namespace {

using namespace for_test;

std::shared_ptr<ClusterConfig> Requests(std::optional<size_t> max) {
  auto config = Config({9001});
  config->requests_max = max;
  return config;
}

TEST(ClusterQuotaTest, NoMoreCallsThanAllowed) {
  World world(Requests(2));
  std::optional<Caller> first(std::in_place), second(std::in_place), third(std::in_place), fourth(std::in_place);
  first->Start(*world.cluster);
  second->Start(*world.cluster);
  third->Start(*world.cluster);
  EXPECT_FALSE(third->error) << "it is said after Start has returned";
  world.loop.Turn();
  EXPECT_EQ(third->error, ErrorKind::kConnectionLimitReached);
  EXPECT_TRUE(third->retry_safe);
  EXPECT_EQ(world.observer.Text(), "limit 1");
  EXPECT_EQ(world.network.connects.size(), 2u);
  EXPECT_EQ(world.cluster->requests(), 2u);
  // One that is over makes room, and one that was refused does not.
  third.reset();
  fourth->Start(*world.cluster);
  world.loop.Turn();
  EXPECT_EQ(fourth->error, ErrorKind::kConnectionLimitReached);
  first.reset();
  third.emplace();
  third->Start(*world.cluster);
  world.loop.Turn();
  EXPECT_FALSE(third->error);
}

TEST(ClusterQuotaTest, OfAllWorkersTogether) {
  ClusterShared shared;
  World a(Requests(2), shared), b(Requests(2), shared);
  Caller first, second, third;
  first.Start(*a.cluster);
  second.Start(*b.cluster);
  third.Start(*b.cluster);
  b.loop.Turn();
  EXPECT_FALSE(second.error);
  EXPECT_EQ(third.error, ErrorKind::kConnectionLimitReached);
  EXPECT_EQ(shared.requests->taken(), 2u);
  first.call.reset();
  Caller fourth;
  fourth.Start(*b.cluster);
  b.loop.Turn();
  EXPECT_FALSE(fourth.error);
}

// Nobody is dropped, and what is under way counts, whichever way the limit goes.
TEST(ClusterQuotaTest, AnotherLimitCountsAtOnce) {
  struct Row {
    std::string_view name;
    std::optional<size_t> before, after;
    size_t under_way;
    bool admitted;  // the next call, afterwards
  };
  const Row rows[] = {
      {"a limit comes, and is reached", std::nullopt, 2, 2, false},
      {"a limit comes, and is exceeded", std::nullopt, 1, 3, false},
      {"a limit comes, and there is room", std::nullopt, 3, 2, true},
      {"the limit goes", 2, std::nullopt, 2, true},
      {"a lower limit", 3, 1, 3, false},
      {"a higher limit", 2, 3, 2, true},
      {"the same limit", 2, 2, 2, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    World world(Requests(row.before));
    std::vector<std::unique_ptr<Caller>> callers;
    for (size_t i = 0; i < row.under_way; ++i) {
      callers.push_back(std::make_unique<Caller>());
      callers.back()->Start(*world.cluster);
    }
    Caller refused;  // if there is a limit
    if (row.before == row.under_way) refused.Start(*world.cluster);
    world.loop.Turn();
    world.cluster->Update(Requests(row.after));
    Caller next;
    next.Start(*world.cluster);
    world.loop.Turn();
    EXPECT_EQ(!next.error, row.admitted);
    for (size_t i = 0; i < callers.size(); ++i)
      world.Open(i);
    for (size_t i = 0; i < callers.size(); ++i) {
      world.Say(i, kOk);
      EXPECT_TRUE(callers[i]->ended);
    }
    callers.clear();
    refused.call.reset();
    next.call.reset();
    EXPECT_EQ(world.cluster->requests(), 0u);
  }
}

// A call that has a connection made for it waits for nobody; whoever needs another's is turned away.
TEST(ClusterQuotaTest, NobodyWaitsIfNobodyMay) {
  struct Row {
    std::string_view name;
    ClusterConfig::Protocol protocol;
    size_t connections_max;
    std::vector<bool> served;  // of calls that come at once
  };
  const Row rows[] = {
      {"a connection each", ClusterConfig::Protocol::kHttp1, 2, {true, true, false}},
      {"one is made, and the others would have to wait for it", ClusterConfig::Protocol::kHttp2, 2, {true, false}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    auto config = Config({9001});
    config->protocol = row.protocol;
    config->pending_max = 0;
    config->connections_max = row.connections_max;
    World world(config);
    std::vector<std::unique_ptr<Caller>> callers;
    for (size_t i = 0; i < row.served.size(); ++i) {
      callers.push_back(std::make_unique<Caller>());
      callers.back()->Start(*world.cluster);
    }
    world.loop.Turn();
    for (size_t i = 0; i < world.network.connects.size(); ++i)
      world.Open(i);
    for (size_t i = 0; i < callers.size(); ++i) {
      SCOPED_TRACE(i);
      EXPECT_EQ(callers[i]->error.has_value(), !row.served[i]);
      if (!row.served[i]) EXPECT_EQ(callers[i]->error, ErrorKind::kConnectionLimitReached);
    }
    // A connection that stands is nobody's wait.
    if (row.protocol == ClusterConfig::Protocol::kHttp1) world.Say(0, kOk);
    Caller late;
    late.Start(*world.cluster);
    world.loop.Turn();
    EXPECT_FALSE(late.error);
    EXPECT_EQ(world.network.connects.size(), row.protocol == ClusterConfig::Protocol::kHttp1 ? 2u : 1u);
  }
}

TEST(ClusterQuotaTest, WhoMayNotWaitGoesToTheNextEndpointWhenOneFails) {
  auto config = Config({9001, 9002});
  config->pending_max = 0;
  config->connections_max = 1;
  World world(config);
  Caller caller;
  caller.Start(*world.cluster);
  world.far(0).Open(false);
  world.loop.Turn();
  ASSERT_EQ(world.network.connects.size(), 2u);
  world.Open(1);
  world.Say(1, kOk);
  EXPECT_TRUE(caller.ended);
}

}  // namespace
}  // namespace portico::upstream
