#include "dataplane/downstream/relay.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "dataplane/downstream/client_for_test.h"
#include "dataplane/downstream/world_for_test.h"

namespace portico::downstream {
namespace {

using namespace test;  // World and its words

// An exchange that is a relay and nothing else: it starts when the test says so, and writes down what it hears.
class RelayExchange final : public ExchangeEvents, private Relay::Delegate {
 public:
  RelayExchange(Connection& connection, http::StreamId id, std::string& log)
      : log_(log), relay_(connection, id, *this) {}

  base::Arena& arena() override { return arena_; }
  void OnRequest(http::RequestHead head) override { request_.emplace(std::move(head)); }
  void OnBadRequest(http::MessageError) override { relay_.Cancel(); }
  void OnContent(base::Slice content) override { relay_.TakeContent(std::move(content)); }
  void OnTrailers(http::Fields trailers) override { relay_.TakeTrailers(std::move(trailers)); }
  void OnRequestEnd() override { relay_.TakeEnd(); }
  void OnReset(http::ResetReason) override { relay_.Cancel(); }
  void OnSendReady() override { relay_.ClientReady(); }

  void Start(call::Backend& origin) {
    call::CallRequest request;
    request.head = &*request_;
    request.end = request_->framing.ends_with_head;
    request.arena = &arena_;
    relay_.Start(origin, request);
  }
  Relay& relay() { return relay_; }

 private:
  void OnProgress() override { log_ += "."; }
  void OnOriginHead(http::ResponseHead& head) override {
    head.fields.Add("x-edited", "yes");
    base::AppendTo(log_, base::Concat("head ", head.status, " "));
  }
  void OnResponseEnd() override {
    log_ += "end ";
    relay_.Cancel();
  }
  void OnOriginError(const call::Error&) override {
    log_ += relay_.response_begun() ? "broken " : "failed ";
    relay_.Cancel();
  }

  base::Arena arena_;
  std::string& log_;
  std::optional<http::RequestHead> request_;
  Relay relay_;
};

// One client with one relay.
struct RelayWorld {
  explicit RelayWorld(size_t window_bytes = 1000) : world({RuleSpec{}}, WithWindow(window_bytes)) {
    world.make_exchange = [this](Connection& connection, http::StreamId id) {
      auto made = std::make_unique<RelayExchange>(connection, id, log);
      exchange = made.get();
      return made;
    };
  }
  static snapshot::ClientConfig WithWindow(size_t bytes) {
    snapshot::ClientConfig client;
    client.limits.stream_window_bytes = bytes;
    return client;
  }
  // A request whose content is `bytes` long and comes whole.
  void Post(size_t bytes) {
    world.Say(base::Concat("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ", bytes, "\r\n\r\n"));
    world.Say(std::string(bytes, 'x'));
  }
  void Start() {
    exchange->Start(world.origin());
    world.Turn();
  }
  Relay& relay() { return exchange->relay(); }
  std::string TakeLog() { return std::exchange(log, {}); }

  std::string log;
  RelayExchange* exchange = nullptr;
  World world;
};

TEST(RelayTest, ContentIsHeldUntilTheOriginIsAskedAndTheWindowBoundsIt) {
  RelayWorld test;
  test.Post(5000);
  EXPECT_EQ(test.relay().received_bytes(), 1000u);
  EXPECT_TRUE(test.relay().client_waits());
  EXPECT_FALSE(test.relay().request_ended());
  test.Start();
  EXPECT_EQ(test.world.asked().content.size(), 5000u);
  EXPECT_TRUE(test.world.asked().ended);
  EXPECT_FALSE(test.relay().client_waits());
  EXPECT_TRUE(test.relay().request_ended());
}

TEST(RelayTest, TheRequestEndsOnceHoweverItCame) {
  struct Row {
    std::string_view name, before, after;
    bool end_at_start;
    std::string_view content, trailers;
  };
  const std::string_view chunked = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
  const std::string head(chunked);
  const std::string all = head + "2\r\nab\r\n0\r\n\r\n", with_trailers = head + "2\r\nab\r\n0\r\nt: 1\r\n\r\n",
                    trailers_alone = head + "0\r\nt: 1\r\n\r\n", empty = head + "0\r\n\r\n";
  const Row rows[] = {
      {"no content", "GET / HTTP/1.1\r\nhost: x\r\n\r\n", "", true, "", ""},
      {"content of no bytes", empty, "", true, "", ""},
      {"held whole", all, "", false, "ab", ""},
      {"held with trailers", with_trailers, "", false, "ab", "t: 1\n"},
      {"trailers alone", trailers_alone, "", false, "", "t: 1\n"},
      {"comes after", head, "2\r\nab\r\n0\r\n\r\n", false, "ab", ""},
      {"trailers after", head, "2\r\nab\r\n0\r\nt: 1\r\n\r\n", false, "ab", "t: 1\n"},
      {"part before", std::string_view(all).substr(0, head.size() + 4), "b\r\n0\r\n\r\n", false, "ab", ""},
      {"nothing but the end after", head, "0\r\n\r\n", false, "", ""}};
  for (const Row& row : rows) {
    RelayWorld test;
    test.world.Say(row.before);
    test.Start();
    EXPECT_EQ(test.world.asked().ended, row.after.empty()) << row.name;
    EXPECT_EQ(test.world.asked().ended_with_head, row.end_at_start) << row.name;
    test.world.Say(row.after);
    EXPECT_TRUE(test.world.asked().ended) << row.name;
    EXPECT_EQ(test.world.asked().ends, row.end_at_start ? 0 : 1) << row.name;
    EXPECT_EQ(test.world.asked().content, row.content) << row.name;
    EXPECT_EQ(test.world.asked().trailers, row.trailers) << row.name;
  }
}

TEST(RelayTest, WhatTheOriginDoesNotTakeIsNotGivenBackToTheClient) {
  struct Row {
    std::string_view name;
    size_t unsent;
    bool stops;
  };
  const Row rows[] = {{"all is taken", 0, false},
                      {"at the mark", http::kSendHighMarkBytes, false},
                      {"above it", http::kSendHighMarkBytes + 1, true}};
  for (const Row& row : rows) {
    RelayWorld test;
    test.world.Say("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n");
    test.Start();
    test.world.asked().unsent = row.unsent;
    test.world.Say(std::string(5000, 'x'));
    EXPECT_EQ(test.relay().received_bytes(), row.stops ? 1000u : 5000u) << row.name;
    EXPECT_EQ(test.relay().client_waits(), row.stops) << row.name;
    if (!row.stops) continue;
    test.TakeLog();
    test.world.asked().TakeAll();
    test.world.Turn();
    EXPECT_EQ(test.relay().received_bytes(), 5000u) << row.name;
    EXPECT_TRUE(Has(test.TakeLog(), ".")) << "that it takes something is progress";
  }
}

TEST(RelayTest, WhatTheClientDoesNotTakeIsNotGivenBackToTheOrigin) {
  RelayWorld test;
  test.world.Say("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  test.Start();
  Asked& asked = test.world.asked();
  test.world.LetWrite(0);
  asked.Head(200);
  asked.Content(std::string(100'000, 'x'));
  EXPECT_EQ(asked.consumed, 100'000u) << "below the mark";
  test.world.Turn();
  asked.Content(std::string(http::kSendHighMarkBytes, 'x'));
  asked.Content(std::string(100'000, 'x'));
  test.world.Turn();
  const size_t sent = 200'000 + http::kSendHighMarkBytes;
  EXPECT_LT(asked.consumed, sent);
  const size_t before = asked.consumed;
  test.world.LetWrite(10);
  EXPECT_EQ(asked.consumed, before);
  test.TakeLog();
  test.world.LetWrite(SIZE_MAX);
  EXPECT_EQ(asked.consumed, sent) << "each byte once";
  EXPECT_TRUE(Has(test.TakeLog(), "."));
  asked.End();
  EXPECT_EQ(test.TakeLog(), "end ");
  EXPECT_EQ(test.relay().sent_bytes(), sent);
}

TEST(RelayTest, TheResponseEndsOnceHoweverItCame) {
  struct Row {
    std::string_view name;
    std::function<void(Asked&)> play;
    std::string_view log, ends_with;
  };
  const Row rows[] = {
      {"with its head", [](Asked& asked) { asked.Head(204, {}, true); }, "head 204 end ", "x-edited: yes\r\n\r\n"},
      {"with content",
       [](Asked& asked) {
         asked.Head(200);
         asked.Content("ab");
         asked.End();
       },
       "head 200 .end ", "2\r\nab\r\n0\r\n\r\n"},
      {"with trailers",
       [](Asked& asked) {
         asked.Head(200);
         asked.Trailers({{"t", "1"}});
         asked.End();
       },
       "head 200 end ", "0\r\nt: 1\r\n\r\n"},
      {"empty",
       [](Asked& asked) {
         asked.Head(200);
         asked.End();
       },
       "head 200 end ", "0\r\n\r\n"},
  };
  for (const Row& row : rows) {
    RelayWorld test;
    test.world.Say("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    test.Start();
    row.play(test.world.asked());
    EXPECT_EQ(test.TakeLog(), row.log) << row.name;
    test.world.Turn();
    EXPECT_FALSE(test.world.asked().alive()) << row.name;
    const std::string got = test.world.Got();
    EXPECT_TRUE(got.ends_with(row.ends_with)) << row.name << got;
    EXPECT_EQ(Count(got, "HTTP/1.1 "), 1u) << row.name;
  }
}

// To drop it before would cost the connection that it came on.
TEST(RelayTest, ACallWhoseResponseIsWholeEndsByItself) {
  for (const bool trailers : {false, true}) {
    RelayWorld test;
    test.world.Say("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    test.Start();
    Asked& asked = test.world.asked();
    http::ResponseHead head(*asked.arena);
    head.status = trailers ? 200 : 204;
    head.framing.ends_with_head = !trailers;
    asked.handler->OnResponse(std::move(head));
    if (trailers) asked.handler->OnTrailers(http::Fields(*asked.arena));
    ASSERT_TRUE(asked.alive()) << trailers;
    EXPECT_TRUE(Has(test.TakeLog(), "end ")) << trailers;
    asked.handler->OnEnd();
    EXPECT_EQ(test.TakeLog(), "") << trailers;
    test.world.Turn();
    EXPECT_FALSE(asked.alive()) << trailers;
  }
}

TEST(RelayTest, ErrorsSayIfTheResponseHadBegun) {
  for (const bool begun : {false, true}) {
    RelayWorld test;
    test.world.Say("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    test.Start();
    test.world.asked().Head(103);
    if (begun) test.world.asked().Head(200);
    EXPECT_EQ(test.relay().response_begun(), begun);
    test.world.asked().Fail(call::ErrorKind::kConnectionTerminated);
    EXPECT_EQ(test.TakeLog(), begun ? ".head 200 broken " : ".failed ");
    EXPECT_FALSE(test.world.asked().alive());
    EXPECT_FALSE(Has(test.world.Got(), "0\r\n\r\n"));
  }
}

// After Cancel, whenever it comes, the rest of the client's content is read and dropped.
TEST(RelayTest, ACancelledRelayHoldsNothing) {
  struct Row {
    std::string_view name;
    bool started, origin_stuck;
  };
  for (const Row& row : {Row{"held", false, false}, Row{"started", true, false}, Row{"stuck", true, true}}) {
    RelayWorld test;
    test.world.Say("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n");
    if (row.started) test.Start();
    if (row.origin_stuck) test.world.asked().unsent = SIZE_MAX;
    test.world.Say(std::string(3000, 'x'));
    test.relay().Cancel();
    test.world.Turn();
    EXPECT_EQ(test.world.origin().under_way(), 0u) << row.name;
    EXPECT_FALSE(test.relay().client_waits()) << row.name;
    EXPECT_EQ(test.relay().facts().attempts, 0) << row.name;
    test.world.Say(std::string(2000, 'x'));
    EXPECT_EQ(test.relay().received_bytes(), 5000u) << row.name;
    EXPECT_TRUE(test.relay().request_ended()) << row.name;
    if (row.started) EXPECT_LE(test.world.asked().content.size(), 3000u) << row.name;
  }
}

// HTTP/2: one stream's slow origin must not hold up the others of its connection.
TEST(RelayTest, ASlowOriginHoldsUpItsStreamAlone) {
  World world;
  Client client(world, true);
  const http::StreamId slow = client.Ask("POST", "/slow", false);
  client.Turn();
  const std::shared_ptr<Asked> slow_asked = world.origin().asked.back();
  slow_asked->unsent = SIZE_MAX;
  client.Content(slow, std::string(3'000'000, 'x'), true);
  client.Turn();
  EXPECT_LE(slow_asked->content.size(), http::Limits().stream_window_bytes);
  EXPECT_GE(slow_asked->content.size(), 60'000u);
  const http::StreamId quick = client.Ask("POST", "/quick", false);
  client.Content(quick, std::string(3'000'000, 'y'), true);
  for (int i = 0; i < 20; ++i)
    client.Turn();
  EXPECT_EQ(world.asked().content.size(), 3'000'000u);
  slow_asked->TakeAll();
  for (int i = 0; i < 20; ++i)
    client.Turn();
  EXPECT_EQ(slow_asked->content.size(), 3'000'000u);
}

// The other way round: one stream that its client does not read.
TEST(RelayTest, AnUnreadStreamHoldsUpItsOriginAlone) {
  World world;
  Client client(world, true);
  const http::StreamId unread = client.Ask("GET", "/unread");
  const http::StreamId read = client.Ask("GET", "/read");
  client.reads = [&](http::StreamId id) { return id == read; };
  client.Turn();
  Asked& unread_asked = *world.origin().asked[0];
  Asked& read_asked = *world.origin().asked[1];
  unread_asked.Head(200);
  read_asked.Head(200);
  const std::string piece(200'000, 'x');
  for (int i = 0; i < 10; ++i) {
    if (unread_asked.consumed == i * piece.size()) unread_asked.Content(piece);  // as its window allows
    read_asked.Content(piece);
    for (int turn = 0; turn < 5; ++turn)
      client.Turn();
    EXPECT_EQ(read_asked.consumed, (i + 1) * piece.size()) << i;
  }
  EXPECT_LT(unread_asked.consumed, 1'000'000u);
  EXPECT_EQ(client.answer(read).content.size(), 2'000'000u);
  EXPECT_LE(client.answer(unread).content.size(), http::Limits().stream_window_bytes);
}

// A client that opens many streams and reads nothing: what waits for it is bounded, and all of it comes once it reads.
TEST(RelayTest, ManyUnreadStreamsHoldLittle) {
  constexpr size_t kStreams = 40, kPieceBytes = 16 * 1024, kBytes = 1024 * 1024;
  const http::Limits limits;
  struct Row {
    std::string_view name;
    size_t ahead_bytes;  // what the origin's codec takes that nobody takes off it, once it has given half of the first
  };
  for (const Row& row : {Row{"HTTP/1.1", limits.read_ahead_bytes}, Row{"HTTP/2", limits.stream_window_bytes}}) {
    World world;
    Client client(world, true);
    for (size_t i = 0; i < kStreams; ++i)
      client.Ask("GET", "/a");
    client.Turn();
    world.LetWrite(0);
    ASSERT_EQ(world.asked_count(), kStreams);
    std::vector<size_t> given(kStreams);
    const std::string piece(kPieceBytes, 'x');
    const auto give = [&] {
      for (size_t i = 0; i < kStreams; ++i) {
        Asked& asked = *world.origin().asked[i];
        if (given[i] == 0 && !asked.answered) asked.Head(200);
        const auto window = [&] {
          return asked.consumed < limits.read_ahead_bytes / 2 ? limits.read_ahead_bytes : row.ahead_bytes;
        };
        while (given[i] < kBytes && given[i] - asked.consumed < window()) {
          given[i] += kPieceBytes;
          asked.Content(piece);
          if (given[i] == kBytes) asked.End();
        }
      }
      world.Turn();
    };
    for (int i = 0; i < 20; ++i)
      give();
    // A few streams fill the connection, and each has a window more; the others have next to nothing, and a narrow one.
    size_t waiting = 0;
    for (const size_t bytes : given)
      waiting += bytes;
    const size_t few = limits.connection_unsent_bytes_max / http::kSendHighMarkBytes + 2;
    EXPECT_LE(waiting, limits.connection_unsent_bytes_max + http::kSendHighMarkBytes + few * row.ahead_bytes +
                           kStreams * (limits.read_ahead_bytes + 2 * kPieceBytes))
        << row.name;
    world.LetWrite(SIZE_MAX);
    for (int i = 0; i < 400; ++i) {
      client.Turn();
      give();
    }
    for (const auto& [id, answer] : client.answers()) {
      EXPECT_EQ(answer->content.size(), kBytes) << row.name << id;
      EXPECT_TRUE(answer->ended) << row.name << id;
    }
  }
}

}  // namespace
}  // namespace portico::downstream
