// A cluster whose endpoints are the addresses of a name.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/upstream/cluster_for_test.h"

namespace portico::upstream {
namespace {

using namespace for_test;

std::shared_ptr<ClusterConfig> Named(std::string hostname = "a.test", uint16_t port = 80) {
  auto config = Config({});
  config->named = NamedOrigin{std::move(hostname), port};
  return config;
}

std::shared_ptr<const ResolvedName> Resolved(const std::vector<std::string>& ips, std::string hostname = "a.test") {
  auto resolved = std::make_shared<ResolvedName>();
  resolved->hostname = std::move(hostname);
  for (const std::string& ip : ips)
    resolved->addresses.push_back(*net::Address::Parse(ip, 0));
  return resolved;
}

std::string Endpoints(const World& world) {
  std::string text;
  for (const EndpointState& endpoint : world.cluster->endpoint_states())
    text += (text.empty() ? "" : ", ") + endpoint.address + (endpoint.connections > 0 ? " connected" : "");
  return text;
}

// Answers a call that was the first on its connection.
void Answer(World& world, size_t connection, Caller& caller) {
  world.Open(connection);
  world.Say(connection, kOk);
  EXPECT_EQ(caller.status, 200);
}

TEST(ClusterName, CallsWaitForTheFirstAnswer) {
  World world(Named());
  Caller first, second("POST", true);
  first.Start(*world.cluster);
  second.Start(*world.cluster);
  second.Send("hello", true);
  world.loop.Turn(seconds(2));
  EXPECT_FALSE(first.over());
  EXPECT_EQ(world.cluster->pending(), 2u);
  EXPECT_TRUE(world.network.connects.empty());
  world.cluster->SetAddresses(Resolved({"10.0.0.1", "10.0.0.2"}));
  ASSERT_EQ(world.network.connects.size(), 2u);
  EXPECT_EQ(world.far(0).address.ToString(), "10.0.0.1:80");
  EXPECT_EQ(world.far(1).address.ToString(), "10.0.0.2:80");
  Answer(world, 0, first);
  Answer(world, 1, second);
  EXPECT_NE(world.far(1).written.find("hello"), std::string::npos);
  EXPECT_EQ(world.observer.Text(), "success 2");
}

TEST(ClusterName, NobodyWaitsForANameThatLeadsNowhere) {
  World world(Named());
  Caller early, late, in_time;
  early.Start(*world.cluster);
  world.cluster->SetAddresses(Resolved({}));
  world.loop.Turn();
  late.Start(*world.cluster);
  world.loop.Turn();
  for (const Caller* caller : {&early, &late}) {
    EXPECT_EQ(caller->error, ErrorKind::kDestinationUnavailable);
    EXPECT_TRUE(caller->retry_safe);
    EXPECT_EQ(caller->detail, "no address is known of the cluster's name");
  }
  EXPECT_EQ(world.observer.Text(), "no_endpoint 2");
  world.cluster->SetAddresses(Resolved({"10.0.0.1"}));
  in_time.Start(*world.cluster);
  Answer(world, 0, in_time);
}

TEST(ClusterName, WhoWaitsMayLeaveAndHasOneTimeToWait) {
  World world(Named());
  auto leaves = std::make_unique<Caller>();
  Caller bound, stays;
  leaves->Start(*world.cluster);
  bound.Start(*world.cluster, seconds(1));
  stays.Start(*world.cluster);
  world.loop.Turn();
  leaves.reset();
  world.loop.Turn(seconds(2));
  EXPECT_EQ(bound.error, ErrorKind::kConnectionTimeout);  // its backendRequest
  EXPECT_EQ(bound.detail, "the cluster's name was not resolved in time");
  EXPECT_EQ(world.cluster->pending(), 1u);
  world.loop.Turn(seconds(59));
  EXPECT_EQ(stays.error, ErrorKind::kConnectionTimeout);
  EXPECT_EQ(stays.detail, "the cluster's name was not resolved in time");
  EXPECT_EQ(world.cluster->pending(), 0u);
  world.cluster->SetAddresses(Resolved({"10.0.0.1"}));
  world.loop.Turn();
  EXPECT_TRUE(world.network.connects.empty()) << "nobody is left";
}

TEST(ClusterName, OnlySoManyWait) {
  auto config = Named();
  config->pending_max = 1;
  World world(config);
  Caller first, second;
  first.Start(*world.cluster);
  second.Start(*world.cluster);
  world.loop.Turn();
  EXPECT_FALSE(first.over());
  EXPECT_EQ(second.error, ErrorKind::kConnectionLimitReached);
  world.cluster->SetAddresses(Resolved({"10.0.0.1"}));
  Answer(world, 0, first);
}

TEST(ClusterName, AnAddressThatStaysKeepsWhatItHas) {
  World world(Named());
  Caller a, b, c, d;
  world.cluster->SetAddresses(Resolved({"10.0.0.1", "10.0.0.2"}));
  a.Start(*world.cluster);
  b.Start(*world.cluster);
  Answer(world, 0, a);
  Answer(world, 1, b);
  EXPECT_EQ(Endpoints(world), "10.0.0.1:80 connected, 10.0.0.2:80 connected");
  world.cluster->SetAddresses(Resolved({"10.0.0.2", "10.0.0.3"}));
  world.loop.Turn();
  EXPECT_EQ(Endpoints(world), "10.0.0.2:80 connected, 10.0.0.3:80");
  EXPECT_TRUE(world.far(0).destroyed) << "its address is gone";
  EXPECT_FALSE(world.far(1).destroyed);
  c.Start(*world.cluster);
  d.Start(*world.cluster);
  ASSERT_EQ(world.network.connects.size(), 3u) << "one by the connection that was there";
  EXPECT_EQ(world.far(2).address.ToString(), "10.0.0.3:80");
  Answer(world, 2, c.over() ? c : d);
  world.Say(1, kOk);
  EXPECT_EQ(c.status + d.status, 400);
}

TEST(ClusterName, AResponseUnderWayEndsAtAnAddressThatIsGone) {
  World world(Named());
  Caller caller;
  world.cluster->SetAddresses(Resolved({"10.0.0.1"}));
  caller.Start(*world.cluster);
  world.Open(0);
  world.Say(0, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no");
  world.cluster->SetAddresses(Resolved({"10.0.0.2"}));
  world.loop.Turn();
  EXPECT_FALSE(caller.over());
  world.Say(0, "k");
  EXPECT_TRUE(caller.ended);
  EXPECT_EQ(caller.content, "ok");
}

// Rest and ejection: a verdict is of an address, however often the name is asked for.
TEST(ClusterName, VerdictsStay) {
  auto config = Named();
  config->ejection = outlier::EjectionRules{.consecutive_failures = 1};
  World world(config);
  world.cluster->SetAddresses(Resolved({"10.0.0.1", "10.0.0.2", "10.0.0.3"}));
  Caller fails, refused;
  fails.Start(*world.cluster);
  world.Open(0);
  world.Say(0, "HTTP/1.1 500 Sorry\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(world.observer.told, "10.0.0.1:80 ejected for 30 s; ");
  refused.Start(*world.cluster);
  world.far(1).Open(false);
  world.loop.Turn();
  refused.call.reset();
  world.cluster->SetAddresses(Resolved({"10.0.0.1", "10.0.0.2", "10.0.0.4"}));
  world.loop.Turn();
  const std::vector<EndpointState> states = world.cluster->endpoint_states();
  ASSERT_EQ(states.size(), 3u);
  EXPECT_TRUE(states[0].ejected);
  EXPECT_TRUE(states[1].resting);
  EXPECT_FALSE(states[2].ejected || states[2].resting);
  world.cluster->SetAddresses(Resolved({"10.0.0.4"}));
  EXPECT_EQ(world.observer.told, "10.0.0.1:80 ejected for 30 s; 10.0.0.1:80 is forgotten; ");
}

TEST(ClusterName, NobodyWaitsForANameThatIsAbandoned) {
  World pending(Named()), known(Named());
  Caller waits, served;
  waits.Start(*pending.cluster);
  pending.cluster->AbandonName();
  pending.loop.Turn();
  EXPECT_EQ(waits.error, ErrorKind::kDestinationUnavailable);
  known.cluster->SetAddresses(Resolved({"10.0.0.1"}));
  known.cluster->AbandonName();
  served.Start(*known.cluster);
  Answer(known, 0, served);
}

TEST(ClusterName, AChangeOfTheConfiguration) {
  const struct {
    const char* name;
    std::shared_ptr<ClusterConfig> next;
    const char* expected;
  } kRows[] = {
      {"of something else", Named(), "10.0.0.1:80 connected"},
      {"of the port", Named("a.test", 81), "10.0.0.1:81"},
      {"of the name", Named("b.test"), ""},
      {"to fixed endpoints", Config({9001}), "127.0.0.1:9001"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world(Named());
    world.cluster->SetAddresses(Resolved({"10.0.0.1"}));
    Caller caller;
    caller.Start(*world.cluster);
    Answer(world, 0, caller);
    world.cluster->Update(row.next);
    EXPECT_EQ(Endpoints(world), row.expected);
    world.cluster->SetAddresses(Resolved({"10.0.0.7"}, "c.test"));
    EXPECT_EQ(Endpoints(world), row.expected) << "an answer that was for another";
  }
}

TEST(ClusterName, WithAnotherNameCallsWaitForThatOne) {
  World world(Named());
  world.cluster->SetAddresses(Resolved({"10.0.0.1"}));
  Caller waits_there, caller;
  waits_there.Start(*world.cluster);  // for a connection to the old address
  world.cluster->Update(Named("b.test"));
  caller.Start(*world.cluster);
  world.loop.Turn();
  EXPECT_FALSE(waits_there.over());
  EXPECT_FALSE(caller.over());
  world.cluster->SetAddresses(Resolved({"10.0.0.1"}));
  world.loop.Turn();
  EXPECT_EQ(Endpoints(world), "") << "an answer of the old name";
  world.cluster->SetAddresses(Resolved({"10.0.0.2"}, "b.test"));
  ASSERT_EQ(world.network.connects.size(), 3u);
  world.Open(1);
  world.Open(2);
  world.Say(1, kOk);
  world.Say(2, kOk);
  EXPECT_EQ(waits_there.status + caller.status, 400);
}

// The limit of connections and the name are waited for in the same line: what was on its way for the one is no use now.
TEST(ClusterName, RoomForAConnectionIsNoAddress) {
  auto config = Named();
  config->connections_max = 1;
  World world(config);
  world.cluster->SetAddresses(Resolved({"10.0.0.1"}));
  Caller holds, waits;
  holds.Start(*world.cluster);
  world.Open(0);
  waits.Start(*world.cluster);  // for room
  world.loop.Turn();
  world.far(0).Say("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok");
  EXPECT_TRUE(holds.ended);
  EXPECT_EQ(world.cluster->connections(), 0u) << "room is on its way";
  auto renamed = Named("b.test");
  renamed->connections_max = 1;
  world.cluster->Update(renamed);
  world.loop.Turn();
  world.loop.Turn();
  EXPECT_FALSE(waits.over());
  world.cluster->SetAddresses(Resolved({"10.0.0.2"}, "b.test"));
  world.loop.Turn();
  ASSERT_EQ(world.network.connects.size(), 2u);
  Answer(world, 1, waits);
}

TEST(ClusterName, WhoWaitsForANameTakesNoRoomFromOthers) {
  auto config = Named();
  config->connections_max = 1;
  const ClusterShared shared;
  World other(config, shared), world(config, shared);
  other.cluster->SetAddresses(Resolved({"10.0.0.1"}));
  Caller served, waits;
  served.Start(*other.cluster);
  Answer(other, 0, served);
  const auto turn_both = [&] {
    for (World* one : {&world, &other, &world, &other, &world})
      one->loop.Turn();
  };
  waits.Start(*world.cluster);
  turn_both();
  EXPECT_EQ(other.cluster->connections(), 1u) << "its idle connection stays";
  world.cluster->SetAddresses(Resolved({"10.0.0.1"}));
  turn_both();
  EXPECT_EQ(other.cluster->connections(), 0u) << "now it is needed";
  Answer(world, 0, waits);
}

}  // namespace
}  // namespace portico::upstream
