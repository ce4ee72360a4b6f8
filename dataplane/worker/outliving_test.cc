// What outlives a change of configuration, and what does not.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "api/base/text.h"
#include "dataplane/base/time.h"
#include "dataplane/listener/test_peer.h"
#include "dataplane/listener/test_snapshot.h"
#include "dataplane/net/address.h"
#include "dataplane/observe/metrics.h"
#include "dataplane/route/route_table.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/worker/worker.h"
#include "test/support/sim/sim_network.h"

namespace portico::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::MakePort;
using test::MakeSnapshot;

// A worker at 10.0.0.1, and whoever is outside at 10.0.0.5.
struct World {
  void Publish(std::shared_ptr<const snapshot::Snapshot> next) {
    bool done = false;
    loop.Post([&] {
      EXPECT_TRUE(worker.Prepare(next).ok());
      worker.Swap(std::move(next));
      done = true;
    });
    EXPECT_TRUE(world.RunUntil([&] { return done; }, seconds(5)));
  }
  std::unique_ptr<test::TestPeer> Connect(const std::string& say) {
    return std::make_unique<test::TestPeer>(outer.Connect(net::Address::Parse("10.0.0.1", 8080).value()), say);
  }
  ~World() {
    loop.Post([this] { worker.Close(); });
    world.RunFor(seconds(1));
  }

  sim::SimWorld world{1};
  sim::SimLoop loop{world, "proxy"}, outer_loop{world, "outer"};
  sim::SimNetwork network{world, loop, "10.0.0.1"}, outer{world, outer_loop, "10.0.0.5"};
  observe::Metrics metrics;
  Worker worker{WorkerParts{loop, network, 1, metrics, nullptr}};
};

const net::Address kOrigin = net::Address::Parse("10.0.0.5", 9001).value();
const net::Address kNobody = net::Address::Parse("10.0.0.5", 9002).value();
const std::string kHalfAnUpload = "POST / HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 8\r\n\r\nhalf";

// `first` is open at the origin when the table goes, with the rule that sent it there, and ends well.
void ExpectPinsNoTable(const std::string& first, const std::string& rest) {
  World world;
  test::TestServer origin(world.outer, kOrigin);
  auto old = MakeSnapshot({MakePort(8080, {"http"}, {{.cluster = "default/orders"}})},
                          {test::MakeCluster("default/orders", {kOrigin})});
  const std::weak_ptr<const snapshot::Port> port = old->ports[0];
  const std::weak_ptr<const route::RouteTable> table = old->ports[0]->routes;
  world.Publish(std::move(old));
  const auto client = world.Connect(first);
  const auto asked = [&] { return !origin.peers.empty() && origin.peers[0]->Heard("\r\n\r\n"); };
  ASSERT_TRUE(world.world.RunUntil(asked, seconds(5)));
  EXPECT_FALSE(table.expired());

  world.Publish(MakeSnapshot({MakePort(8080, {"http"}, {{.answer = "new", .route = "default/other"}})}));
  EXPECT_TRUE(port.expired());
  EXPECT_TRUE(table.expired());
  EXPECT_FALSE(client->gone());
  client->Say(rest);
  origin.peers[0]->Say(test::Answer("late"));
  EXPECT_TRUE(world.world.RunUntil([&] { return client->Heard("late"); }, seconds(5)));
}

TEST(Outliving, AnOpenExchangePinsNoTable) {
  ExpectPinsNoTable(test::Get("/"), "");
  ExpectPinsNoTable(kHalfAnUpload, "more");
}

// One change after the other that has nothing to do with the cluster, and one connection serves all requests.
TEST(Outliving, AnUnrelatedChangeKeepsPooledConnectionsAndVerdicts) {
  World world;
  test::TestServer origin(world.outer, kOrigin);
  origin.on_accept = [](test::TestPeer& peer) {
    peer.on_heard = [&peer] {
      if (!peer.Heard("\r\n\r\n")) return;
      peer.heard.clear();
      peer.Say(test::Answer("served"));
    };
  };
  const auto cluster = test::MakeCluster("default/orders", {kOrigin, kNobody});
  int changes = 0;
  const auto change = [&] {
    const std::string other = base::Concat("other ", ++changes);
    world.Publish(MakeSnapshot(
        {MakePort(8080, {"http"}, {{.cluster = "default/orders"}}), MakePort(8081, {"more"}, {{.answer = other}})},
        {cluster}));
  };
  const auto ask = [&] {
    const auto client = world.Connect(test::Get("/"));
    EXPECT_TRUE(world.world.RunUntil([&] { return client->Heard("served"); }, seconds(5)));
  };
  const auto rests = [&] { return world.worker.Clusters()[0].endpoints[1].resting; };
  change();
  for (const seconds rest : {seconds(1), seconds(2), seconds(4), seconds(8)}) {
    SCOPED_TRACE(rest.count());
    for (int i = 0; i < 10 && !rests(); ++i)
      ask();
    ASSERT_TRUE(rests());
    const base::MonotonicTime begun = world.loop.Now();
    const auto rested = [&] { return world.loop.Now() - begun; };
    while (rests() && rested() < 2 * rest) {
      change();
      if (rested() < rest - milliseconds(300)) ask();  // whoever asks when it is over begins the next rest
      world.world.RunFor(milliseconds(100));
    }
    EXPECT_GE(rested(), rest - milliseconds(100));
    EXPECT_LE(rested(), rest + milliseconds(200));
  }
  EXPECT_GT(changes, 100);
  EXPECT_EQ(origin.peers.size(), 1u);
}

// The one that fails is not asked until its time is over, however often something else changes meanwhile.
TEST(Outliving, AnUnrelatedChangeKeepsEjectedEndpointsEjected) {
  World world;
  test::TestServer good(world.outer, kOrigin), bad(world.outer, kNobody);
  int failures = 0;
  const auto answering = [](std::string answer, int* count) {
    return [answer, count](test::TestPeer& peer) {
      peer.on_heard = [&peer, answer, count] {
        if (!peer.Heard("\r\n\r\n")) return;
        peer.heard.clear();
        if (count != nullptr) ++*count;
        peer.Say(answer);
      };
    };
  };
  good.on_accept = answering(test::Answer("served"), nullptr);
  bad.on_accept = answering("HTTP/1.1 500 No\r\ncontent-length: 6\r\n\r\nfailed", &failures);
  auto cluster = std::make_shared<upstream::ClusterConfig>(*test::MakeCluster("default/orders", {kOrigin, kNobody}));
  cluster->ejection = upstream::outlier::EjectionRules{.consecutive_failures = 3, .base_time = seconds(10)};
  int changes = 0;
  const auto change = [&] {
    const std::string other = base::Concat("other ", ++changes);
    world.Publish(MakeSnapshot(
        {MakePort(8080, {"http"}, {{.cluster = "default/orders"}}), MakePort(8081, {"more"}, {{.answer = other}})},
        {cluster}));
  };
  const auto ask = [&] {
    const auto client = world.Connect(test::Get("/"));
    EXPECT_TRUE(world.world.RunUntil([&] { return client->Heard("served") || client->Heard("failed"); }, seconds(5)));
  };
  change();
  // The streak of failures is kept as well.
  for (int i = 0; i < 20 && failures < 3; ++i) {
    ask();
    change();
  }
  ASSERT_TRUE(world.worker.Clusters()[0].endpoints[1].ejected);
  const base::MonotonicTime begun = world.loop.Now();
  while (world.worker.Clusters()[0].endpoints[1].ejected && world.loop.Now() - begun < seconds(20)) {
    change();
    if (world.loop.Now() - begun < seconds(9)) ask();
    world.world.RunFor(milliseconds(500));
  }
  EXPECT_EQ(failures, 3);
  EXPECT_GE(world.loop.Now() - begun, seconds(9));
  EXPECT_LE(world.loop.Now() - begun, seconds(11));
  for (int i = 0; i < 4; ++i)
    ask();
  EXPECT_GT(failures, 3) << "it is asked again";
}

}  // namespace
}  // namespace portico::worker
