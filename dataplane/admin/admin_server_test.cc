#include "dataplane/admin/admin_server.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "test/support/scripted_network.h"

namespace portico::admin {
namespace {

using std::chrono::seconds;

// Accepts what the test connects.
class TestNetwork final : public net::Network {
 public:
  class TestAcceptor final : public net::Acceptor {
   public:
    TestAcceptor(TestNetwork& network, size_t index, const net::Address& local)
        : network_(network), index_(index), local_(local) {}
    ~TestAcceptor() override { network_.handlers[index_] = nullptr; }
    const net::Address& local() const override { return local_; }
    void Pause() override {}
    void Resume() override {}
    void Drain() override {}

   private:
    TestNetwork& network_;
    const size_t index_;
    const net::Address local_;
  };

  std::unique_ptr<net::ByteStream> Connect(const net::Address&) override { return nullptr; }
  absl::StatusOr<std::unique_ptr<net::Acceptor>> Listen(const net::Address& address, const net::ListenOptions& options,
                                                        net::Acceptor::Handler& handler) override {
    if (address.port() == 1) return absl::PermissionDeniedError("127.0.0.1:1: permission denied");
    EXPECT_FALSE(options.share_port);
    handlers.push_back(&handler);
    return std::make_unique<TestAcceptor>(*this, handlers.size() - 1, address);
  }
  absl::Status ProbePort(const net::Address&) override { return absl::OkStatus(); }

  std::vector<net::Acceptor::Handler*> handlers;  // nullptr: closed
};

class TestView final : public AdminView {
 public:
  Readiness Ready() override { return {ready, missing}; }
  void ReadMetrics(std::function<void(std::string)> done) override { Take(std::move(done), "a_total 1\n"); }
  std::string SnapshotText() override { return snapshot; }
  void ReadClusters(std::function<void(std::string)> done) override { Take(std::move(done), "{\"clusters\": []}"); }
  observe::Severity log_level() override { return level; }
  void set_log_level(observe::Severity to) override { level = to; }

  bool ready = true;
  std::vector<std::string> missing;
  bool at_once = true;
  std::string snapshot = "kind: Gateway\n";
  observe::Severity level = observe::Severity::kInfo;
  std::vector<std::function<void(std::string)>> waiting;

 private:
  void Take(std::function<void(std::string)> done, std::string text) {
    if (at_once) return done(std::move(text));
    waiting.push_back(std::move(done));
  }
};

net::Address Address(std::string_view text) {
  return *net::Address::ParseWithPort(text);
}

struct World {
  explicit World(Pages pages = Pages::kAll, bool read_only = false) {
    EXPECT_TRUE(server->Listen(Address("127.0.0.1:9903"), pages, read_only).ok());
  }
  ~World() {
    server = nullptr;
    EXPECT_EQ(pool.blocks_in_use(), 0u);
    loop.Turn();
    EXPECT_EQ(loop.timers().size(), 0u);
    for (const net::Acceptor::Handler* handler : network.handlers)
      EXPECT_EQ(handler, nullptr);
  }

  std::shared_ptr<test::FarEnd> Connect() {
    auto far = std::make_shared<test::FarEnd>();
    far->open = true;
    network.handlers.back()->OnAccept(std::make_unique<test::ScriptedStream>(far));
    return far;
  }
  void Turns() {
    for (int i = 0; i < 4; ++i)
      loop.Turn();
  }
  std::string Say(test::FarEnd& far, std::string_view bytes) {
    far.Say(bytes);
    Turns();
    return far.TakeWritten();
  }
  std::string Ask(std::string_view request_line) {
    return Say(*Connect(), base::Concat(request_line, " HTTP/1.1\r\nhost: 127.0.0.1:9903\r\n\r\n"));
  }

  base::BlockPool pool;
  test::ManualLoop loop;
  TestNetwork network;
  TestView view;
  std::unique_ptr<AdminServer> server = std::make_unique<AdminServer>(loop, network, pool, view);
};

std::string_view Content(std::string_view response) {
  return response.substr(response.find("\r\n\r\n") + 4);
}

TEST(AdminServer, AnswersEachPage) {
  struct Case {
    std::string_view name, request, status, type, content;
  };
  const Case cases[] = {
      {"ready", "GET /ready", "200 OK", "text/plain; charset=utf-8", "ready\n"},
      {"live", "GET /live", "200 OK", "text/plain; charset=utf-8", "live\n"},
      {"metrics", "GET /metrics", "200 OK", "text/plain; version=0.0.4; charset=utf-8", "a_total 1\n"},
      {"snapshot", "GET /snapshot", "200 OK", "application/yaml", "kind: Gateway\n"},
      {"clusters", "GET /clusters", "200 OK", "application/json", "{\"clusters\": []}"},
      {"level", "GET /log_level", "200 OK", "text/plain; charset=utf-8", "info\n"},
      {"head", "HEAD /metrics", "200 OK", "text/plain; version=0.0.4; charset=utf-8", ""},
      {"head of a refusal", "HEAD /nothing", "404 Not Found", "text/plain; charset=utf-8", ""},
      {"method", "DELETE /ready", "405 Method Not Allowed", "text/plain; charset=utf-8", "/ready takes GET, HEAD\n"},
  };
  for (const Case& test : cases) {
    World world;
    const std::string response = world.Ask(test.request);
    EXPECT_TRUE(response.starts_with(base::Concat("HTTP/1.1 ", test.status, "\r\n"))) << test.name << response;
    EXPECT_NE(response.find(base::Concat("\r\ncontent-type: ", test.type, "\r\n")), std::string::npos) << test.name;
    EXPECT_NE(response.find("\r\ncache-control: no-store\r\n"), std::string::npos) << test.name;
    EXPECT_NE(response.find("\r\ndate: "), std::string::npos) << test.name;
    EXPECT_EQ(Content(response), test.content) << test.name;
    if (test.name == "head") EXPECT_NE(response.find("\r\ncontent-length: 10\r\n"), std::string::npos);
  }
}

TEST(AdminServer, SaysWhatIsMissing) {
  World world;
  world.view.missing = {"listener http, port 80: address in use", "listener more, port 81: address in use"};
  EXPECT_EQ(
      Content(world.Ask("GET /ready")),
      "ready\nmissing: listener http, port 80: address in use\nmissing: listener more, port 81: address in use\n");
  world.view.ready = false;
  EXPECT_TRUE(Content(world.Ask("GET /ready")).starts_with("not ready\nmissing: listener http"));
}

TEST(AdminServer, IsNotReadyWhenTheProxyIsNot) {
  World world;
  world.view.ready = false;
  const std::string response = world.Ask("GET /ready");
  EXPECT_TRUE(response.starts_with("HTTP/1.1 503 ")) << response;
  EXPECT_EQ(Content(response), "not ready\n");
  EXPECT_TRUE(world.Ask("GET /live").starts_with("HTTP/1.1 200 "));
}

TEST(AdminServer, HasNoSnapshotBeforeThereIsAConfiguration) {
  World world;
  world.view.snapshot = "";
  const std::string response = world.Ask("GET /snapshot");
  EXPECT_TRUE(response.starts_with("HTTP/1.1 503 ")) << response;
  EXPECT_EQ(Content(response), "no configuration is in force yet\n");
}

TEST(AdminServer, ChangesTheLogLevel) {
  World world;
  EXPECT_EQ(Content(world.Ask("PUT /log_level?level=debug")), "debug\n");
  EXPECT_EQ(world.view.level, observe::Severity::kDebug);
  World read_only(Pages::kAll, true);
  EXPECT_TRUE(read_only.Ask("PUT /log_level?level=debug").starts_with("HTTP/1.1 403 "));
  EXPECT_EQ(read_only.view.level, observe::Severity::kInfo);
}

TEST(AdminServer, KeepsAConnectionAndAnswersInOrder) {
  World world;
  auto far = world.Connect();
  const std::string response = world.Say(
      *far, "GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\nGET /log_level HTTP/1.1\r\nhost: localhost\r\n\r\n");
  const size_t first = response.find("ready\n"), second = response.find("info\n");
  EXPECT_NE(second, std::string::npos) << response;
  EXPECT_LT(first, second);
  EXPECT_FALSE(far->shut_down);
  EXPECT_NE(world.Say(*far, "GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n").find("live\n"), std::string::npos);
}

TEST(AdminServer, RefusesWhatIsNoRequest) {
  World world;
  auto far = world.Connect();
  EXPECT_TRUE(world.Say(*far, "GET /ready HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));  // no host
  EXPECT_TRUE(far->shut_down);
  auto late = world.Connect();
  late->Say("GET /re");
  world.loop.Turn(seconds(6));
  world.Turns();
  EXPECT_TRUE(late->TakeWritten().starts_with("HTTP/1.1 408 "));
}

TEST(AdminServer, DropsContentUpToABound) {
  struct Case {
    std::string_view name;
    size_t bytes;
    bool kept;
  };
  const Case cases[] = {{"some", 60'000, true}, {"too much", 400'000, false}};
  for (const Case& test : cases) {
    for (const bool at_once : {true, false}) {
      SCOPED_TRACE(base::Concat(test.name, at_once ? " at once" : " while it gathers"));
      World world;
      world.view.at_once = at_once;
      auto far = world.Connect();
      far->Say(base::Concat("GET /metrics HTTP/1.1\r\nhost: localhost\r\ncontent-length: ", test.bytes, "\r\n\r\n",
                            std::string(test.bytes, 'x')));
      world.Turns();
      EXPECT_LE(world.pool.blocks_in_use(), 20u);
      for (auto& done : std::exchange(world.view.waiting, {}))
        done("a_total 1\n");
      for (int i = 0; i < 40; ++i)
        world.loop.Turn();
      EXPECT_EQ(Content(far->TakeWritten()), "a_total 1\n");
      EXPECT_EQ(far->shut_down, !test.kept);
      if (test.kept) EXPECT_NE(world.Say(*far, "GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n"), "");
    }
  }
}

TEST(AdminServer, GathersAndAnswersOnce) {
  for (const std::string_view page : {"/metrics", "/clusters"}) {
    World world;
    world.view.at_once = false;
    auto far = world.Connect();
    EXPECT_EQ(world.Say(*far, base::Concat("GET ", page, " HTTP/1.1\r\nhost: localhost\r\n\r\n")), "");
    ASSERT_EQ(world.view.waiting.size(), 1u);
    world.view.waiting[0]("first");
    world.view.waiting[0]("second");
    world.Turns();
    world.view.waiting[0]("third");
    world.Turns();
    const std::string response = far->TakeWritten();
    EXPECT_EQ(Content(response), "first");
  }
}

TEST(AdminServer, SurvivesWhoeverLeavesWhileItGathers) {
  struct Case {
    std::string_view name, fields;
    void (*leave)(World& world, test::FarEnd& far);
    std::string_view response;  // how it begins; "": none
  };
  const Case cases[] = {
      {"the client ends", "", [](World&, test::FarEnd& far) { far.End(); }, ""},
      {"the client ends and waits", "connection: close\r\n", [](World&, test::FarEnd& far) { far.End(); },
       "HTTP/1.1 200 "},
      {"the client resets", "", [](World&, test::FarEnd& far) { far.Fail(); }, ""},
      {"the server goes", "", [](World& world, test::FarEnd&) { world.server = nullptr; }, ""},
      {"nobody answers", "", [](World& world, test::FarEnd&) { world.loop.Turn(seconds(6)); }, "HTTP/1.1 503 "},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    World world;
    world.view.at_once = false;
    auto far = world.Connect();
    EXPECT_EQ(world.Say(*far, base::Concat("GET /metrics HTTP/1.1\r\nhost: localhost\r\n", test.fields, "\r\n")), "");
    test.leave(world, *far);
    for (int turns = 0; turns < 3; ++turns) {
      world.view.waiting.at(0)("late");
      world.loop.Turn();
    }
    const std::string response = far->TakeWritten();
    EXPECT_TRUE(response.starts_with(test.response) && response.empty() == test.response.empty()) << response;
  }
}

TEST(AdminServer, AnswersAFewLargePagesAtATime) {
  World world;
  world.view.at_once = false;
  std::vector<std::shared_ptr<test::FarEnd>> clients;
  for (int i = 0; i < 17; ++i) {
    clients.push_back(world.Connect());
    clients.back()->Say("GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n");
  }
  world.Turns();
  ASSERT_EQ(world.view.waiting.size(), 16u);
  const std::string refused = clients[16]->TakeWritten();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ")) << refused;
  EXPECT_NE(refused.find("\r\nretry-after: 1\r\n"), std::string::npos);
  EXPECT_TRUE(world.Ask("GET /ready").starts_with("HTTP/1.1 200 ")) << "a probe is no large page";

  // One is answered, one leaves, one is not answered in time: each makes room for one.
  world.view.waiting[0]("x");
  clients[1]->Fail();
  world.Turns();
  for (int i = 0; i < 3; ++i)
    world.Connect()->Say("GET /clusters HTTP/1.1\r\nhost: localhost\r\n\r\n");
  world.Turns();
  EXPECT_EQ(world.view.waiting.size(), 18u);
}

TEST(AdminServer, SendsALargePageAsTheClientTakesIt) {
  World world;
  world.view.snapshot = std::string(3'000'000, 'y');
  auto far = world.Connect();
  far->write_room = 100'000;
  std::string response = world.Say(*far, "GET /snapshot HTTP/1.1\r\nhost: localhost\r\n\r\n");
  EXPECT_EQ(response.size(), 100'000u);
  while (!far->shut_down && response.size() < 3'000'000) {
    far->write_room = 500'000;
    far->handler->OnWritable();
    world.Turns();
    const std::string more = far->TakeWritten();
    ASSERT_FALSE(more.empty());
    response += more;
  }
  EXPECT_TRUE(Content(response) == world.view.snapshot);
}

size_t Count(std::string_view text, std::string_view piece) {
  size_t count = 0;
  for (size_t at = text.find(piece); at != std::string_view::npos; at = text.find(piece, at + 1))
    ++count;
  return count;
}

TEST(AdminServer, NothingChangesAnAnswerOnItsWay) {
  struct Case {
    std::string_view name;
    void (*happens)(World& world, test::FarEnd& far);
  };
  const Case cases[] = {
      {"a second answer", [](World& world, test::FarEnd&) { world.view.waiting.at(0)("second"); }},
      {"malformed content", [](World&, test::FarEnd& far) { far.Say("zz\r\n"); }},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    World world;
    world.view.at_once = false;
    auto far = world.Connect();
    far->write_room = 1000;
    far->Say("GET /metrics HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n");
    world.view.waiting.at(0)(std::string(3'000'000, 'y'));
    world.Turns();
    test.happens(world, *far);
    world.Turns();
    far->write_room = SIZE_MAX;
    far->handler->OnWritable();
    for (int i = 0; i < 100; ++i)
      world.loop.Turn();
    const std::string response = far->TakeWritten();
    EXPECT_EQ(Count(response, "HTTP/1.1 "), 1u);
    EXPECT_EQ(Count(response, "second"), 0u);
  }
}

TEST(AdminServer, GoesAmidRequestsAndAnswers) {
  World world;
  world.view.snapshot = std::string(3'000'000, 'y');
  auto answered = world.Connect();
  answered->write_room = 1000;
  answered->Say("GET /snapshot HTTP/1.1\r\nhost: localhost\r\n\r\n");
  auto asking = world.Connect();
  asking->Say(base::Concat("GET /ready HTTP/1.1\r\nhost: ", std::string(5000, 'a')));
  world.Turns();
  EXPECT_GT(world.pool.blocks_in_use(), 0u);
  world.server = nullptr;
  EXPECT_EQ(world.pool.blocks_in_use(), 0u) << "before the turn ends: the pool may go next";
  EXPECT_TRUE(answered->destroyed && asking->destroyed);
}

TEST(AdminServer, EndsAClientThatDoesNotTakeItsPage) {
  World world;
  world.view.snapshot = std::string(3'000'000, 'y');
  std::vector<std::shared_ptr<test::FarEnd>> clients;
  for (int i = 0; i < 17; ++i) {
    clients.push_back(world.Connect());
    clients.back()->write_room = 1000;
    clients.back()->Say("GET /snapshot HTTP/1.1\r\nhost: localhost\r\n\r\n");
  }
  world.Turns();
  EXPECT_TRUE(clients[16]->TakeWritten().starts_with("HTTP/1.1 503 "));
  world.loop.Turn(seconds(50));
  EXPECT_FALSE(clients[0]->destroyed) << "a slow client has its time";
  world.loop.Turn(seconds(12));
  world.loop.Turn(seconds(32));  // what the codec holds is not taken either
  world.Turns();
  for (int i = 0; i < 16; ++i)
    EXPECT_TRUE(clients[static_cast<size_t>(i)]->destroyed) << i;
  EXPECT_TRUE(world.Ask("GET /snapshot").starts_with("HTTP/1.1 200 "));
}

TEST(AdminServer, TheOldestIdleConnectionMakesRoom) {
  World world;
  world.view.at_once = false;
  std::vector<std::shared_ptr<test::FarEnd>> clients;
  for (size_t i = 0; i < AdminServer::kConnectionsMax; ++i)
    clients.push_back(world.Connect());
  clients[0]->Say("GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n");  // the oldest is busy
  world.Turns();
  EXPECT_TRUE(world.Ask("GET /live").starts_with("HTTP/1.1 200 "));
  EXPECT_FALSE(clients[0]->destroyed);
  EXPECT_TRUE(clients[1]->destroyed);
  EXPECT_FALSE(clients[2]->destroyed);
}

TEST(AdminServer, RefusesAConnectionWhenAllAreBusy) {
  World world;
  world.view.at_once = false;
  std::vector<std::shared_ptr<test::FarEnd>> clients;
  for (size_t i = 0; i < AdminServer::kConnectionsMax; ++i) {
    clients.push_back(world.Connect());
    // A large page, or a head that is not whole yet.
    clients.back()->Say(i < 10 ? "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n" : "GET /ready HTTP/1.1\r\n");
  }
  world.Turns();
  EXPECT_TRUE(world.Connect()->destroyed);
  EXPECT_FALSE(clients[0]->destroyed);
  world.loop.Turn(seconds(6));  // then their time is over
  world.Turns();
  EXPECT_TRUE(world.Ask("GET /live").starts_with("HTTP/1.1 200 "));
}

TEST(AdminServer, ListensOnSeveralAddressesEachWithItsPages) {
  World world;
  EXPECT_TRUE(world.server->Listen(Address("10.0.0.1:9904"), Pages::kProbes, true).ok());
  ASSERT_EQ(world.server->addresses().size(), 2u);
  EXPECT_EQ(world.server->addresses()[1], Address("10.0.0.1:9904"));
  EXPECT_TRUE(world.Ask("GET /snapshot").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(
      world.Say(*world.Connect(), "GET /ready HTTP/1.1\r\nhost: proxy.example\r\n\r\n").starts_with("HTTP/1.1 200 "));
  const absl::Status refused = world.server->Listen(Address("127.0.0.1:1"), Pages::kAll, false);
  EXPECT_EQ(base::ToStd(refused.message()), "127.0.0.1:1: permission denied");
  EXPECT_EQ(world.server->addresses().size(), 2u);
}

// Prior knowledge (RFC 9113 section 3.3), two streams at once; the frames themselves are the codec's tests.
TEST(AdminServer, SpeaksHttp2) {
  World world;
  auto far = world.Connect();
  std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  bytes.append("\0\0\0\4\0\0\0\0\0", 9);
  // HEADERS with END_STREAM: GET, http, /live, and the authority.
  bytes.append(
      "\0\0\x11\x01\x05\0\0\0\x01\x82\x86\x04\x05/live\x01\x06"
      "a.test",
      9 + 17);
  bytes.append(
      "\0\0\x14\x01\x05\0\0\0\x03\x82\x86\x04\x05/live\x01\x09"
      "localhost",
      9 + 20);
  const std::string response = world.Say(*far, bytes);
  EXPECT_NE(response.find("a name could be anybody's\n"), std::string::npos);
  EXPECT_NE(response.find("live\n"), std::string::npos);
  EXPECT_FALSE(far->shut_down);
}

}  // namespace
}  // namespace portico::admin
