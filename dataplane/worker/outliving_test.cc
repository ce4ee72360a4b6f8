// What a long exchange does not keep of a configuration that has gone.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

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

using test::MakePort;
using test::MakeSnapshot;

const std::string kHalfAnUpload = "POST / HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 8\r\n\r\nhalf";

// `first` is open at the origin when the table goes, with the rule that sent it there, and ends well.
void ExpectPinsNoTable(const std::string& first, const std::string& rest) {
  sim::SimWorld world(1);
  sim::SimLoop loop(world, "proxy"), outer_loop(world, "outer");
  sim::SimNetwork network(world, loop, "10.0.0.1"), outer(world, outer_loop, "10.0.0.5");
  const net::Address at = net::Address::Parse("10.0.0.5", 9001).value();
  test::TestServer origin(outer, at);
  observe::Metrics metrics;
  Worker worker(WorkerParts{loop, network, 1, metrics, nullptr});
  const auto publish = [&](std::shared_ptr<const snapshot::Snapshot> next) {
    bool done = false;
    loop.Post([&] {
      EXPECT_TRUE(worker.Prepare(next).ok());
      worker.Swap(std::move(next));
      done = true;
    });
    ASSERT_TRUE(world.RunUntil([&] { return done; }, std::chrono::seconds(5)));
  };

  const auto cluster = test::MakeCluster("default/orders", {at});
  auto old = MakeSnapshot({MakePort(8080, {"http"}, {{.cluster = "default/orders"}})}, {cluster});
  const std::weak_ptr<const snapshot::Port> port = old->ports[0];
  const std::weak_ptr<const route::RouteTable> table = old->ports[0]->routes;
  publish(std::move(old));
  test::TestPeer client(outer.Connect(net::Address::Parse("10.0.0.1", 8080).value()), first);
  const auto asked = [&] { return !origin.peers.empty() && origin.peers[0]->Heard("\r\n\r\n"); };
  ASSERT_TRUE(world.RunUntil(asked, std::chrono::seconds(5)));
  EXPECT_FALSE(table.expired());

  publish(MakeSnapshot({MakePort(8080, {"http"}, {{.answer = "new", .route = "default/other"}})}));
  EXPECT_TRUE(port.expired());
  EXPECT_TRUE(table.expired());
  EXPECT_FALSE(client.gone());
  client.Say(rest);
  origin.peers[0]->Say(test::Answer("late"));
  EXPECT_TRUE(world.RunUntil([&] { return client.Heard("late"); }, std::chrono::seconds(5)));

  loop.Post([&] { worker.Close(); });
  world.RunFor(std::chrono::seconds(1));
}

TEST(Outliving, AnOpenExchangePinsNoTable) {
  ExpectPinsNoTable(test::Get("/"), "");
  ExpectPinsNoTable(kHalfAnUpload, "more");
}

}  // namespace
}  // namespace portico::worker
