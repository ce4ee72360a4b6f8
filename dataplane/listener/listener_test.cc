#include "dataplane/listener/listener.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/base/text.h"
#include "dataplane/listener/test_world.h"
#include "dataplane/observe/families.h"

namespace portico::listener {
namespace {

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

// A metric's label is cut where it is too long, and ports whose first listeners have the same names stay apart.
TEST(PortLabel, NamesAllListenersOrHowMany) {
  const auto many = [](size_t count, size_t name_bytes) {
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i)
      names.push_back(std::string(name_bytes - 3, 'n') + std::to_string(100 + i));
    return names;
  };
  const struct {
    std::string_view name;
    std::vector<std::string> listeners;
    std::string label;
  } kRows[] = {
      {"one", {"http"}, "http"},
      {"several", {"shop", "admin"}, "shop,admin"},
      {"just short enough", many(4, 63), base::Join(many(4, 63), ",")},
      {"too many", many(5, 63), many(1, 63)[0] + ",… (5 listeners of port 8080)"},
      {"a name that is too long alone", many(1, 253 + 63),
       many(1, 253 + 63)[0].substr(0, 128) + ",… (1 listeners of port 8080)"},
  };
  for (const auto& row : kRows) {
    const std::string label = PortLabel(*test::MakePort(kPort, row.listeners, {}));
    EXPECT_EQ(label, row.label) << row.name;
    EXPECT_LE(label.size(), kPortLabelBytesMax) << row.name;
  }
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
  idle.Say("GET / HTTP/1.1\r\n");  // too busy to make room
  world.world.RunFor(milliseconds(100));
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
  idle.Say("host: shop.example\r\n\r\n");
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
