#include "dataplane/worker/workers.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api/base/text.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/cache/policy.h"
#include "dataplane/listener/test_peer.h"
#include "dataplane/listener/test_snapshot.h"
#include "dataplane/observe/families.h"
#include "dataplane/upstream/cluster_config.h"
#include "test/support/fake_resolver.h"

namespace portico::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Get;
using test::MakePort;
using test::TestPeer;

// A listening socket on a free port of 127.0.0.1, without SO_REUSEPORT.
struct Squatter {
  Squatter() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd.get(), 1), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<struct sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin_port);
  }
  base::FileDescriptor fd;
  uint16_t port = 0;
};

uint16_t FreePort() {
  return Squatter().port;
}

struct World {
  explicit World(size_t count = 3) : workers(std::make_unique<Workers>(main, resolver, count, &access_log, log)) {}

  // Turns the main loop until the predicate holds. What other threads do does not always wake it: hence the ticks.
  bool Until(const std::function<bool()>& predicate, base::Duration within = seconds(20)) {
    struct Ticker : event::Timer::Handler {
      void OnTimer(event::Timer&) override {}
    } ticker;
    event::Timer timer(main.timers(), ticker);
    const base::MonotonicTime end = main.Now() + within;
    while (!predicate() && main.Now() < end) {
      timer.Set(main.Now() + milliseconds(5));
      main.Turn(true);
    }
    return predicate();
  }
  absl::Status Publish(const std::shared_ptr<const snapshot::Snapshot>& next) {
    std::optional<absl::Status> published;
    workers->Publish(next, [&](absl::Status status) { published = std::move(status); });
    EXPECT_TRUE(Until([&] { return published.has_value(); }));
    return published.value_or(absl::UnknownError("no answer"));
  }
  TestPeer& Connect(uint16_t port, std::string say) {
    const net::Address address = net::Address::Parse("127.0.0.1", port).value();
    clients.push_back(std::make_unique<TestPeer>(network.Connect(address), std::move(say)));
    return *clients.back();
  }

  event::LibeventLoop main;
  test::FakeResolver resolver;
  net::SocketNetwork network{main};
  exporting::LogFile access_log{[](std::string) {}};
  observe::ProcessLog log{STDERR_FILENO, [] { return base::WallTime(); }};
  std::vector<std::unique_ptr<TestPeer>> clients;
  std::unique_ptr<Workers> workers;
};

std::shared_ptr<snapshot::Snapshot> Loopback(std::vector<std::shared_ptr<const snapshot::Port>> ports) {
  auto snapshot = test::MakeSnapshot(std::move(ports));
  snapshot->addresses = {net::Address::Parse("127.0.0.1", 0).value()};
  return snapshot;
}

int64_t Sum(const observe::MetricsSnapshot& numbers, const observe::Family& family) {
  int64_t sum = 0;
  const auto values = numbers.find(family.name);
  if (values == numbers.end()) return -1;
  for (const auto& [labels, value] : values->second.series) {
    if (const auto* gauge = std::get_if<int64_t>(&value)) sum += *gauge;
    if (const auto* counter = std::get_if<uint64_t>(&value)) sum += static_cast<int64_t>(*counter);
  }
  return sum;
}

// Somebody may take the port between FreePort and Publish: then another is tried.
uint16_t PublishOnFreePort(World& world,
                           const std::function<std::shared_ptr<const snapshot::Snapshot>(uint16_t)>& make) {
  absl::Status status;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const uint16_t port = FreePort();
    status = world.Publish(make(port));
    if (status.ok()) return port;
  }
  ADD_FAILURE() << status;
  return 0;
}

TEST(Workers, AllServeWhatIsPublished) {
  World world;
  std::shared_ptr<snapshot::Snapshot> old;
  const uint16_t port = PublishOnFreePort(
      world, [&](uint16_t number) { return old = Loopback({MakePort(number, {"http"}, {{.answer = "old"}})}); });
  for (int i = 0; i < 30; ++i)
    world.Connect(port, Get("/"));
  const auto all_heard = [&](std::string_view text) {
    return world.Until([&] {
      for (const auto& client : world.clients)
        if (!client->Heard(text)) return false;
      return true;
    });
  };
  EXPECT_TRUE(all_heard("old"));
  auto next = Loopback({MakePort(port, {"http"}, {{.answer = "new"}})});
  next->revision = 7;
  ASSERT_TRUE(world.Publish(next).ok());
  for (const auto& client : world.clients)
    client->Say(Get("/"));
  EXPECT_TRUE(all_heard("new"));
  EXPECT_TRUE(world.Until([&] { return Sum(world.workers->ReadMetrics(), observe::kRequests) == 60; }));
  const observe::MetricsSnapshot numbers = world.workers->ReadMetrics();
  EXPECT_EQ(Sum(numbers, observe::kDownstreamConnections), 30);
  EXPECT_EQ(Sum(numbers, observe::kConfigurationRevision), 7);
  EXPECT_EQ(Sum(numbers, observe::kAccessLogDroppedLines), 0);
  EXPECT_GT(Sum(numbers, observe::kMemoryResident), 1 << 20);
  EXPECT_EQ(old.use_count(), 1);  // here: the workers and the main thread have let go of it
}

TEST(Workers, AllRefuseAPortThatIsTaken) {
  World world;
  const uint16_t port = PublishOnFreePort(
      world, [](uint16_t number) { return Loopback({MakePort(number, {"http"}, {{.answer = "old"}})}); });
  const Squatter squatter;
  const absl::Status status =
      world.Publish(Loopback({MakePort(port, {"http"}, {{.answer = "new"}}), MakePort(squatter.port, {"late"}, {{}})}));
  const std::string number = std::to_string(squatter.port);
  EXPECT_EQ(base::ToStd(status.message()),
            base::Concat("listener late, port ", number, ": 127.0.0.1:", number, ": address in use"));
  TestPeer& client = world.Connect(port, Get("/"));
  EXPECT_TRUE(world.Until([&] { return client.Heard("old"); }));
  EXPECT_TRUE(world.Publish(Loopback({MakePort(port, {"http"}, {{.answer = "good"}})})).ok());
  client.Say(Get("/"));
  EXPECT_TRUE(world.Until([&] { return client.Heard("good"); }));
}

TEST(Workers, ShowWhenTheirCertificatesEnd) {
  World world;
  const auto publish = [&](const std::map<std::string, int>& secrets) {
    auto snapshot = Loopback({});
    for (const auto& [name, end] : secrets)
      snapshot->certificates.push_back({{"Secret", "default", name}, {}, base::WallTime(seconds(end))});
    ASSERT_TRUE(world.Publish(snapshot).ok());
  };
  const auto shown = [&] {
    std::string text;
    const observe::MetricsSnapshot numbers = world.workers->ReadMetrics();
    const auto found = numbers.find(observe::kTlsCertificateNotAfter.name);
    if (found == numbers.end()) return text;
    for (const auto& [labels, value] : found->second.series)
      text += base::Concat(labels.at(0), " ", std::get<int64_t>(value), "; ");
    return text;
  };
  publish({{"one", 100}, {"two", 200}});
  EXPECT_EQ(shown(), "default/one 100; default/two 200; ");
  publish({{"two", 300}});
  EXPECT_EQ(shown(), "default/two 300; ");
  publish({});
  EXPECT_EQ(shown(), "");
}

TEST(Workers, ShowTheirClusters) {
  World world;
  auto snapshot = Loopback({});
  snapshot->clusters.Put("default/orders",
                         test::MakeCluster("default/orders", {net::Address::Parse("127.0.0.1", 1).value()}));
  ASSERT_TRUE(world.Publish(snapshot).ok());
  std::optional<std::vector<ClusterState>> states;
  world.workers->Inspect([&](std::vector<ClusterState> all) { states = std::move(all); });
  EXPECT_FALSE(states);  // in a later turn
  ASSERT_TRUE(world.Until([&] { return states.has_value(); }));
  ASSERT_EQ(states->size(), 1u);
  EXPECT_EQ((*states)[0].name, "default/orders");
  EXPECT_EQ((*states)[0].endpoints.size(), 1u);
}

// At the limit, on real sockets: who comes out of the queue is heard before it can be closed for the next one.
// One lookup for all of them; and who came before its answer gets one all the same.
TEST(Workers, AllHearWhereANameLeads) {
  World world;
  const Squatter origin;
  auto cluster = std::make_shared<upstream::ClusterConfig>();
  cluster->name = "default/named";
  cluster->named = upstream::NamedOrigin{"a.test", origin.port};
  cluster->connect_timeout = seconds(20);  // the origin lets most wait
  const uint16_t port = PublishOnFreePort(world, [&](uint16_t number) {
    auto snapshot = Loopback({MakePort(number, {"http"}, {{.cluster = "default/named"}})});
    snapshot->clusters.Put(cluster->name, cluster);
    return snapshot;
  });
  EXPECT_EQ(world.resolver.Waiting(), "A a.test, AAAA a.test");
  for (int i = 0; i < 12; ++i)
    world.Connect(port, Get("/"));
  const auto shown = [&] {
    std::optional<std::vector<ClusterState>> states;
    world.workers->Inspect([&](std::vector<ClusterState> all) { states = std::move(all); });
    EXPECT_TRUE(world.Until([&] { return states.has_value(); }));
    return states->at(0);
  };
  EXPECT_TRUE(world.Until([&] { return shown().pending == 12; }));
  EXPECT_TRUE(world.resolver.Say("a.test", net::Family::kV4, test::Answer({"127.0.0.1"}, seconds(60))));
  EXPECT_TRUE(world.Until([&] { return shown().connections == 12; })) << "each has one made for it";
  const ClusterState state = shown();
  ASSERT_EQ(state.endpoints.size(), 1u);
  EXPECT_EQ(state.endpoints[0].address, base::Concat("127.0.0.1:", origin.port));
  EXPECT_EQ(Sum(world.workers->ReadMetrics(), observe::kDnsLookups), 1);
}

TEST(Workers, WhoWaitedAtTheLimitIsAnswered) {
  for (const size_t count : {1, 3}) {
    SCOPED_TRACE(count);
    World world(count);
    snapshot::ClientConfig config;
    config.connections_max = 1;
    const uint16_t port =
        PublishOnFreePort(world, [&](uint16_t number) { return Loopback({MakePort(number, {"http"}, {{}}, config)}); });
    TestPeer& busy = world.Connect(port, "GET / HTTP/1.1\r\n");
    const auto connections = [&] { return Sum(world.workers->ReadMetrics(), observe::kDownstreamConnections); };
    ASSERT_TRUE(world.Until([&] { return connections() == 1; }));
    TestPeer* queued[3];
    for (TestPeer*& peer : queued)
      peer = &world.Connect(port, Get("/"));
    ASSERT_TRUE(world.Until([&] { return queued[0]->open && queued[1]->open && queued[2]->open; }));
    busy.Say("host: shop.example\r\n\r\n");
    for (TestPeer* peer : queued)
      EXPECT_TRUE(world.Until([&] { return peer->Heard("hello") || peer->gone(); }) && peer->Heard("hello"));
    EXPECT_TRUE(busy.Heard("hello"));
    EXPECT_LE(connections(), 1);
  }
}

// An origin whose answers are stored, and workers that have stored one.
struct CachedWorld : World {
  explicit CachedWorld(size_t count) : World(count) {
    origin.on_accept = [this](TestPeer& peer) {
      peer.on_heard = [this, &peer] {
        for (; peer.heard.find("\r\n\r\n") != std::string::npos; ++asked) {
          peer.heard.erase(0, peer.heard.find("\r\n\r\n") + 4);
          peer.Say("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncache-control: max-age=60\r\n\r\nhello");
        }
      };
    };
    port = PublishOnFreePort(*this, [this](uint16_t number) { return Snapshot(number); });
    Ask();
    EXPECT_EQ(Read(observe::kCacheEntries), 1);
    EXPECT_EQ(asked, 1);
  }
  std::shared_ptr<snapshot::Snapshot> Snapshot(uint16_t number) const {
    const cache::CachePolicy policy{.stores = true, .rule = "a rule"};
    auto made = Loopback(
        {MakePort(number, {"http"},
                  {{.cluster = "default/origin", .cache = std::make_shared<const cache::CachePolicy>(policy)}})});
    made->clusters.Put("default/origin", test::MakeCluster("default/origin", {address}));
    return made;
  }
  void Ask() {
    TestPeer& client = Connect(port, Get("/"));
    EXPECT_TRUE(Until([&] { return client.Heard("hello"); }));
  }
  int64_t Read(const observe::Family& family) const { return Sum(workers->ReadMetrics(), family); }

  const net::Address address = net::Address::Parse("127.0.0.1", FreePort()).value();
  test::TestServer origin{network, address};
  int asked = 0;
  uint16_t port = 0;
};

// A purge may come with the end of the backend that was wrong: until all have let go of that it would fill again.
TEST(Workers, APurgeIsObeyedWhenAllHaveSwapped) {
  CachedWorld world(1);
  auto next = world.Snapshot(world.port);
  next->revision = 7;
  next->purges = {{"default/p", "1", {"", "/"}}};
  bool done = false;
  world.workers->Publish(next, [&](absl::Status status) {
    done = status.ok();
    EXPECT_EQ(world.Read(observe::kCachePurged), 1) << "before it is said that it is published";
  });
  ASSERT_TRUE(world.Until([&] {
    EXPECT_EQ(world.Read(observe::kCachePurged), world.Read(observe::kConfigurationRevision) == 7 ? 1 : 0);
    return done;
  }));
  world.Ask();
  EXPECT_EQ(world.asked, 2);
}

// It hears of no purge any more.
TEST(Workers, WhoDrainsGivesNothingThatIsStored) {
  CachedWorld world(2);
  world.workers->Drain(seconds(60), seconds(1), [] {});
  EXPECT_EQ(world.Read(observe::kCacheEntries), 0);
  world.Ask();
  world.Ask();
  EXPECT_EQ(world.asked, 3);
  EXPECT_EQ(world.Read(observe::kCacheEntries), 0);
}

TEST(Workers, DrainWithNothingToDo) {
  World world;
  bool drained = false;
  world.workers->Drain(milliseconds(0), seconds(30), [&] { drained = true; });
  EXPECT_TRUE(world.Until([&] { return drained; }, seconds(10)));
  EXPECT_EQ(world.Publish(Loopback({})).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Workers, DrainInOrder) {
  World world;
  const uint16_t port =
      PublishOnFreePort(world, [](uint16_t number) { return Loopback({MakePort(number, {"http"}, {{}})}); });
  TestPeer& idle = world.Connect(port, Get("/"));
  ASSERT_TRUE(world.Until([&] { return idle.Heard("hello"); }));
  bool drained = false;
  const base::MonotonicTime begun = world.main.Now();
  world.workers->Drain(milliseconds(100), milliseconds(400), [&] { drained = true; });
  TestPeer& late = world.Connect(port, Get("/"));
  EXPECT_TRUE(world.Until([&] { return late.Heard("hello"); }));
  EXPECT_FALSE(late.Heard("connection: close"));  // within the delay all is as before
  EXPECT_TRUE(world.Until([&] { return idle.gone(); }));
  EXPECT_GE(world.main.Now() - begun, milliseconds(500));
  EXPECT_TRUE(world.Until([&] { return drained; }));
  TestPeer& refused = world.Connect(port, Get("/"));
  EXPECT_TRUE(world.Until([&] { return refused.failed; }));
}

TEST(Workers, DrainCutsWhoDoesNotLeave) {
  World world(1);
  const Squatter origin;  // takes connections and says nothing
  auto cluster = test::MakeCluster("default/slow", {net::Address::Parse("127.0.0.1", origin.port).value()});
  const uint16_t port = PublishOnFreePort(world, [&](uint16_t number) {
    auto snapshot = Loopback({MakePort(number, {"http"}, {{.cluster = "default/slow"}})});
    snapshot->clusters.Put(cluster->name, cluster);
    return snapshot;
  });
  TestPeer& client = world.Connect(port, Get("/"));
  ASSERT_TRUE(world.Until([&] { return Sum(world.workers->ReadMetrics(), observe::kUpstreamConnections) == 1; }));
  bool drained = false;
  world.workers->Drain(milliseconds(0), milliseconds(100), [&] { drained = true; });
  EXPECT_TRUE(world.Until([&] { return drained && client.gone(); }));
}

TEST(Workers, WaitForAPortThatIsTakenAtTheStart) {
  World world;
  auto squatter = std::make_unique<Squatter>();
  const auto publish = [&](std::shared_ptr<snapshot::Snapshot> next, IfBusy if_busy) {
    std::optional<absl::Status> published;
    world.workers->Publish(std::move(next), [&](absl::Status status) { published = std::move(status); }, if_busy);
    EXPECT_TRUE(world.Until([&] { return published.has_value(); }));
    return published.value_or(absl::UnknownError("no answer"));
  };
  const auto both = [&](uint16_t port, std::string_view answer) {
    return Loopback({MakePort(port, {"http"}, {{.answer = std::string(answer)}}),
                     MakePort(squatter == nullptr ? 0 : squatter->port, {"late"}, {{.answer = std::string(answer)}})});
  };
  const uint16_t port = FreePort(), busy = squatter->port;
  EXPECT_EQ(publish(both(port, "one"), IfBusy::kRefuse).code(), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(publish(both(port, "one"), IfBusy::kWait).ok());
  ASSERT_EQ(world.workers->busy_ports().size(), 1u);
  EXPECT_EQ(world.workers->busy_ports().at(busy),
            base::Concat("listener late, port ", busy, ": 127.0.0.1:", busy, ": address in use"));
  EXPECT_EQ(world.workers->addresses(), std::set<net::Address>{net::Address::Parse("127.0.0.1", port).value()});
  TestPeer& client = world.Connect(port, Get("/"));
  EXPECT_TRUE(world.Until([&] { return client.Heard("one"); }));

  // It goes on waiting, and what is added is refused as ever.
  ASSERT_TRUE(publish(both(port, "two"), IfBusy::kWait).ok());
  client.Say(Get("/"));
  EXPECT_TRUE(world.Until([&] { return client.Heard("two"); }));
  EXPECT_EQ(world.workers->busy_ports().size(), 1u);
  const Squatter second;
  auto more = both(port, "three");
  more->ports.push_back(MakePort(second.port, {"more"}, {{}}));
  EXPECT_EQ(publish(more, IfBusy::kWait).code(), absl::StatusCode::kAlreadyExists);

  squatter.reset();
  EXPECT_TRUE(world.Until([&] { return world.workers->busy_ports().empty(); }));
  TestPeer& late = world.Connect(busy, Get("/"));
  EXPECT_TRUE(world.Until([&] { return late.Heard("two"); }));
}

// The workers are asked again because a port has become free, and before they have answered there is a new
// configuration.
TEST(Workers, AChangeComesWhileAPortBecomesFree) {
  World world(1);
  auto squatter = std::make_unique<Squatter>();
  const uint16_t busy = squatter->port;
  std::optional<absl::Status> published;
  const auto publish = [&](std::string answer) {
    published.reset();
    world.workers->Publish(
        Loopback({MakePort(busy, {"late"}, {{.answer = std::move(answer)}})}),
        [&](absl::Status status) { published = std::move(status); }, IfBusy::kWait);
  };
  publish("one");
  ASSERT_TRUE(world.Until([&] { return published.has_value(); }));
  const base::MonotonicTime next_try = world.main.Now() + Workers::kBusyPauseMin;
  squatter.reset();
  ASSERT_TRUE(world.Until([&] { return world.main.Now() > next_try; }));
  publish("two");
  ASSERT_TRUE(world.Until([&] { return published.has_value(); }));
  EXPECT_TRUE(published->ok());
  TestPeer& client = world.Connect(busy, Get("/"));
  EXPECT_TRUE(world.Until([&] { return client.Heard("two"); }));
  EXPECT_TRUE(world.workers->busy_ports().empty());
}

struct Succession {
  const char* name;
  size_t before, after;
};

// Until the older ones have let go the newer accept nothing, and then everything: also who came in between.
TEST(Workers, TakeOverFromOthers) {
  const Succession rows[] = {{"as many", 2, 2}, {"fewer", 3, 1}, {"more", 1, 3}};
  for (const Succession& row : rows) {
    SCOPED_TRACE(row.name);
    World world(row.before);
    const uint16_t port = PublishOnFreePort(
        world, [](uint16_t number) { return Loopback({MakePort(number, {"http"}, {{.answer = "old"}})}); });
    const std::set<net::Address> addresses = {net::Address::Parse("127.0.0.1", port).value()};
    EXPECT_EQ(world.workers->addresses(), addresses);
    std::unique_ptr<Workers> old = std::exchange(
        world.workers, std::make_unique<Workers>(world.main, world.resolver, row.after, nullptr, world.log));
    const auto share = [&] {
      std::optional<absl::StatusOr<std::vector<net::ListeningSocket>>> shared;
      old->ShareSockets([&](absl::StatusOr<std::vector<net::ListeningSocket>> all) { shared = std::move(all); });
      EXPECT_TRUE(world.Until([&] { return shared.has_value(); }));
      return **std::move(shared);
    };
    std::vector<net::ListeningSocket> sockets = share();
    ASSERT_EQ(sockets.size(), row.before);
    world.workers->Inherit(std::move(sockets));
    ASSERT_TRUE(world.Publish(Loopback({MakePort(port, {"http"}, {{.answer = "new"}})})).ok());

    const auto all_hear = [&](std::string_view text) {
      for (int i = 0; i < 20; ++i)
        world.Connect(port, Get("/"));
      return world.Until([&] {
        return std::all_of(world.clients.begin(), world.clients.end(), [&](auto& one) { return one->Heard(text); });
      });
    };
    EXPECT_TRUE(all_hear("old"));
    world.clients.clear();
    bool released = false;
    old->GiveUp(addresses);
    EXPECT_TRUE(share().empty());
    world.workers->Release([&] { released = true; });
    EXPECT_TRUE(all_hear("new"));
    EXPECT_TRUE(released);
    world.clients.clear();
    old.reset();
    EXPECT_TRUE(all_hear("new"));
    // From now on it is a port like any other: given up and wanted again, when another process has it, it is refused.
    ASSERT_TRUE(world.Publish(Loopback({})).ok());
    std::unique_ptr<Workers> heir =
        std::exchange(world.workers, std::make_unique<Workers>(world.main, world.resolver, 1, nullptr, world.log));
    const auto again = Loopback({MakePort(port, {"http"}, {{}})});
    ASSERT_TRUE(world.Publish(again).ok());
    std::swap(heir, world.workers);
    EXPECT_EQ(world.Publish(again).code(), absl::StatusCode::kAlreadyExists);
  }
}

TEST(Workers, EndInTheMiddle) {
  World world;
  const uint16_t port =
      PublishOnFreePort(world, [](uint16_t number) { return Loopback({MakePort(number, {"http"}, {{}})}); });
  TestPeer& client = world.Connect(port, Get("/"));
  ASSERT_TRUE(world.Until([&] { return client.Heard("hello"); }));
  int answers = 0;
  world.workers->Publish(Loopback({}), [&](absl::Status) { ++answers; });
  world.workers->Inspect([&](std::vector<ClusterState>) { ++answers; });
  world.workers->Drain(milliseconds(0), seconds(1), [&] { ++answers; });
  world.workers.reset();
  EXPECT_TRUE(world.Until([&] { return client.gone(); }));
  EXPECT_EQ(answers, 0);
}

}  // namespace
}  // namespace portico::worker
