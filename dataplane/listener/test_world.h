#ifndef PORTICO_DATAPLANE_LISTENER_TEST_WORLD_H_
#define PORTICO_DATAPLANE_LISTENER_TEST_WORLD_H_

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/cache/store.h"
#include "dataplane/cache/worker_cache.h"
#include "dataplane/compose/budget.h"
#include "dataplane/crypto/key_pair.h"
#include "dataplane/listener/listener.h"
#include "dataplane/listener/test_peer.h"
#include "dataplane/listener/test_snapshot.h"
#include "dataplane/listener/test_surroundings.h"
#include "dataplane/observe/families.h"
#include "dataplane/tls/client_context.h"
#include "dataplane/tls/server_context.h"
#include "test/support/key_material.h"
#include "test/support/sim/sim_network.h"

// A listener on a simulated machine, its clients, and a backend that never answers. For tests only.

namespace portico::listener {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Get;
using test::TestPeer;

inline constexpr uint16_t kPort = 8080;

inline net::Address At(std::string_view ip, uint16_t port = kPort) {
  return net::Address::Parse(ip, port).value();
}

// A listener on the host 10.0.0.1, and clients elsewhere.
struct World : downstream::Host, Listener::Owner {
  explicit World(uint64_t seed = 1) : world(seed) { NewListener(); }
  ~World() {
    clients.clear();
    if (listener != nullptr) {
      listener->Close();
      Bury();
    }
    world.RunFor(seconds(1));
    EXPECT_EQ(pool.blocks_in_use(), 0u);
    EXPECT_EQ(budget.connections(), 0u);
    EXPECT_EQ(world.Leaks(), "");
  }

  // downstream::Host
  event::Loop& loop() override { return proxy_loop; }
  base::Random& random() override { return dice; }
  filter::WorkerSlots& slots() override { return worker_slots; }
  compose::Budget& composition_budget() override { return compositions; }
  cache::WorkerCache& cache() override { return worker_cache; }
  call::ReplayBudget& replay_budget() override { return replays; }
  std::shared_ptr<call::Backend> FindBackend(std::string_view) override { return silent; }
  void OnExchangeEnd(const observe::ExchangeRecord& record) override { ++(record.aborted ? aborted : ended); }
  // Listener::Owner
  void OnEmpty(Listener&) override { ++empty_count; }

  void NewListener() {
    const ListenerParts parts = {proxy_loop, network, pool, scratch, metrics, budget, *this};
    Listener::Owner& owner = *this;
    listener = std::make_unique<Listener>(parts, owner);
  }
  // After what dies in the turn that the loop has next.
  void Bury() {
    world.RunFor(milliseconds(1));
    proxy_loop.Post([this] { proxy_loop.DeleteLater(std::move(listener)); });
    world.RunFor(milliseconds(1));
  }
  // Binds and serves.
  void Serve(std::shared_ptr<const snapshot::Port> port, const std::vector<net::Address>& addresses = {}) {
    ASSERT_EQ(listener->Bind(*port, BindAddresses(addresses)), absl::OkStatus());
    listener->Update(std::move(port));
  }
  void InLoop(std::function<void()> task) {
    bool done = false;
    proxy_loop.Post([&] {
      task();
      done = true;
    });
    ASSERT_TRUE(Until([&] { return done; }));
  }
  TestPeer& Connect(std::string say = "", const net::Address& to = At("10.0.0.1")) {
    clients.push_back(std::make_unique<TestPeer>(client_network.Connect(to), std::move(say)));
    return *clients.back();
  }
  TestPeer& ConnectTls(std::string say) {
    auto session = client_tls->NewSession({.host = "shop.example", .alpn = {"http/1.1"}}, base::WallTime());
    auto stream =
        std::make_unique<tls::TlsStream>(client_network.Connect(At("10.0.0.1")), std::move(session), client_scratch);
    clients.push_back(std::make_unique<TestPeer>(std::move(stream), std::move(say)));
    return *clients.back();
  }
  bool Until(const std::function<bool()>& predicate, base::Duration within = seconds(20)) {
    return world.RunUntil(predicate, within);
  }
  // A number of the listener's label; nullopt: there is no such series.
  std::optional<int64_t> Number(const observe::Family& family, std::string_view label) {
    const observe::MetricsSnapshot numbers = metrics.Read();
    const auto values = numbers.find(family.name);
    if (values == numbers.end()) return std::nullopt;
    const auto cell = values->second.series.find({std::string(label)});
    if (cell == values->second.series.end()) return std::nullopt;
    if (const auto* gauge = std::get_if<int64_t>(&cell->second)) return *gauge;
    return static_cast<int64_t>(std::get<uint64_t>(cell->second));
  }

  sim::SimWorld world;
  sim::SimLoop proxy_loop{world, "proxy"};
  sim::SimNetwork machine{world, proxy_loop, "10.0.0.1"};
  PickyNetwork network{machine};
  sim::SimLoop client_loop{world, "client"};
  sim::SimNetwork client_network{world, client_loop, "10.0.0.9"};
  base::BlockPool pool;
  tls::Scratch scratch, client_scratch;
  std::unique_ptr<tls::ClientContext> client_tls =
      tls::ClientContext::Create({.ca_certificates_pem = test::k_root_certificate, .skip_verification = true}).value();
  observe::Metrics metrics;
  std::shared_ptr<shared::Budget> total = std::make_shared<shared::Budget>();
  ConnectionBudget budget{proxy_loop, total};
  base::Random dice{7};
  filter::WorkerSlots worker_slots;
  compose::Budget compositions;
  cache::Store responses;
  cache::WorkerCache worker_cache{proxy_loop, responses};
  call::ReplayBudget replays;
  std::shared_ptr<SilentBackend> silent = std::make_shared<SilentBackend>();
  std::unique_ptr<Listener> listener;
  std::vector<std::unique_ptr<TestPeer>> clients;
  int empty_count = 0;
  int ended = 0, aborted = 0;  // exchanges
};

inline std::shared_ptr<const snapshot::Port> Hello(const snapshot::ClientConfig& client = {}) {
  return test::MakePort(kPort, {"http"}, {{.answer = "hello"}, {.path = "/silent", .cluster = "default/silent"}},
                        client);
}

}  // namespace portico::listener

#endif  // PORTICO_DATAPLANE_LISTENER_TEST_WORLD_H_
