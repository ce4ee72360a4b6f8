#include "dataplane/upstream/endpoint.h"

#include <gtest/gtest.h>

#include <optional>
#include <string_view>

#include "dataplane/upstream/cluster_for_test.h"

namespace portico::upstream {
namespace {

using namespace for_test;

struct NobodyAsks final : shared::Budget::Member::Handler {
  void OnRoom() override {}
  size_t OnWanted(size_t) override { return 0; }
};

struct CountingWaiter final : Waiter {
  void OnConnection(Endpoint&, Connection&) override { ++connections; }
  void OnNoConnection(Endpoint&, const call::Error&) override { ++refusals; }
  void OnRoom() override { ADD_FAILURE() << "there is no line"; }
  int connections = 0, refusals = 0;
};

// An endpoint in a worker, and another worker that takes room of it.
struct Place {
  explicit Place(std::shared_ptr<ClusterConfig> config)
      : use{.loop = loop,
            .network = network,
            .pool = pool,
            .config = config,
            .verdicts = shared.verdicts,
            .slots = {shared.connections, loop, nobody},
            .pending = {shared.pending, loop, nobody},
            .requests = {shared.requests, loop, nobody},
            .retries = shared.retries},
        other(shared.connections, other_loop, nobody),
        endpoint(std::in_place, use, config->endpoints[0].address) {}
  ~Place() {
    endpoint.reset();
    while (other.held() > 0)
      other.Return();
    loop.Turn();
    EXPECT_EQ(shared.connections->taken(), 0u);
  }

  base::BlockPool pool;
  test::ManualLoop loop, other_loop;
  test::ScriptedNetwork network;
  NobodyAsks nobody;
  ClusterShared shared;
  ClusterUse use;
  shared::Budget::Member other;
  std::optional<Endpoint> endpoint;
};

// Who has no place among those who may wait is in no line, whatever has become of the room by now.
TEST(EndpointTest, AConnectionOfItsOwn) {
  struct Row {
    std::string_view name;
    ClusterConfig::Protocol protocol;
    size_t others;   // connections of another worker
    bool is_making;  // a connection, for somebody else
    bool is_removed;
    bool made;
  };
  const auto http1 = ClusterConfig::Protocol::kHttp1, http2 = ClusterConfig::Protocol::kHttp2;
  const Row rows[] = {
      {"there is room", http1, 1, false, false, true},
      {"another worker was faster", http1, 3, false, false, false},
      {"one is made for somebody else", http1, 1, true, false, true},
      {"the last one was made for somebody else", http1, 2, true, false, false},
      {"one is made that several will share", http2, 1, true, false, false},
      {"the configuration names it no more", http1, 1, false, true, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    auto config = Config({9001});
    config->protocol = row.protocol;
    config->connections_max = 3;
    Place place(config);
    for (size_t i = 0; i < row.others; ++i)
      EXPECT_TRUE(place.other.TryTake(3));
    CountingWaiter first, waiter;
    if (row.is_making) place.endpoint->Wait(first);
    if (row.is_removed) place.endpoint->Remove();
    const size_t before = place.network.connects.size();
    EXPECT_EQ(place.endpoint->WaitForNew(waiter), row.made);
    EXPECT_EQ(place.network.connects.size(), before + (row.made ? 1 : 0));
    EXPECT_EQ(place.endpoint->state().waiting, before + (row.made ? 1 : 0));
    EXPECT_TRUE(place.use.line.empty());
    for (const auto& far : place.network.connects)
      far->Open(false);
    EXPECT_EQ(waiter.refusals, row.made ? 1 : 0);
  }
}

}  // namespace
}  // namespace portico::upstream
