#include "dataplane/worker/worker.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/listener/test_peer.h"
#include "dataplane/listener/test_snapshot.h"
#include "dataplane/observe/families.h"
#include "test/support/sim/sim_network.h"

namespace portico::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Get;
using test::MakeCluster;
using test::MakePort;
using test::MakeSnapshot;
using test::TestPeer;
using SnapshotPointer = std::shared_ptr<const snapshot::Snapshot>;

net::Address At(std::string_view ip, uint16_t port) {
  return net::Address::Parse(ip, port).value();
}
const net::Address kOrigin = At("10.0.0.5", 9001);

// A worker on the host 10.0.0.1, clients, and an origin server that answers when the test says so.
struct World {
  explicit World(uint64_t seed = 1, exporting::LogFile* log = nullptr, SharedLimits* limits = nullptr) : world(seed) {
    worker = std::make_unique<Worker>(WorkerParts{loop, network, seed, metrics, log, limits});
  }
  ~World() {
    clients.clear();
    InLoop([&] { worker->Close(); });
    world.RunFor(seconds(1));
    EXPECT_TRUE(worker->idle());
    worker.reset();
    origin.peers.clear();
    world.RunFor(seconds(1));
    EXPECT_EQ(world.live_streams(), 0u);
    EXPECT_EQ(loop.timers().size(), 0u);
  }

  void InLoop(const std::function<void()>& task) {
    bool done = false;
    loop.Post([&] {
      task();
      done = true;
    });
    ASSERT_TRUE(Until([&] { return done; }));
  }
  void Publish(const SnapshotPointer& next) {
    InLoop([&] {
      const absl::Status prepared = worker->Prepare(next);
      ASSERT_TRUE(prepared.ok()) << prepared;
      worker->Swap(next);
    });
  }
  absl::Status Prepare(const SnapshotPointer& next) {
    absl::Status status;
    InLoop([&] { status = worker->Prepare(next); });
    return status;
  }
  TestPeer& Connect(std::string say = "", uint16_t port = 8080) {
    clients.push_back(std::make_unique<TestPeer>(client_network.Connect(At("10.0.0.1", port)), std::move(say)));
    return *clients.back();
  }
  bool Until(const std::function<bool()>& predicate, base::Duration within = seconds(20)) {
    return world.RunUntil(predicate, within);
  }
  // The origin has a request that it has not answered.
  bool Asked() const {
    for (const auto& peer : origin.peers)
      if (peer->Heard("\r\n\r\n")) return true;
    return false;
  }
  void AnswerAll(std::string_view content) {
    for (const auto& peer : origin.peers) {
      if (!peer->Heard("\r\n\r\n")) continue;
      peer->heard.clear();
      peer->Say(test::Answer(content));
    }
  }
  // nullopt: there is no such series.
  std::optional<int64_t> Number(const observe::Family& family, const observe::LabelValues& labels) const {
    const observe::MetricsSnapshot numbers = metrics.Read();
    const auto values = numbers.find(family.name);
    if (values == numbers.end()) return std::nullopt;
    const auto cell = values->second.series.find(labels);
    if (cell == values->second.series.end()) return std::nullopt;
    if (const auto* gauge = std::get_if<int64_t>(&cell->second)) return *gauge;
    return static_cast<int64_t>(std::get<uint64_t>(cell->second));
  }

  sim::SimWorld world;
  sim::SimLoop loop{world, "proxy"};
  sim::SimNetwork network{world, loop, "10.0.0.1"};
  sim::SimLoop client_loop{world, "client"};
  sim::SimNetwork client_network{world, client_loop, "10.0.0.9"};
  sim::SimLoop origin_loop{world, "origin"};
  sim::SimNetwork origin_network{world, origin_loop, "10.0.0.5"};
  test::TestServer origin{origin_network, kOrigin};
  observe::Metrics metrics;
  std::vector<std::unique_ptr<TestPeer>> clients;
  std::unique_ptr<Worker> worker;
};

SnapshotPointer Answering(std::string_view answer, uint16_t port = 8080) {
  return MakeSnapshot({MakePort(port, {"http"}, {{.answer = std::string(answer)}})});
}
SnapshotPointer Forwarding(const std::string& cluster = "default/orders", const std::string& route = "default/shop") {
  return MakeSnapshot({MakePort(8080, {"http"}, {{.cluster = cluster, .route = route}})},
                      {MakeCluster(cluster, {kOrigin})});
}

TEST(Worker, AnswersAndCounts) {
  World world;
  world.Publish(Answering("hello"));
  TestPeer& client = world.Connect(Get("/"));
  EXPECT_TRUE(world.Until([&] { return client.Heard("hello"); }));
  EXPECT_EQ(world.Number(observe::kRequests, {"default/shop", "2xx"}), 1);
  EXPECT_EQ(world.Number(observe::kDownstreamConnections, {"http"}), 1);
  EXPECT_FALSE(world.worker->idle());
}

TEST(Worker, ForwardsAndShowsItsClusters) {
  World world;
  world.Publish(Forwarding());
  TestPeer& client = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return world.Asked(); }));
  std::vector<ClusterState> states = world.worker->Clusters();
  ASSERT_EQ(states.size(), 1u);
  EXPECT_EQ(states[0].name, "default/orders");
  EXPECT_EQ(states[0].calls, 1u);
  ASSERT_EQ(states[0].endpoints.size(), 1u);
  EXPECT_EQ(states[0].endpoints[0].address, "10.0.0.5:9001");
  EXPECT_EQ(states[0].endpoints[0].connections, 1u);
  EXPECT_EQ(world.Number(observe::kUpstreamConnections, {"default/orders"}), 1);
  world.AnswerAll("stock");
  EXPECT_TRUE(world.Until([&] { return client.Heard("stock"); }));
  EXPECT_EQ(world.worker->Clusters()[0].calls, 0u);
  EXPECT_EQ(world.Number(observe::kUpstreamRequests, {"default/orders", "success"}), 1);
}

// Pools and clients' connections do not notice a change that is none of theirs.
TEST(Worker, KeepsWhatASwapDoesNotTouch) {
  World world;
  world.Publish(Forwarding());
  TestPeer& client = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return world.Asked(); }));
  world.AnswerAll("one");
  ASSERT_TRUE(world.Until([&] { return client.Heard("one"); }));
  world.Publish(Forwarding());
  client.Say(Get("/"));
  ASSERT_TRUE(world.Until([&] { return world.Asked(); }));
  world.AnswerAll("two");
  ASSERT_TRUE(world.Until([&] { return client.Heard("two"); }));
  EXPECT_FALSE(client.Heard("connection: close"));
  EXPECT_EQ(world.origin.peers.size(), 1u);
  EXPECT_EQ(world.Number(observe::kRequests, {"default/shop", "2xx"}), 2);
}

TEST(Worker, RefusesAPortThatIsTaken) {
  World world;
  world.Publish(Answering("old"));
  test::TestServer squatter(world.network, At("10.0.0.1", 9090), {.share_port = false});
  const size_t before = world.world.live_acceptors();
  const auto next = MakeSnapshot(
      {MakePort(8080, {"http"}, {{.answer = "new"}}), MakePort(8081, {"a"}, {{}}), MakePort(9090, {"b"}, {{}})});
  const absl::Status status = world.Prepare(next);
  EXPECT_EQ(base::ToStd(status.message()), "listener b, port 9090: 0.0.0.0:9090: address in use");
  EXPECT_EQ(world.world.live_acceptors(), before);
  TestPeer& client = world.Connect(Get("/"));
  EXPECT_TRUE(world.Until([&] { return client.Heard("old"); }));
  // What was refused leaves nothing behind that a good one would stumble over.
  world.Publish(MakeSnapshot({MakePort(8080, {"http"}, {{.answer = "newer"}}), MakePort(8081, {"a"}, {{}})}));
  TestPeer& later = world.Connect(Get("/"));
  EXPECT_TRUE(world.Until([&] { return later.Heard("newer"); }));
}

TEST(Worker, AbandonsWhatItPrepared) {
  World world;
  world.Publish(Answering("old"));
  const size_t before = world.world.live_acceptors();
  const auto next = MakeSnapshot({MakePort(8080, {"http"}, {{.answer = "new"}}), MakePort(8081, {"a"}, {{}})});
  ASSERT_TRUE(world.Prepare(next).ok());
  EXPECT_GT(world.world.live_acceptors(), before);
  TestPeer& early = world.Connect(Get("/"), 8081);
  world.world.RunFor(milliseconds(100));
  world.InLoop([&] { world.worker->Abandon(); });
  EXPECT_EQ(world.world.live_acceptors(), before);
  EXPECT_TRUE(world.Until([&] { return early.failed; }));
  TestPeer& client = world.Connect(Get("/"));
  EXPECT_TRUE(world.Until([&] { return client.Heard("old"); }));
  EXPECT_EQ(world.Number(observe::kDownstreamConnections, {"a"}), std::nullopt);
}

TEST(Worker, RemovesAPortWhoseExchangeGoesOn) {
  World world;
  world.Publish(
      MakeSnapshot({MakePort(8080, {"http"}, {{}}), MakePort(8081, {"shop"}, {{.cluster = "default/orders"}})},
                   {MakeCluster("default/orders", {kOrigin})}));
  TestPeer& busy = world.Connect(Get("/"), 8081);
  TestPeer& idle = world.Connect("", 8081);
  ASSERT_TRUE(world.Until([&] { return world.Asked() && idle.open; }));
  world.Publish(Answering("hello"));
  TestPeer& refused = world.Connect(Get("/"), 8081);
  world.world.RunFor(seconds(5));
  EXPECT_TRUE(refused.failed && idle.gone());
  EXPECT_FALSE(busy.gone());
  EXPECT_EQ(world.Number(observe::kDownstreamConnections, {"shop"}), 1);
  world.AnswerAll("late");
  EXPECT_TRUE(world.Until([&] { return busy.Heard("late") && busy.Heard("connection: close") && busy.ended; }));
  world.clients.clear();
  EXPECT_TRUE(world.Until([&] { return world.worker->idle(); }));
  EXPECT_EQ(world.Number(observe::kDownstreamConnections, {"shop"}), std::nullopt);
  EXPECT_EQ(world.Number(observe::kDownstreamConnections, {"http"}), 0);
}

// The port comes back before its last connection has gone.
TEST(Worker, OpensARemovedPortAgain) {
  World world;
  world.Publish(Forwarding());
  TestPeer& busy = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return world.Asked(); }));
  world.Publish(MakeSnapshot({}, {MakeCluster("default/orders", {kOrigin})}));
  world.Publish(Answering("again"));
  TestPeer& client = world.Connect(Get("/"));
  EXPECT_TRUE(world.Until([&] { return client.Heard("again"); }));
  EXPECT_EQ(world.Number(observe::kDownstreamConnections, {"http"}), 2);
  world.AnswerAll("late");
  EXPECT_TRUE(world.Until([&] { return busy.Heard("late"); }));
  world.clients.clear();
  EXPECT_TRUE(world.Until([&] { return world.worker->idle(); }));
  EXPECT_EQ(world.Number(observe::kDownstreamConnections, {"http"}), 0);
}

TEST(Worker, MovesAListenerToAnotherPort) {
  World world;
  world.Publish(Answering("old", 8080));
  TestPeer& before = world.Connect(Get("/"), 8080);
  ASSERT_TRUE(world.Until([&] { return before.Heard("old"); }));
  world.Publish(Answering("new", 8081));
  TestPeer& after = world.Connect(Get("/"), 8081);
  EXPECT_TRUE(world.Until([&] { return after.Heard("new") && before.gone(); }));
  EXPECT_TRUE(world.Until([&] { return world.Number(observe::kDownstreamConnections, {"http"}) == 1; }));
}

TEST(Worker, RemovesAClusterThatIsInUse) {
  World world;
  world.Publish(Forwarding());
  TestPeer& busy = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return world.Asked(); }));
  // The new rule names a cluster that there is not: its requests fail, the one under way does not.
  world.Publish(MakeSnapshot({MakePort(8080, {"http"}, {{.cluster = "default/gone", .route = "default/other"}})}));
  EXPECT_TRUE(world.worker->Clusters().empty());
  TestPeer& later = world.Connect(Get("/"));
  EXPECT_TRUE(world.Until([&] { return later.Heard("HTTP/1.1 500"); }));
  EXPECT_EQ(world.Number(observe::kUpstreamConnections, {"default/orders"}), 1);
  world.AnswerAll("late");
  EXPECT_TRUE(world.Until([&] { return busy.Heard("late"); }));
  EXPECT_TRUE(
      world.Until([&] { return world.Number(observe::kUpstreamConnections, {"default/orders"}) == std::nullopt; }));
  EXPECT_TRUE(world.Until([&] { return world.origin.peers[0]->gone(); }));  // its pool has died with it
}

// Clients wait for a name; with its cluster goes whoever would have told them.
TEST(Worker, RemovesAClusterWhoseNameIsWaitedFor) {
  World world;
  auto cluster = std::make_shared<upstream::ClusterConfig>();
  cluster->name = "default/named";
  cluster->named = upstream::NamedOrigin{"a.test", 9001};
  const auto named = MakeSnapshot({MakePort(8080, {"http"}, {{.cluster = "default/named"}})}, {cluster});
  const auto tell = [&](const std::string& name, const std::string& ip) {
    auto resolved = std::make_shared<upstream::ResolvedName>(upstream::ResolvedName{"a.test", {}});
    resolved->addresses.push_back(At(ip, 0));
    world.InLoop([&] { world.worker->SetAddresses(name, resolved); });
  };
  world.Publish(named);
  TestPeer& early = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return world.worker->Clusters()[0].pending == 1; }));
  world.Publish(Answering("fixed"));
  EXPECT_TRUE(world.Until([&] { return early.Heard("503"); }, seconds(1)));
  tell("default/named", "10.0.0.5");  // too late: nothing happens
  world.Publish(named);
  TestPeer& late = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return world.worker->Clusters()[0].pending == 1; }));
  tell("default/named", "10.0.0.5");
  ASSERT_TRUE(world.Until([&] { return world.Asked(); }));
  world.AnswerAll("found");
  EXPECT_TRUE(world.Until([&] { return late.Heard("found"); }));
}

TEST(Worker, MovesAClusterWhoseExchangeGoesOn) {
  World world;
  world.Publish(Forwarding());
  TestPeer& busy = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return world.Asked(); }));
  test::TestServer other(world.origin_network, At("10.0.0.6", 9001));
  world.Publish(MakeSnapshot({MakePort(8080, {"http"}, {{.cluster = "default/orders"}})},
                             {MakeCluster("default/orders", {At("10.0.0.6", 9001)})}));
  TestPeer& later = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return !other.peers.empty() && other.peers[0]->Heard("\r\n\r\n"); }));
  world.AnswerAll("old origin");
  other.peers[0]->Say(test::Answer("new origin"));
  EXPECT_TRUE(world.Until([&] { return busy.Heard("old origin") && later.Heard("new origin"); }));
  world.clients.clear();
  other.peers.clear();
}

TEST(Worker, RetiresRoutesThatAreGone) {
  World world;
  world.Publish(Forwarding("default/orders", "default/old"));
  TestPeer& client = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return world.Asked(); }));
  world.AnswerAll("x");
  ASSERT_TRUE(world.Until([&] { return client.Heard("x"); }));
  EXPECT_EQ(world.Number(observe::kRequests, {"default/old", "2xx"}), 1);
  world.Publish(Answering("hello"));
  EXPECT_EQ(world.Number(observe::kRequests, {"default/old", "2xx"}), std::nullopt);
  client.Say(Get("/"));
  EXPECT_TRUE(world.Until([&] { return client.Heard("hello"); }));
  EXPECT_EQ(world.Number(observe::kRequests, {"default/shop", "2xx"}), 1);
}

SnapshotPointer Limited(size_t connections_max) {
  snapshot::ClientConfig client;
  client.connections_max = connections_max;
  return MakeSnapshot(
      {MakePort(8080, {"a"}, {{.answer = "hello"}, {.path = "/origin", .cluster = "default/orders"}}, client),
       MakePort(8081, {"b"}, {{}}, client)},
      {MakeCluster("default/orders", {kOrigin})});
}

// Two workers of a process, each in a world of its own.
struct Pair {
  explicit Pair(const SnapshotPointer& snapshot) {
    a.Publish(snapshot);
    b.Publish(snapshot);
  }
  bool Until(const std::function<bool()>& predicate) {
    for (int i = 0; i < 500 && !predicate(); ++i)
      Turn();
    return predicate();
  }
  void Turn() {
    a.world.RunFor(std::chrono::milliseconds(10));
    b.world.RunFor(std::chrono::milliseconds(10));
  }
  SharedLimits limits;
  World a{1, nullptr, &limits};
  World b{2, nullptr, &limits};
};

TEST(Worker, HasTheWholeLimitOfConnectionsIfOthersAreIdle) {
  Pair pair(Limited(3));
  for (uint16_t i = 0; i < 3; ++i)
    pair.a.Connect(Get("/"), 8080 + i % 2);
  EXPECT_TRUE(pair.Until(
      [&] { return std::ranges::all_of(pair.a.clients, [](const auto& one) { return one->Heard("hello"); }); }));
  EXPECT_EQ(pair.limits.clients()->taken(), 3u);
  TestPeer& other = pair.b.Connect(Get("/"));
  EXPECT_TRUE(pair.Until([&] { return other.Heard("hello"); })) << "an idle one of the other worker makes room";
  EXPECT_EQ(std::ranges::count_if(pair.a.clients, [](const auto& one) { return one->gone(); }), 1);
  EXPECT_EQ(pair.limits.clients()->taken(), 3u);
}

TEST(Worker, NeverGoesOverTheLimitOfTheProcess) {
  Pair pair(Limited(1));
  pair.a.Connect(Get("/origin"));
  ASSERT_TRUE(pair.Until([&] { return pair.a.Asked(); }));
  TestPeer& other = pair.b.Connect(Get("/"));
  for (int i = 0; i < 100; ++i)
    pair.Turn();
  EXPECT_EQ(other.heard, "");
  pair.a.clients.clear();
  EXPECT_TRUE(pair.Until([&] { return other.Heard("hello"); }));
}

TEST(Worker, SharesAClustersLimitWithTheOthers) {
  upstream::ClusterConfig config = *MakeCluster("default/orders", {kOrigin});
  config.connections_max = 1;
  const auto snapshot = [&] {
    return MakeSnapshot({MakePort(8080, {"a"}, {{.cluster = "default/orders"}})},
                        {std::make_shared<const upstream::ClusterConfig>(config)});
  };
  Pair pair(snapshot());
  TestPeer& first = pair.a.Connect(Get("/"));
  ASSERT_TRUE(pair.Until([&] { return pair.a.Asked(); }));
  pair.b.Connect(Get("/"));
  for (int i = 0; i < 100; ++i)
    pair.Turn();
  EXPECT_TRUE(pair.b.origin.peers.empty());
  pair.a.Publish(snapshot());  // a new configuration begins no new count
  pair.b.Publish(snapshot());
  for (int i = 0; i < 100; ++i)
    pair.Turn();
  EXPECT_TRUE(pair.b.origin.peers.empty());
  pair.a.AnswerAll("x");
  EXPECT_TRUE(pair.Until([&] { return first.Heard("x") && pair.b.Asked(); }));
  EXPECT_TRUE(pair.a.origin.peers.back()->gone()) << "kept idle, it would be of no use to the other";
}

TEST(Worker, DrainsInOrder) {
  World world;
  world.Publish(Forwarding());
  TestPeer& busy = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return world.Asked(); }));
  world.InLoop([&] { world.worker->Drain(false); });
  TestPeer& late = world.Connect(Get("/"));
  world.world.RunFor(seconds(5));
  EXPECT_EQ(world.origin.peers.size(), 2u);  // still accepting
  world.InLoop([&] { world.worker->Drain(true); });
  TestPeer& refused = world.Connect(Get("/"));
  world.world.RunFor(seconds(5));
  EXPECT_TRUE(refused.failed);
  EXPECT_FALSE(world.worker->idle());
  world.AnswerAll("x");
  EXPECT_TRUE(world.Until([&] { return busy.Heard("x") && late.Heard("x") && busy.ended && late.ended; }));
  world.clients.clear();
  EXPECT_TRUE(world.Until([&] { return world.worker->idle(); }));
}

TEST(Worker, DrainsHttp2InTwoSteps) {
  using namespace std::string_view_literals;
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0"sv);
  const std::string get("\0\0\x11\1\5\0\0\0\1\x82\x86\x84\x41\x0cshop.example"sv);
  const std::string_view warning = "\0\0\x8\7\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\0"sv;
  const std::string_view last_none = "\0\0\x8\7\0\0\0\0\0\0\0\0\0\0\0\0\0"sv;
  const std::string_view last_one = "\0\0\x8\7\0\0\0\0\0\0\0\0\1\0\0\0\0"sv;
  World world;
  world.Publish(Forwarding());
  TestPeer& idle = world.Connect(preface);
  TestPeer& busy = world.Connect(preface + get);
  ASSERT_TRUE(world.Until([&] { return world.Asked() && idle.Heard("\0\0\0\4\1"sv); }));
  world.InLoop([&] { world.worker->Drain(false); });
  EXPECT_TRUE(world.Until([&] { return idle.Heard(warning) && busy.Heard(warning); }));
  EXPECT_FALSE(idle.Heard(last_none) || idle.gone());
  world.InLoop([&] { world.worker->Drain(true); });
  EXPECT_TRUE(world.Until([&] { return idle.Heard(last_none) && idle.gone() && busy.Heard(last_one); }));
  EXPECT_FALSE(busy.gone());
  world.AnswerAll("x");
  EXPECT_TRUE(world.Until([&] { return busy.Heard("\0\0\1\0"sv) && busy.ended; }));
  world.clients.clear();
  EXPECT_TRUE(world.Until([&] { return world.worker->idle(); }));
}

TEST(Worker, CloseCutsWhatIsUnderWay) {
  World world;
  world.Publish(Forwarding());
  TestPeer& busy = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return world.Asked(); }));
  world.InLoop([&] { world.worker->Close(); });
  EXPECT_TRUE(world.Until([&] { return busy.gone() && world.origin.peers[0]->gone(); }));
  EXPECT_TRUE(world.worker->idle());
  EXPECT_EQ(world.Number(observe::kRequests, {"default/shop", "none"}), 1);
}

// A filter that keeps something in a slot of the worker.
struct SlotFilter final : filter::FilterConfig, std::enable_shared_from_this<SlotFilter> {
  std::unique_ptr<filter::Filter> MakeFilter(filter::WorkerSlots& slots) const override {
    struct Passing final : filter::Filter {
      filter::Verdict OnRequestHead(filter::FilterContext&, filter::Resume) override { return filter::Continue{}; }
    };
    slots.Get<int>("slot", shared_from_this());
    return std::make_unique<Passing>();
  }
};

TEST(Worker, SweepsSlotsThatNoSnapshotNeeds) {
  World world;
  filter::Chain chain({std::make_shared<SlotFilter>()});
  SnapshotPointer old =
      MakeSnapshot({MakePort(8080, {"http"}, {{.answer = "hello", .chain = std::exchange(chain, {})}})});
  world.Publish(old);
  TestPeer& client = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return client.Heard("hello"); }));
  EXPECT_EQ(world.worker->slot_count(), 1u);
  world.Publish(Answering("new"));
  EXPECT_EQ(world.worker->slot_count(), 1u);  // the main thread holds the old snapshot, as here
  old.reset();
  world.InLoop([&] { world.worker->SweepSlots(); });
  EXPECT_EQ(world.worker->slot_count(), 0u);
}

TEST(Worker, WritesTheAccessLog) {
  char path[] = "/tmp/portico_worker_test_XXXXXX";
  ASSERT_GE(::mkstemp(path), 0);
  {
    exporting::LogFile log([](std::string text) { ADD_FAILURE() << text; });
    log.Retarget({exporting::LogTarget::Kind::kFile, path});
    World world(1, &log);
    world.Publish(Answering("silence"));  // its access log is off
    TestPeer& client = world.Connect(Get("/unlogged"));
    ASSERT_TRUE(world.Until([&] { return client.Heard("silence"); }));
    auto next = MakeSnapshot({MakePort(8080, {"http"}, {{}})});
    next->access_log = {snapshot::AccessLogTarget::Kind::kFile, path};
    world.Publish(next);
    client.Say(Get("/logged"));
    ASSERT_TRUE(world.Until([&] { return client.Heard("hello"); }));
  }
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  ::unlink(path);
  EXPECT_NE(text.str().find("/logged"), std::string::npos) << text.str();
  EXPECT_EQ(text.str().find("/unlogged"), std::string::npos) << text.str();
}

// Swaps, removals and drains while connections break in every way: nothing may be left over, and every client hears an
// answer or an end.
TEST(Worker, SurvivesSwapsInAWorldOfFaults) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    world.world.set_plan_chooser([](const net::Address&, base::Random& r) { return sim::FaultPlan::Random(r, 8); });
    world.origin.on_accept = [](TestPeer& peer) {
      peer.on_heard = [&peer] {
        if (peer.Heard("\r\n\r\n")) peer.heard.clear(), peer.Say(test::Answer("stock"));
      };
    };
    const SnapshotPointer snapshots[] = {
        Forwarding(), Answering("hello"), MakeSnapshot({}), Forwarding("default/other"),
        MakeSnapshot({MakePort(8080, {"http"}, {{.cluster = "default/orders"}}), MakePort(8081, {"b"}, {{}})},
                     {MakeCluster("default/orders", {At("10.0.0.7", 1), kOrigin})})};
    world.Publish(snapshots[0]);
    for (int i = 0; i < 60; ++i) {
      world.Connect(Get("/") + Get("/again"), world.world.Chance(4) ? 8081 : 8080);
      world.world.RunFor(world.world.Between(milliseconds(0), milliseconds(20)));
      if (world.world.Chance(4)) world.Publish(snapshots[world.world.random().Below(std::size(snapshots))]);
      if (world.world.Chance(8)) world.clients.erase(world.clients.begin());
    }
    world.InLoop([&] { world.worker->Drain(false); });
    world.world.RunFor(milliseconds(100));
    world.InLoop([&] { world.worker->Drain(true); });
    world.world.RunFor(seconds(200));
    EXPECT_TRUE(world.worker->idle());
    const observe::MetricsSnapshot numbers = world.metrics.Read();
    const auto connections = numbers.find(observe::kDownstreamConnections.name);
    if (connections == numbers.end()) continue;
    for (const auto& [labels, value] : connections->second.series)
      EXPECT_EQ(std::get<int64_t>(value), 0) << labels[0];
  }
}

}  // namespace
}  // namespace portico::worker
