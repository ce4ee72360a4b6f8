// Who is asked, by weight and by load; who is asked in whose stead.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/upstream/cluster_for_test.h"

namespace portico::upstream {
namespace {

using namespace for_test;

std::shared_ptr<ClusterConfig> Weighted(const std::vector<uint32_t>& weights,
                                        balancer::Kind kind = balancer::Kind::kRoundRobin) {
  std::vector<uint16_t> ports;
  for (size_t i = 0; i < weights.size(); ++i)
    ports.push_back(static_cast<uint16_t>(9001 + i));
  auto config = Config(ports);
  for (size_t i = 0; i < weights.size(); ++i)
    config->endpoints[i].weight = weights[i];
  config->balancer = kind;
  return config;
}

// "aab": who was asked for a connection, one after another, by calls that stay.
std::string Asked(World& world, std::vector<std::unique_ptr<Caller>>& callers, size_t count) {
  const size_t before = world.network.connects.size();
  for (size_t i = 0; i < count; ++i) {
    callers.push_back(std::make_unique<Caller>());
    callers.back()->Start(*world.cluster);
  }
  std::string asked;
  for (size_t i = before; i < world.network.connects.size(); ++i)
    asked += static_cast<char>('a' + world.far(i).address.port() - 9001);
  return asked;
}

TEST(ClusterBalancingTest, ByWeight) {
  struct Row {
    std::string_view name;
    std::vector<uint32_t> weights;
    std::string_view asked;
  };
  const Row rows[] = {
      {"equal", {2, 2}, "abab"}, {"unequal", {2, 1}, "abaaba"}, {"one gets nothing", {1, 0, 1}, "acac"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    World world(Weighted(row.weights));
    std::vector<std::unique_ptr<Caller>> callers;
    EXPECT_EQ(Asked(world, callers, row.asked.size()), row.asked);
  }
}

// Not even when there is nobody else, or when it has a connection that is free.
TEST(ClusterBalancingTest, WeightZeroGetsNothing) {
  struct Row {
    std::string_view name;
    std::vector<uint32_t> weights;
  };
  for (const Row& row : {Row{"the only one", {0}}, Row{"all", {0, 0}}}) {
    SCOPED_TRACE(row.name);
    World world(Weighted(row.weights));
    Caller caller;
    caller.Start(*world.cluster);
    world.loop.Turn();
    EXPECT_EQ(caller.error, ErrorKind::kDestinationUnavailable);
    EXPECT_TRUE(world.network.connects.empty());
  }
  World world(Weighted({1, 1}));
  std::vector<std::unique_ptr<Caller>> callers;
  Asked(world, callers, 2);
  world.Open(0);
  world.Open(1);
  world.Say(1, kOk);
  world.cluster->Update(Weighted({1, 0}));
  Caller caller;
  caller.Start(*world.cluster);
  ASSERT_EQ(world.network.connects.size(), 3u) << "b's connection is free, and not asked";
  world.far(2).Open(false);
  world.loop.Turn();
  EXPECT_EQ(caller.error, ErrorKind::kConnectionRefused) << "nor when a fails";
}

TEST(ClusterBalancingTest, AnotherWeightCountsAtOnceAndAnUnrelatedChangeKeepsTheTurns) {
  World world(Weighted({2, 1}));
  std::vector<std::unique_ptr<Caller>> callers;
  std::string asked;
  for (int i = 0; i < 6; ++i) {
    asked += Asked(world, callers, 1);
    world.cluster->Update(Weighted({2, 1}));
  }
  EXPECT_EQ(asked, "abaaba");
  world.cluster->Update(Weighted({1, 2}));
  EXPECT_EQ(Asked(world, callers, 3), "bab");
}

// 9001 has the calls, and the others get what comes until they have as many.
TEST(ClusterBalancingTest, LeastRequestCountsCallsUnderWay) {
  for (const auto protocol : {ClusterConfig::Protocol::kHttp1, ClusterConfig::Protocol::kHttp2}) {
    auto first = Weighted({1}, balancer::Kind::kLeastRequest);
    first->protocol = protocol;
    World world(first);
    std::vector<std::unique_ptr<Caller>> callers;
    Asked(world, callers, 8);
    for (size_t i = 0; i < world.network.connects.size(); ++i)
      world.Open(i);
    auto second = Weighted({1, 1}, balancer::Kind::kLeastRequest);
    second->protocol = protocol;
    world.cluster->Update(second);
    const size_t before = world.network.connects.size();
    std::string asked = Asked(world, callers, 8);
    if (protocol == ClusterConfig::Protocol::kHttp1) EXPECT_EQ(asked, "bbbbbbbb");
    if (protocol == ClusterConfig::Protocol::kHttp2) EXPECT_EQ(asked, "b") << "one connection, that all eight wait for";
    EXPECT_EQ(world.cluster->endpoint_states()[1].waiting, 8u);
    for (size_t i = before; i < world.network.connects.size(); ++i)
      world.Open(i);
    // What is over counts no more: a is idle, b has eight.
    callers.erase(callers.begin(), callers.begin() + 8);
    world.loop.Turn();
    std::map<std::string_view, int> served;
    for (int i = 0; i < 8; ++i) {
      callers.push_back(std::make_unique<Caller>());
      callers.back()->Start(*world.cluster);
      world.loop.Turn();
      ++served[callers.back()->call->facts().endpoint];
    }
    EXPECT_EQ(served["127.0.0.1:9001"], 8);
  }
}

TEST(ClusterBalancingTest, LeastRequestAsksSomebodyElseWhereItCant) {
  World world(Weighted({1, 1, 1}, balancer::Kind::kLeastRequest));
  Caller caller;
  caller.Start(*world.cluster);
  std::map<uint16_t, int> asked;
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(world.network.connects.size(), i + 1);
    ++asked[world.far(i).address.port()];
    world.far(i).Open(false);
    world.loop.Turn();
  }
  EXPECT_EQ(asked.size(), 3u) << "each once";
  EXPECT_EQ(caller.error, ErrorKind::kConnectionRefused);
  // All rest, and are used all the same.
  Caller again;
  again.Start(*world.cluster);
  EXPECT_EQ(world.network.connects.size(), 4u);
}

}  // namespace
}  // namespace portico::upstream
