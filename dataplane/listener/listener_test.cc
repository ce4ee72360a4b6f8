#include "dataplane/listener/listener.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/compose/budget.h"
#include "dataplane/crypto/key_pair.h"
#include "dataplane/listener/test_peer.h"
#include "dataplane/listener/test_snapshot.h"
#include "dataplane/observe/families.h"
#include "dataplane/tls/client_context.h"
#include "dataplane/tls/server_context.h"
#include "test/support/key_material.h"
#include "test/support/sim/sim_network.h"

namespace portico::listener {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Get;
using test::TestPeer;

constexpr uint16_t kPort = 8080;

net::Address At(std::string_view ip, uint16_t port = kPort) {
  return net::Address::Parse(ip, port).value();
}

// A backend that never answers.
class SilentBackend final : public call::Backend {
 public:
  std::string_view name() const override { return "default/silent"; }
  std::unique_ptr<call::Call> Start(const call::CallRequest&, call::CallHandler&) override {
    return std::make_unique<SilentCall>();
  }

 private:
  class SilentCall final : public call::Call {
    void SendContent(base::Buffer& content, bool) override { content.Clear(); }
    void SendTrailers(const http::Fields&) override {}
    size_t Unsent() const override { return 0; }
    void Consumed(size_t) override {}
    call::CallFacts facts() const override { return {}; }
  };
};

// The machine's network, on which some addresses can't be had.
class PickyNetwork final : public net::Network {
 public:
  explicit PickyNetwork(net::Network& machine) : machine_(machine) {}
  std::unique_ptr<net::ByteStream> Connect(const net::Address& address) override { return machine_.Connect(address); }
  absl::StatusOr<std::unique_ptr<net::Acceptor>> Listen(const net::Address& address, const net::ListenOptions& options,
                                                        net::Acceptor::Handler& handler) override {
    const auto refused = refuses.find(address);
    if (refused != refuses.end()) return refused->second;
    return machine_.Listen(address, options, handler);
  }
  absl::Status ProbePort(const net::Address& address) override { return machine_.ProbePort(address); }

  std::map<net::Address, absl::Status> refuses;

 private:
  net::Network& machine_;
};

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
  ConnectionBudget budget;
  base::Random dice{7};
  filter::WorkerSlots worker_slots;
  compose::Budget compositions;
  std::shared_ptr<SilentBackend> silent = std::make_shared<SilentBackend>();
  std::unique_ptr<Listener> listener;
  std::vector<std::unique_ptr<TestPeer>> clients;
  int empty_count = 0;
  int ended = 0, aborted = 0;  // exchanges
};

std::shared_ptr<const snapshot::Port> Hello(const snapshot::ClientConfig& client = {}) {
  return test::MakePort(kPort, {"http"}, {{.answer = "hello"}, {.path = "/silent", .cluster = "default/silent"}},
                        client);
}

TEST(BindAddresses, AllByDefault) {
  const std::vector<BindAddress> all = BindAddresses({});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].address, At("0.0.0.0", 0));
  EXPECT_FALSE(all[0].optional);
  EXPECT_EQ(all[1].address, At("::", 0));
  EXPECT_TRUE(all[1].optional);
  const std::vector<BindAddress> named = BindAddresses({At("::", 0)});
  ASSERT_EQ(named.size(), 1u);
  EXPECT_FALSE(named[0].optional);
}

TEST(Listener, BindsAllOrNothing) {
  const absl::Status absent = absl::InvalidArgumentError("[::]:8080: address family not supported");
  const absl::Status in_use = absl::AlreadyExistsError("[::]:8080: address in use");
  const absl::Status denied = absl::PermissionDeniedError("0.0.0.0:8080: permission denied");
  const struct {
    std::string_view name;
    std::vector<net::Address> addresses;
    std::map<net::Address, absl::Status> refuses;
    size_t acceptors;
    std::string_view error;
  } kRows[] = {
      {"all addresses", {}, {}, 2, ""},
      {"two named addresses", {At("10.0.0.1", 0), At("10.0.0.2", 0)}, {}, 2, ""},
      {"a machine without IPv6", {}, {{At("::"), absent}}, 1, ""},
      {"IPv6 in use", {}, {{At("::"), in_use}}, 0, "listener http, port 8080: [::]:8080: address in use"},
      {"IPv6 asked for by name, and absent",
       {At("::", 0)},
       {{At("::"), absent}},
       0,
       "listener http, port 8080: [::]:8080: address family not supported"},
      {"the first fails",
       {},
       {{At("0.0.0.0"), denied}},
       0,
       "listener http, port 8080: 0.0.0.0:8080: permission denied"},
      {"the second fails",
       {At("10.0.0.1", 0), At("10.0.0.2", 0)},
       {{At("10.0.0.2"), denied}},
       0,
       "listener http, port 8080: 0.0.0.0:8080: permission denied"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    world.network.refuses = row.refuses;
    const absl::Status status = world.listener->Bind(*Hello(), BindAddresses(row.addresses));
    EXPECT_EQ(base::ToStd(status.message()), row.error);
    EXPECT_EQ(status.ok(), row.error.empty());
    EXPECT_EQ(world.world.live_acceptors(), row.acceptors);
  }
}

TEST(Listener, AnswersOnEveryAddress) {
  World world;
  world.Serve(Hello(), {At("10.0.0.1", 0), At("10.0.0.2", 0)});
  for (const std::string_view ip : {"10.0.0.1", "10.0.0.2"}) {
    TestPeer& client = world.Connect(Get("/"), At(ip));
    EXPECT_TRUE(world.Until([&] { return client.Heard("hello"); })) << ip;
  }
  EXPECT_EQ(world.Number(observe::kDownstreamConnections, "http"), 2);
  world.clients.clear();
  EXPECT_TRUE(world.Until([&] { return world.listener->connections() == 0; }));
  EXPECT_EQ(world.Number(observe::kDownstreamConnections, "http"), 0);
  EXPECT_EQ(world.empty_count, 0);  // nobody has drained it
}

TEST(Listener, AcceptsNobodyBeforeTheUpdate) {
  World world;
  const auto port = Hello();
  ASSERT_TRUE(world.listener->Bind(*port, BindAddresses({})).ok());
  TestPeer& client = world.Connect(Get("/"));
  world.world.RunFor(seconds(1));
  EXPECT_TRUE(client.open);
  EXPECT_EQ(world.listener->connections(), 0u);
  EXPECT_EQ(client.heard, "");
  world.InLoop([&] { world.listener->Update(port); });
  EXPECT_TRUE(world.Until([&] { return client.Heard("hello"); }));
}

TEST(Listener, GivesUpWhatItBoundForNothing) {
  World world;
  world.Serve(Hello(), {At("10.0.0.1", 0)});
  ASSERT_TRUE(world.listener->Bind(*Hello(), BindAddresses({At("10.0.0.2", 0)})).ok());
  world.InLoop([&] { world.listener->Unbind(); });
  EXPECT_EQ(world.world.live_acceptors(), 1u);
  TestPeer& client = world.Connect(Get("/"), At("10.0.0.1"));
  EXPECT_TRUE(world.Until([&] { return client.Heard("hello"); }));
  TestPeer& late = world.Connect(Get("/"), At("10.0.0.2"));
  EXPECT_TRUE(world.Until([&] { return late.failed; }));
}

TEST(Listener, MovesToOtherAddresses) {
  World world;
  world.Serve(Hello(), {At("10.0.0.1", 0), At("10.0.0.2", 0)});
  TestPeer& kept = world.Connect(Get("/"), At("10.0.0.2"));
  ASSERT_TRUE(world.Until([&] { return kept.Heard("hello"); }));
  const auto next = test::MakePort(kPort, {"http"}, {{.answer = "newer"}});
  world.InLoop([&] {
    ASSERT_TRUE(world.listener->Bind(*next, BindAddresses({At("10.0.0.1", 0), At("10.0.0.3", 0)})).ok());
    world.listener->Update(next);
  });
  EXPECT_EQ(world.world.live_acceptors(), 2u);
  kept.Say(Get("/"));  // a connection outlives its address; its next request goes by the new rules
  EXPECT_TRUE(world.Until([&] { return kept.Heard("newer"); }));
  TestPeer& refused = world.Connect(Get("/"), At("10.0.0.2"));
  TestPeer& client = world.Connect(Get("/"), At("10.0.0.3"));
  EXPECT_TRUE(world.Until([&] { return refused.failed && client.Heard("newer"); }));
}

TEST(Listener, ServesWhoWaitedAtAnAddressThatGoes) {
  World world;
  world.budget.set_connections_max(1);
  world.Serve(Hello(), {At("10.0.0.1", 0), At("10.0.0.2", 0)});
  TestPeer& first = world.Connect(Get("/"), At("10.0.0.1"));
  ASSERT_TRUE(world.Until([&] { return first.Heard("hello"); }));
  TestPeer& waiting = world.Connect(Get("/"), At("10.0.0.2"));
  world.world.RunFor(seconds(1));
  EXPECT_EQ(waiting.heard, "");
  world.InLoop([&] {
    ASSERT_TRUE(world.listener->Bind(*Hello(), BindAddresses({At("10.0.0.1", 0)})).ok());
    world.listener->Update(Hello());
  });
  EXPECT_TRUE(world.Until([&] { return waiting.Heard("hello"); }));
}

TEST(Listener, AcceptsNobodyOverTheLimit) {
  World world;
  world.budget.set_connections_max(2);
  world.Serve(Hello());
  for (int i = 0; i < 3; ++i)
    world.Connect(Get("/"));
  world.world.RunFor(seconds(1));
  const auto answered = [&] {
    int count = 0;
    for (const auto& client : world.clients)
      count += client->Heard("hello") ? 1 : 0;
    return count;
  };
  EXPECT_EQ(answered(), 2);
  EXPECT_EQ(world.listener->connections(), 2u);
  // A newer configuration does not let anybody in by the way.
  world.InLoop([&] {
    ASSERT_TRUE(world.listener->Bind(*Hello(), BindAddresses({})).ok());
    world.listener->Update(Hello());
  });
  world.world.RunFor(seconds(1));
  EXPECT_EQ(answered(), 2);
  std::erase_if(world.clients, [](const auto& client) { return client->Heard("hello"); });
  EXPECT_TRUE(world.Until([&] { return answered() == 1; }));
  world.InLoop([&] { world.budget.set_connections_max(std::nullopt); });
  for (int i = 0; i < 5; ++i)
    world.Connect(Get("/"));
  EXPECT_TRUE(world.Until([&] { return answered() == 6; }));
}

// The budget is the worker's: another listener may have used it up.
TEST(Listener, SharesItsBudget) {
  World world;
  world.budget.set_connections_max(1);
  world.Serve(Hello());
  world.InLoop([&] { world.budget.Take(); });
  TestPeer& client = world.Connect(Get("/"));
  world.world.RunFor(seconds(1));
  EXPECT_EQ(client.heard, "");
  world.InLoop([&] { world.budget.GiveBack(); });
  EXPECT_TRUE(world.Until([&] { return client.Heard("hello"); }));
}

TEST(Listener, WarnsAndGoesOnAccepting) {
  World world;
  world.Serve(Hello());
  TestPeer& kept = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return kept.Heard("hello"); }));
  EXPECT_FALSE(kept.Heard("connection: close"));
  world.InLoop([&] { world.listener->Drain(false); });
  world.world.RunFor(seconds(30));
  EXPECT_FALSE(kept.gone());  // idle: until its next request
  kept.Say(Get("/"));
  EXPECT_TRUE(world.Until([&] { return kept.Answers() == 2 && kept.Heard("connection: close") && kept.ended; }));
  TestPeer& late = world.Connect(Get("/"));
  EXPECT_TRUE(world.Until([&] { return late.Heard("hello") && late.Heard("connection: close") && late.ended; }));
  world.clients.clear();
  EXPECT_TRUE(world.Until([&] { return world.listener->connections() == 0; }));
  EXPECT_EQ(world.empty_count, 0);
}

TEST(Listener, LeavesInOrder) {
  World world;
  world.budget.set_connections_max(2);
  world.Serve(Hello());
  TestPeer& idle = world.Connect(Get("/"));
  TestPeer& busy = world.Connect(Get("/silent"));
  ASSERT_TRUE(world.Until([&] { return idle.Heard("hello") && world.listener->connections() == 2; }));
  TestPeer& waiting = world.Connect();
  world.world.RunFor(milliseconds(100));
  world.InLoop([&] { world.listener->Drain(true); });
  EXPECT_EQ(world.world.live_acceptors(), 0u);
  EXPECT_EQ(world.listener->connections(), 3u);
  TestPeer& refused = world.Connect();
  world.world.RunFor(Listener::kWarningTime / 2);
  EXPECT_TRUE(refused.failed);
  EXPECT_FALSE(idle.gone());
  waiting.Say(Get("/"));
  idle.Say(Get("/"));
  world.world.RunFor(Listener::kWarningTime / 4);
  EXPECT_TRUE(waiting.Heard("hello") && waiting.Heard("connection: close"));
  EXPECT_EQ(idle.Answers(), 2u);
  world.world.RunFor(Listener::kWarningTime);
  EXPECT_TRUE(idle.ended && waiting.ended);
  EXPECT_FALSE(busy.gone());
  EXPECT_EQ(world.empty_count, 0);
  world.InLoop([&] { world.listener->Close(); });
  EXPECT_TRUE(world.Until([&] { return busy.gone(); }));
  EXPECT_EQ(world.empty_count, 1);
  EXPECT_EQ(world.aborted, 1);
}

TEST(Listener, ClosesWhoOnlyListens) {
  World world;
  world.Serve(Hello());
  TestPeer& silent = world.Connect();
  TestPeer& idle = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return idle.Heard("hello") && world.listener->connections() == 2; }));
  world.InLoop([&] { world.listener->Drain(false); });
  world.InLoop([&] { world.listener->Drain(true); });
  world.world.RunFor(Listener::kWarningTime / 2);
  EXPECT_FALSE(silent.gone() || idle.gone());
  world.world.RunFor(Listener::kWarningTime);
  EXPECT_TRUE(silent.gone() && idle.gone());
  world.clients.clear();
  EXPECT_TRUE(world.Until([&] { return world.empty_count == 1; }));
}

TEST(Listener, CloseCutsWhatIsUnderWay) {
  World world;
  world.Serve(Hello());
  TestPeer& busy = world.Connect(Get("/silent"));
  TestPeer& idle = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return idle.Heard("hello") && world.listener->connections() == 2; }));
  world.InLoop([&] { world.listener->Close(); });
  EXPECT_TRUE(world.Until([&] { return busy.gone() && idle.gone(); }));
  EXPECT_EQ(world.aborted, 1);
  EXPECT_EQ(world.empty_count, 1);
  EXPECT_EQ(world.world.live_acceptors(), 0u);
}

TEST(Listener, TakesTimeoutsAndLimitsFromTheConfiguration) {
  snapshot::ClientConfig client;
  client.connection_idle_timeout = seconds(3);
  client.request_head_timeout = seconds(2);
  client.limits.target_bytes_max = 20;
  World world;
  world.Serve(Hello(client));
  TestPeer& idle = world.Connect(Get("/"));
  TestPeer& slow = world.Connect("GET / HT");
  TestPeer& long_target = world.Connect(Get("/0123456789/0123456789/0123456789"));
  world.world.RunFor(milliseconds(1500));
  EXPECT_TRUE(idle.Heard("hello") && !idle.gone());
  EXPECT_TRUE(long_target.Heard("414"));
  EXPECT_EQ(slow.heard, "");
  world.world.RunFor(seconds(1));
  EXPECT_TRUE(slow.Heard("408"));
  EXPECT_FALSE(idle.gone());
  world.world.RunFor(seconds(1));
  EXPECT_TRUE(idle.gone());
}

TEST(Listener, CountsUnderItsNewName) {
  World world;
  world.Serve(Hello());
  TestPeer& client = world.Connect(Get("/"));
  ASSERT_TRUE(world.Until([&] { return client.Heard("hello"); }));
  const auto next = test::MakePort(kPort, {"shop", "admin"}, {{}});
  world.InLoop([&] {
    ASSERT_TRUE(world.listener->Bind(*next, BindAddresses({})).ok());
    world.listener->Update(next);
  });
  EXPECT_EQ(world.listener->label(), "shop,admin");
  EXPECT_EQ(world.Number(observe::kDownstreamConnections, "http"), 0);
  EXPECT_EQ(world.Number(observe::kDownstreamConnections, "shop,admin"), 1);
}

TEST(Listener, CountsWhatAConnectionDidWrong) {
  World world;
  world.Serve(Hello());
  std::string pings = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
  for (int i = 0; i < 50; ++i)
    pings += std::string("\0\0\x08\6\0\0\0\0\0ping....", 17);
  TestPeer& client = world.Connect(pings);
  ASSERT_TRUE(world.Until([&] { return client.Heard("ping...."); }));
  world.world.RunFor(seconds(1));
  world.clients.clear();
  ASSERT_TRUE(world.Until([&] { return world.listener->connections() == 0; }));
  EXPECT_GT(world.Number(observe::kMisbehaviour, "http"), 0);
}

std::shared_ptr<const snapshot::Port> TlsPort() {
  tls::ServerContext::Options options;
  options.certificates.push_back({crypto::KeyPair::Parse(test::k_leaf_certificate, test::k_leaf_key).value(), {}});
  return test::MakePort(kPort, {"https"}, {{}}, {}, tls::ServerContext::Create(std::move(options)).value());
}

TEST(ListenerTls, Answers) {
  World world;
  world.Serve(TlsPort());
  TestPeer& client = world.ConnectTls(Get("/"));
  EXPECT_TRUE(world.Until([&] { return client.Heard("hello"); }));
  world.clients.clear();  // without close_notify: no matter of the handshake
  EXPECT_TRUE(world.Until([&] { return world.listener->connections() == 0; }));
  EXPECT_EQ(world.Number(observe::kTlsHandshakeFailures, "https"), 0);
}

TEST(ListenerTls, CountsHandshakesThatFail) {
  const struct {
    std::string_view name;
    std::function<void(World&)> come;
    int64_t failures;
  } kRows[] = {
      {"in clear", [](World& world) { world.Connect(Get("/")); }, 1},
      {"silence", [](World& world) { world.Connect(); }, 1},
      {"the client leaves",
       [](World& world) {
         world.Connect("\x16\x03\x01");
         world.world.RunFor(milliseconds(100));
         world.clients.clear();
       },
       1},
      {"we close",
       [](World& world) {
         world.Connect();
         world.world.RunFor(milliseconds(100));
         world.InLoop([&] { world.listener->Close(); });
       },
       0},
      {"we leave",
       [](World& world) {
         world.Connect();
         world.world.RunFor(milliseconds(100));
         world.InLoop([&] { world.listener->Drain(true); });
       },
       0},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    world.Serve(TlsPort());
    row.come(world);
    world.world.RunFor(seconds(12));
    EXPECT_EQ(world.listener->connections(), 0u);
    EXPECT_EQ(world.Number(observe::kTlsHandshakeFailures, "https"), row.failures);
    for (const auto& client : world.clients)
      EXPECT_TRUE(client->gone());
  }
}

}  // namespace
}  // namespace portico::listener
