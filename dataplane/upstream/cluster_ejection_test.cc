// Endpoints that fail while they serve: what counts, who is asked meanwhile, what all workers see and what is told.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/upstream/cluster_for_test.h"

namespace portico::upstream {
namespace {

using namespace for_test;

constexpr std::string_view kFailed = "HTTP/1.1 500 Sorry\r\ncontent-length: 2\r\n\r\nno";

std::shared_ptr<ClusterConfig> Ejecting(const std::vector<uint16_t>& ports, uint32_t failures = 3) {
  auto config = Config(ports);
  config->ejection.emplace();
  config->ejection->consecutive_failures = failures;
  config->ejection->base_time = seconds(30);
  return config;
}

// Origins that answer at once; bad_port's as the test says.
class Origins {
 public:
  explicit Origins(World& world) : world_(world) {}
  uint16_t bad_port = 9001;
  // Whoever is asked by one more call, which is over then.
  uint16_t Ask(std::string_view bad = kFailed) {
    Caller caller("POST");
    caller.Start(*world_.cluster);
    for (int turn = 0; turn < 4 && !caller.over(); ++turn)
      Run(bad);
    EXPECT_TRUE(caller.over());
    const std::string endpoint(caller.call->facts().endpoint);
    return static_cast<uint16_t>(std::stoi(endpoint.substr(endpoint.find(':') + 1)));
  }
  // Until bad_port has been asked so often.
  void Fail(int times, std::string_view bad = kFailed) {
    for (int tries = 0; times > 0 && tries < 100; ++tries)
      times -= Ask(bad) == bad_port ? 1 : 0;
    EXPECT_EQ(times, 0);
  }
  std::set<uint16_t> AskMany(int count = 12) {
    std::set<uint16_t> asked;
    for (int i = 0; i < count; ++i)
      asked.insert(Ask());
    return asked;
  }

 private:
  void Run(std::string_view bad) {
    world_.loop.Turn();
    for (size_t i = 0; i < world_.network.connects.size(); ++i) {
      test::FarEnd& far = world_.far(i);
      if (far.destroyed) continue;
      if (!far.open) far.Open(true);
      world_.loop.Turn();
      if (far.TakeWritten().empty()) continue;
      const std::string_view says = far.address.port() == bad_port ? bad : kOk;
      says.empty() ? far.Fail() : far.Say(says);
      if (says.find("content-length: 9") != says.npos) far.End();
      world_.loop.Turn();
    }
  }
  World& world_;
};

TEST(ClusterEjectionTest, WhatCounts) {
  struct Row {
    std::string_view name;
    std::vector<std::string_view> answers;  // "": the connection is reset
    bool ejected;
  };
  const std::string_view missing = "HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n";
  const std::string_view unknown = "HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\n\r\n";
  const std::string_view version = "HTTP/1.1 505 No\r\ncontent-length: 0\r\n\r\n";
  const std::string_view busy = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";
  const std::string_view cut = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nok";
  const std::string_view rubbish = "hello\r\n\r\n";
  const Row rows[] = {
      {"three errors of the server", {kFailed, kFailed, kFailed}, true},
      {"two", {kFailed, kFailed}, false},
      {"an answer between", {kFailed, kFailed, kOk, kFailed, kFailed}, false},
      {"the client's error is an answer", {kFailed, kFailed, missing, kFailed}, false},
      {"it knows no such method", {unknown, unknown, unknown}, false},
      {"nor such a version", {version, version, version}, false},
      {"that is an answer between", {kFailed, kFailed, unknown, kFailed, kFailed}, false},
      {"other codes", {busy, kFailed, busy}, true},
      {"resets before the answer", {"", "", ""}, true},
      {"malformed answers", {rubbish, rubbish, rubbish}, true},
      {"answers that are not whole", {cut, cut, cut}, true},
      {"one of each", {kFailed, "", rubbish}, true},
      {"many answers", {kOk, kOk, kOk, kOk, missing, missing, missing}, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    World world(Ejecting({9001, 9002}));
    Origins origins(world);
    for (const std::string_view answer : row.answers)
      origins.Fail(1, answer);
    EXPECT_EQ(world.cluster->endpoint_states()[0].ejected, row.ejected);
    EXPECT_EQ(world.observer.ejected, row.ejected ? 1 : 0);
    EXPECT_FALSE(world.cluster->endpoint_states()[0].resting) << "it can be connected to";
  }
}

TEST(ClusterEjectionTest, WhatDoesNotCount) {
  struct Row {
    std::string_view name;
    std::function<void(World&, Caller&)> happens;
    bool ejected;
  };
  const Row rows[] = {
      {"the caller leaves", [](World&, Caller& caller) { caller.call.reset(); }, false},
      {"no answer in time", [](World& world, Caller&) { world.loop.Turn(seconds(61)); }, true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    World world(Ejecting({9001, 9002}, 1));
    Caller caller;
    caller.Start(*world.cluster);
    world.Open(0);
    row.happens(world, caller);
    world.loop.Turn();
    EXPECT_EQ(world.observer.ejected, row.ejected ? 1 : 0);
  }
  // Who could not be connected to rests, and is not ejected as well.
  World world(Ejecting({9001, 9002}, 1));
  Caller caller;
  caller.Start(*world.cluster);
  world.far(0).Open(false);
  world.loop.Turn();
  EXPECT_TRUE(world.cluster->endpoint_states()[0].resting);
  EXPECT_FALSE(world.cluster->endpoint_states()[0].ejected);
}

// Whoever lets an origin wait until the time is over must not have it ejected: 100 requests whose content never comes
// would eject half the fleet.
TEST(ClusterEjectionTest, ATimeoutIsWhoseTurnItWas) {
  struct Row {
    std::string_view name, method;
    std::optional<base::Duration> attempt;
    std::function<void(World&, Caller&)> happens;
    bool ejected;
  };
  const auto waits = [](World& world, base::Duration time) {
    for (; time > base::Duration(0); time -= seconds(1))
      world.loop.Turn(seconds(1));
  };
  const auto sends = [waits](base::Duration when, bool all) {
    return [=](World& world, Caller& caller) {
      world.Open(0);
      waits(world, when);
      caller.Send("ab", all);
    };
  };
  // An answer of which the caller takes nothing more than it holds.
  const auto reads = [waits](base::Duration when) {
    return [=](World& world, Caller& caller) {
      caller.consumes = false;
      world.Open(0);
      world.Say(0, "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nbegun");
      waits(world, when);
      if (when > base::Duration(0)) caller.call->Consumed(5);
    };
  };
  const Row rows[] = {
      {"an answer does not come", "GET", seconds(10), [](World& world, Caller&) { world.Open(0); }, true},
      {"nor its end", "GET", seconds(10),
       [](World& world, Caller&) {
         world.Open(0);
         world.Say(0, "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nbegun");
       },
       true},
      {"the content does not come", "POST", seconds(10), [](World& world, Caller&) { world.Open(0); }, false},
      {"only some of it", "POST", seconds(10), sends(seconds(0), false), false},
      {"it comes just before the end", "POST", seconds(10), sends(seconds(9), true), false},
      {"it comes early enough", "POST", seconds(10), sends(seconds(4), true), true},
      {"the origin does not take it", "POST", seconds(10),
       [](World& world, Caller& caller) {
         world.far(0).write_room = 0;
         world.Open(0);
         caller.Send(std::string(2 * http::kSendHighMarkBytes, 'x'), false);
       },
       true},
      {"the answer is not taken", "GET", seconds(10), reads(seconds(0)), false},
      {"it is taken just before the end", "GET", seconds(10), reads(seconds(9)), false},
      {"it is taken early enough", "GET", seconds(10), reads(seconds(4)), true},
      {"the content does not come at all", "POST", std::nullopt, [](World& world, Caller&) { world.Open(0); }, false},
      {"the answer is not taken at all", "GET", std::nullopt, reads(seconds(0)), false},
      {"nor does the content come", "POST", std::nullopt, reads(seconds(0)), false},
      {"the answer is taken, and does not go on", "GET", std::nullopt, reads(seconds(20)), true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    World world(Ejecting({9001, 9002}, 1));
    Caller caller(row.method, row.method == "POST");
    caller.Start(*world.cluster, row.attempt);
    row.happens(world, caller);
    waits(world, row.attempt.value_or(seconds(400)));
    EXPECT_EQ(caller.error, row.attempt ? ErrorKind::kHttpResponseTimeout : ErrorKind::kConnectionReadTimeout);
    EXPECT_EQ(caller.fault, row.ejected ? call::Fault::kOrigin : call::Fault::kCaller);
    EXPECT_EQ(!world.observer.told.empty(), row.ejected);
    EXPECT_EQ(world.observer.Text(), row.ejected ? "timeout 1" : "cancelled 1");
  }
}

// The connection took most of the attempt's time: the origin had the rest, and that is no time to judge it by.
TEST(ClusterEjectionTest, WhoIsAskedLateIsNotLate) {
  auto config = Ejecting({9001, 9002}, 1);
  config->connect_timeout = seconds(30);
  World world(config);
  Caller caller;
  caller.Start(*world.cluster, seconds(10));
  world.loop.Turn(seconds(6));
  world.Open(0);
  world.loop.Turn(seconds(5));
  EXPECT_EQ(caller.error, ErrorKind::kHttpResponseTimeout);
  EXPECT_EQ(caller.fault, call::Fault::kOrigin) << "another one may do better";
  EXPECT_EQ(world.observer.ejected, 0);
}

TEST(ClusterEjectionTest, IsNotAskedUntilItsTimeIsOver) {
  World world(Ejecting({9001, 9002}));
  Origins origins(world);
  origins.Fail(3);
  EXPECT_EQ(world.observer.told, "127.0.0.1:9001 ejected for 30 s; ");
  for (int second = 0; second < 29; ++second) {
    EXPECT_EQ(origins.AskMany(2), (std::set<uint16_t>{9002})) << second;
    world.loop.Turn(seconds(1));
  }
  world.loop.Turn(seconds(1));
  EXPECT_EQ(world.observer.told, "127.0.0.1:9001 ejected for 30 s; 127.0.0.1:9001 is back; ");
  EXPECT_EQ(world.observer.ejected, 0);
  origins.Fail(3);
  EXPECT_TRUE(world.observer.told.ends_with("127.0.0.1:9001 ejected for 60 s; ")) << world.observer.told;
}

TEST(ClusterEjectionTest, IsOffUnlessTheClusterHasIt) {
  World world(Config({9001, 9002}));
  Origins origins(world);
  origins.Fail(20);
  EXPECT_EQ(origins.AskMany(), (std::set<uint16_t>{9001, 9002}));
}

// Not even one of one; and who has no weight is none to fall back on.
TEST(ClusterEjectionTest, NeverAll) {
  auto one = Ejecting({9001}), weighted = Ejecting({9001, 9002});
  weighted->endpoints[1].weight = 0;
  for (const auto& config : {one, weighted}) {
    World world(config);
    Origins origins(world);
    origins.Fail(10);
    EXPECT_FALSE(world.cluster->endpoint_states()[0].ejected);
  }
}

// It is not asked anyway: two are left, and one of them may be ejected.
TEST(ClusterEjectionTest, WhoHasNoWeightIsNoneOfTheEjected) {
  World world(Ejecting({9001, 9002, 9003}));
  Origins origins(world);
  origins.Fail(3);
  auto without = Ejecting({9001, 9002, 9003});
  without->endpoints[0].weight = 0;
  world.cluster->Update(without);
  origins.bad_port = 9002;
  origins.Fail(3);
  EXPECT_TRUE(world.cluster->endpoint_states()[1].ejected);
  EXPECT_FALSE(world.cluster->endpoint_states()[0].ejected);
  EXPECT_EQ(world.observer.ejected, 1);
}

// Everybody else can't be connected to: an answer of 500 is more than none.
TEST(ClusterEjectionTest, IsAskedWhenAllOthersRest) {
  World world(Ejecting({9001, 9002}));
  Origins origins(world);
  origins.Fail(3);
  world.cluster->Update(Ejecting({9001, 9003}));
  Caller caller;
  caller.Start(*world.cluster);
  ASSERT_EQ(world.network.connects.back()->address.port(), 9003);
  world.network.connects.back()->Open(false);
  world.loop.Turn();
  EXPECT_EQ(caller.call->facts().endpoint, "127.0.0.1:9001");
  EXPECT_EQ(origins.Ask(), 9001);
}

// An endpoint that is full is waited for; the idle connections of the ejected one are in its way, and close.
TEST(ClusterEjectionTest, WhoWaitsDoesNotWaitForIt) {
  auto config = Ejecting({9001, 9002});
  config->connections_max = 2;
  World world(config);
  Origins origins(world);
  origins.Fail(3);
  ASSERT_EQ(world.cluster->endpoint_states()[0].connections, 1u);
  Caller first, second;
  first.Start(*world.cluster);
  second.Start(*world.cluster);
  world.loop.Turn();
  world.loop.Turn();  // the room is handed over
  EXPECT_EQ(world.cluster->endpoint_states()[0].connections, 0u);
  EXPECT_EQ(world.cluster->endpoint_states()[1].connections, 2u);
  EXPECT_FALSE(first.error || second.error);
}

// A call that is under way there when it is ejected: its connection is not for those who wait.
TEST(ClusterEjectionTest, WhatBecomesFreeThereServesNobody) {
  auto config = Ejecting({9001, 9002}, 1);
  config->connections_max = 2;
  World world(config);
  Caller bad, good, waiting;
  bad.Start(*world.cluster);   // 9001
  good.Start(*world.cluster);  // 9002
  world.Open(0);
  world.Open(1);
  waiting.Start(*world.cluster);
  world.Say(0, kFailed);
  EXPECT_EQ(world.observer.ejected, 1);
  EXPECT_TRUE(world.far(0).destroyed);
  world.loop.Turn();
  ASSERT_EQ(world.network.connects.size(), 3u);
  EXPECT_EQ(world.far(2).address.port(), 9002);
  world.Open(2);
  world.Say(2, kOk);
  EXPECT_EQ(waiting.status, 200);
}

TEST(ClusterEjectionTest, AllWorkersSeeItAndOneTellsIt) {
  ClusterShared shared;
  World a(Ejecting({9001, 9002}), shared), b(Ejecting({9001, 9002}), shared);
  Origins at_a(a), at_b(b);
  at_a.Fail(1);
  at_b.Fail(1);
  EXPECT_FALSE(a.cluster->endpoint_states()[0].ejected);
  at_b.Fail(1);
  EXPECT_TRUE(a.cluster->endpoint_states()[0].ejected);
  EXPECT_TRUE(b.cluster->endpoint_states()[0].ejected);
  EXPECT_EQ(at_a.AskMany(), (std::set<uint16_t>{9002}));
  EXPECT_EQ(a.observer.told, "");
  EXPECT_EQ(b.observer.told, "127.0.0.1:9001 ejected for 30 s; ");
}

TEST(ClusterEjectionTest, WhatBecomesOfItWithTheConfiguration) {
  struct Row {
    std::string_view name;
    std::shared_ptr<ClusterConfig> change;
    std::string_view told;
    bool ejected;  // after the first configuration is back
  };
  auto other_limits = Ejecting({9001, 9002});
  other_limits->connections_max = 7;
  other_limits->ejection->consecutive_failures = 9;
  auto no_weight = Ejecting({9001, 9002});
  no_weight->endpoints[0].weight = 0;
  const Row rows[] = {
      {"something else changes", other_limits, "", true},
      {"another endpoint comes, in front", Ejecting({9003, 9001, 9002}), "", true},
      {"the other endpoint goes", Ejecting({9001}), "", true},
      {"the endpoint goes", Ejecting({9002}), "127.0.0.1:9001 is forgotten; ", false},
      {"ejection goes", Config({9001, 9002}), "127.0.0.1:9001 is forgotten; ", false},
      {"its weight goes", no_weight, "127.0.0.1:9001 is forgotten; ", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    World world(Ejecting({9001, 9002}));
    Origins origins(world);
    origins.Fail(3);
    world.observer.told.clear();
    world.cluster->Update(row.change);
    world.loop.Turn();
    EXPECT_EQ(world.observer.told, row.told);
    EXPECT_EQ(world.observer.ejected, row.ejected ? 1 : 0);
    world.cluster->Update(Ejecting({9001, 9002}));
    EXPECT_EQ(world.cluster->endpoint_states()[0].ejected, row.ejected);
    EXPECT_EQ(origins.AskMany().contains(9001), !row.ejected);
  }
}

// A streak is a verdict too.
TEST(ClusterEjectionTest, AStreakOutlivesAChange) {
  World world(Ejecting({9001, 9002}));
  Origins origins(world);
  origins.Fail(2);
  world.cluster->Update(Ejecting({9003, 9002, 9001}));
  origins.Fail(1);
  EXPECT_EQ(world.observer.ejected, 1);
}

}  // namespace
}  // namespace portico::upstream
