// How exchanges end that do not end well: origins that fail, deadlines, clients that leave.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/downstream/client_for_test.h"
#include "dataplane/downstream/exchange.h"
#include "dataplane/downstream/world_for_test.h"

namespace portico::downstream {
namespace {

using namespace test;  // World and its words
using call::ErrorKind;
using std::chrono::minutes;
using std::chrono::seconds;

// ---- the origin fails ----

TEST(ExchangeEndTest, AnOriginThatFailsBeforeItsHead) {
  struct Row {
    ErrorKind kind;
    int status;
    std::string_view error;
  };
  const Row rows[] = {{ErrorKind::kConnectionRefused, 502, "connection_refused"},
                      {ErrorKind::kConnectionTerminated, 502, "connection_terminated"},
                      {ErrorKind::kDestinationUnavailable, 503, "destination_unavailable"},
                      {ErrorKind::kConnectionLimitReached, 503, "connection_limit_reached"},
                      {ErrorKind::kHttpResponseTimeout, 504, "http_response_timeout"},
                      {ErrorKind::kConnectionTimeout, 504, "connection_timeout"}};
  for (const bool http2 : {false, true}) {
    for (const Row& row : rows) {
      World world;
      Client client(world, http2);
      const http::StreamId id = client.Ask("GET", "/a");
      client.Turn();
      world.asked().Fail(row.kind);
      client.Turn();
      const std::string error(row.error);
      EXPECT_EQ(client.answer(id).status, row.status) << error;
      EXPECT_EQ(client.answer(id).Field("proxy-status"), "portico; error=" + error + "; details=\"scripted\"");
      EXPECT_EQ(world.Lines(), "GET /a -> " + std::to_string(row.status) + " error=" + error);
      EXPECT_EQ(world.records[0].endpoint, "192.0.2.1:9001");
      EXPECT_EQ(world.records[0].record.attempts, 1);
      EXPECT_EQ(world.records[0].reason, "scripted");
    }
  }
}

TEST(ExchangeEndTest, AnOriginThatFailsAfterItsHeadIsNoWholeAnswer) {
  for (const bool http2 : {false, true}) {
    for (const bool with_length : {false, true}) {
      World world;
      Client client(world, http2);
      const http::StreamId id = client.Ask("GET", "/a");
      client.Turn();
      world.asked().Head(200, with_length ? FieldList{{"content-length", "9"}} : FieldList{});
      world.asked().Content("part");
      client.Turn();
      world.asked().Fail(ErrorKind::kConnectionTerminated);
      client.Turn();
      EXPECT_EQ(client.answer(id).content, "part");
      EXPECT_FALSE(client.answer(id).ended);
      EXPECT_TRUE(client.answer(id).reset);
      EXPECT_EQ(world.far->aborted, !http2) << "a FIN could be taken for the end";
      EXPECT_EQ(world.connection != nullptr, http2) << "others go on";
      EXPECT_EQ(world.Lines(), "GET /a -> 200 error=connection_terminated aborted");
      EXPECT_EQ(world.records[0].record.sent_bytes, 4u);
    }
  }
}

TEST(ExchangeEndTest, AnOldClientSeesAnAbortToo) {
  World world;
  world.Say("GET / HTTP/1.0\r\n\r\n");
  world.asked().Head(200);
  world.asked().Content("part");
  EXPECT_TRUE(Has(world.Got(), "part"));
  world.asked().Fail(ErrorKind::kConnectionTerminated);
  world.Turn();
  EXPECT_TRUE(world.far->aborted);
  EXPECT_FALSE(world.far->shut_down);
}

// ---- deadlines ----

struct Deadline {
  std::string_view name;
  std::optional<base::Duration> request_timeout, duration_max;
  base::Duration over;  // when the first of them is
};

TEST(ExchangeEndTest, TheWholeHasADeadline) {
  const Deadline rows[] = {{"request", seconds(3), std::nullopt, seconds(3)},
                           {"stream duration", std::nullopt, seconds(3), seconds(3)},
                           {"both, request first", seconds(3), seconds(7), seconds(3)},
                           {"both, duration first", seconds(7), seconds(3), seconds(3)}};
  for (const Deadline& row : rows) {
    for (const bool head_came : {false, true}) {
      snapshot::ClientConfig config;
      config.stream_duration_max = row.duration_max;
      RuleSpec spec;
      spec.rule.request_timeout = row.request_timeout;
      World world({spec}, config);
      world.Say(kGet);
      if (head_came) world.asked().Head(200);
      world.Turn(row.over - seconds(1));
      if (head_came) world.asked().Content("progress does not help");
      EXPECT_TRUE(world.asked().alive()) << row.name;
      world.Turn(seconds(2));
      EXPECT_FALSE(world.asked().alive()) << row.name;
      EXPECT_EQ(Has(world.Got(), "HTTP/1.1 504 "), !head_came) << row.name;
      EXPECT_EQ(world.far->aborted, head_came) << row.name;
      EXPECT_EQ(world.Lines(),
                head_came ? "GET /a?b=c -> 200 aborted" : "GET /a?b=c -> 504 error=http_response_timeout");
    }
  }
}

TEST(ExchangeEndTest, SilenceEndsAnExchange) {
  snapshot::ClientConfig config;
  config.stream_idle_timeout = seconds(5);
  struct Row {
    std::string_view name, said;
    bool head_came;
    int status;  // 0: aborted
  };
  const Row rows[] = {{"the origin says nothing", kGet, false, 504},
                      {"the client says nothing", kPost, false, 408},
                      {"the origin stops", kGet, true, 0}};
  for (const Row& row : rows) {
    World world({RuleSpec{}}, config);
    world.Say(row.said);
    if (row.head_came) world.asked().Head(200);
    world.Turn(seconds(4));
    EXPECT_TRUE(world.asked().alive()) << row.name;
    world.Turn(seconds(2));
    EXPECT_FALSE(world.asked().alive()) << row.name;
    EXPECT_EQ(world.far->aborted, row.status == 0) << row.name;
    EXPECT_EQ(Has(world.Got(), "HTTP/1.1 " + std::to_string(row.status)), row.status != 0) << row.name;
    EXPECT_EQ(world.records.size(), 1u) << row.name;
  }
}

// The origin does not take what the client has sent: that is not the client's fault.
TEST(ExchangeEndTest, AnOriginThatDoesNotReadIsNotTheClientsSilence) {
  World world;
  world.Say("POST /a HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 1000000\r\n\r\n");
  world.asked().unsent = 1'000'000;
  world.Say(std::string(300'000, 'x'));
  world.Turn(minutes(6));
  EXPECT_TRUE(Has(world.Got(), "HTTP/1.1 504 "));
  EXPECT_EQ(world.Lines(), "POST /a -> 504 error=connection_read_timeout");
}

// The attempt is over because its content did not come: the client is told so, and not that the origin was late.
TEST(ExchangeEndTest, ALateAttemptIsWhoseTurnItWas) {
  using call::Fault;
  struct Row {
    std::string_view name, said;
    Fault fault;
    size_t unsent;
    int status;
  };
  const Row rows[] = {{"the origin's", kPost, Fault::kOrigin, 0, 504},
                      {"the client's", kPost, Fault::kCaller, 0, 408},
                      {"the client's, until all had come", kGet, Fault::kCaller, 0, 504},
                      {"the client's, and then the origin's", kPost, Fault::kCaller, 1'000'000, 504}};
  for (const Row& row : rows) {
    World world;
    world.Say(row.said);
    world.asked().unsent = row.unsent;
    if (row.unsent > 0) world.Say("x");
    world.asked().Fail(ErrorKind::kHttpResponseTimeout, row.fault);
    world.Turn();
    EXPECT_TRUE(Has(world.Got(), "HTTP/1.1 " + std::to_string(row.status))) << row.name;
  }
}

TEST(ExchangeEndTest, WhatMovesInEitherDirectionBreaksTheSilence) {
  snapshot::ClientConfig config;
  config.stream_idle_timeout = seconds(5);
  World world({RuleSpec{}}, config);
  world.Say(kPost);
  for (int i = 0; i < 4; ++i) {
    world.Turn(seconds(4));
    world.Say("x");
  }
  world.Turn(seconds(4));
  world.asked().Head(103);
  world.Turn(seconds(4));
  world.asked().Head(200);
  for (int i = 0; i < 4; ++i) {
    world.Turn(seconds(4));
    world.asked().Content("y");
  }
  EXPECT_TRUE(world.asked().alive());
  world.asked().End();
  world.Say("x");
  EXPECT_EQ(world.Lines(), "POST /a -> 200");
}

TEST(ExchangeEndTest, ASlowReaderIsNotSilent) {
  snapshot::ClientConfig config;
  config.stream_idle_timeout = seconds(5);
  World world({RuleSpec{}}, config);
  world.LetWrite(0);
  world.Say(kGet);
  world.asked().Head(200);
  world.asked().Content(std::string(600'000, 'x'));
  for (int i = 0; i < 20; ++i) {
    world.LetWrite(1'000);
    world.Turn(seconds(2));
    ASSERT_EQ(world.Lines(), "") << i;
  }
  world.Turn(seconds(3));
  world.Turn(seconds(3));
  world.Turn(seconds(3));
  EXPECT_TRUE(Has(world.Lines(), "aborted")) << world.Lines();
}

// Content that drips costs its client next to nothing, and us a connection to the origin.
TEST(ExchangeEndTest, ContentThatDripsIsGivenUp) {
  struct Row {
    std::string_view name, length;
    size_t at_once, then_each_ten_seconds;
    bool response_begins, origin_reads;
    int status;  // 0: it goes on
  };
  const Row rows[] = {
      {"drips", "1000000", 0, 100, false, true, 408},
      {"fast, then drips", "1000000", 100'000, 100, false, true, 408},
      {"silent near the end", "1000", 999, 0, false, true, 408},
      {"slow but fast enough", "1000000", 0, 4000, false, true, 0},
      {"of undeclared length", "", 0, 1, false, true, 0},
      {"the origin answers already", "1000000", 0, 100, true, true, 0},
      {"the origin does not take it", "1000000", 300'000, 0, false, false, 0},
  };
  for (const bool http2 : {false, true}) {
    for (const Row& row : rows) {
      World world;
      Client client(world, http2);
      const FieldList length =
          row.length.empty() ? FieldList{} : FieldList{{"content-length", std::string(row.length)}};
      const http::StreamId id = client.Ask("POST", "/a", false, length);
      client.Turn();
      if (!row.origin_reads) world.asked().unsent = 1'000'000;
      if (row.response_begins) world.asked().Head(200);
      client.Content(id, std::string(row.at_once, 'x'), false);
      client.Turn();
      for (int i = 0; i < 12 && client.answer(id).status < 400; ++i) {
        world.Turn(seconds(10));
        client.Content(id, std::string(row.then_each_ten_seconds, 'x'), false);
        client.Turn();
      }
      EXPECT_EQ(client.answer(id).status, row.response_begins ? 200 : row.status) << row.name << http2;
      EXPECT_EQ(world.asked().alive(), row.status == 0) << row.name << http2;
      EXPECT_EQ(world.Lines(), row.status == 0 ? "" : "POST /a -> 408 error=http_request_error") << row.name << http2;
    }
  }
}

TEST(ExchangeEndTest, ThePaceOfContentCanBeSwitchedOff) {
  for (const uint32_t bytes_per_second_min : {0, 1, 1000}) {
    snapshot::ClientConfig config;
    config.limits.upload_bytes_per_second_min = bytes_per_second_min;
    World world({RuleSpec{}}, config);
    world.Say("POST /a HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 1000000\r\n\r\n");
    for (int i = 0; i < 12; ++i) {
      world.Turn(seconds(10));
      if (world.connection != nullptr) world.Say(std::string(i % 2 == 0 ? 30 : 0, 'x'));
    }
    EXPECT_EQ(Has(world.Got(), "HTTP/1.1 408 "), bytes_per_second_min == 1000) << bytes_per_second_min;
  }
}

// A client that sends its uploads one after the other does not drip.
TEST(ExchangeEndTest, AnUploadMayWaitForOthersOfItsConnection) {
  World world;
  Client client(world, true);
  const FieldList length = {{"content-length", "1000000"}};
  const http::StreamId first = client.Ask("POST", "/first", false, length);
  const http::StreamId second = client.Ask("POST", "/second", false, length);
  client.Turn();
  for (int i = 0; i < 12; ++i) {
    world.Turn(seconds(10));
    client.Content(first, std::string(4000, 'x'), false);
    client.Turn();
    EXPECT_EQ(client.answer(first).status + client.answer(second).status, 0) << i;
  }
  for (int i = 0; i < 8; ++i) {
    world.Turn(seconds(10));
    client.Turn();
  }
  EXPECT_EQ(client.answer(first).status, 408);
  EXPECT_EQ(client.answer(second).status, 408);
}

TEST(ExchangeEndTest, ALateHeadIsAnsweredAndLogged) {
  World world;
  world.Say("GET /a HT");
  world.Turn(seconds(11));
  EXPECT_TRUE(Has(world.Got(), "HTTP/1.1 408 "));
  EXPECT_EQ(world.Lines(), "-> 408 error=http_request_error");
}

// ---- the client leaves ----

// Every step of a whole exchange; the client leaves after the first `steps` of them.
void PlaySteps(World& world, size_t steps) {
  const std::function<void()> all[] = {
      [&] { world.Say("POST /a HT"); },
      [&] { world.Say("TP/1.1\r\nhost: shop.example\r\ntransfer-encoding: chunked\r\n\r\n"); },
      [&] { world.Say("3\r\nab"); },
      [&] { world.Say("c\r\n0\r\nx-sum: 1\r\n"); },
      [&] { world.Say("\r\n"); },
      [&] { world.asked().Head(103); },
      [&] { world.asked().Head(200); },
      [&] { world.asked().Content("part"); },
  };
  for (size_t i = 0; i < std::min(steps, std::size(all)); ++i) {
    all[i]();
    world.Turn();
  }
}

TEST(ExchangeEndTest, TheClientMayLeaveAtEveryPoint) {
  for (const bool reset : {false, true}) {
    for (size_t steps = 1; steps <= 8; ++steps) {
      World world;
      PlaySteps(world, steps);
      world.Got();
      reset ? world.far->Fail() : world.far->End();
      world.Turn();
      EXPECT_EQ(world.origin().under_way(), 0u) << steps;
      ASSERT_EQ(world.records.size(), 1u) << steps;
      EXPECT_TRUE(world.records[0].record.aborted) << steps;
      EXPECT_EQ(world.records[0].record.status, steps >= 7 ? 200 : 0) << steps;
      EXPECT_EQ(world.records[0].client, "192.0.2.7") << steps;
      EXPECT_EQ(world.asked_count(), steps >= 2 ? 1u : 0u) << steps;
      if (steps >= 2) EXPECT_EQ(world.records[0].endpoint, "192.0.2.1:9001") << steps;
      world.Turn(seconds(2));
      EXPECT_EQ(world.Got(), "") << steps;
      EXPECT_TRUE(world.far->destroyed) << steps;
    }
  }
}

TEST(ExchangeEndTest, AStreamMayLeaveAtEveryPoint) {
  for (size_t steps = 0; steps <= 4; ++steps) {
    World world;
    Client client(world, true);
    const http::StreamId id = client.Ask("POST", "/a", false);
    client.Turn();
    if (steps > 0) client.Content(id, "abc", steps > 1);
    client.Turn();
    if (steps > 2) world.asked().Head(200);
    if (steps > 3) world.asked().Content("part");
    client.Turn();
    client.Reset(id);
    client.Turn();
    EXPECT_EQ(world.origin().under_way(), 0u) << steps;
    EXPECT_EQ(world.Lines(), steps > 2 ? "POST /a -> 200 aborted" : "POST /a -> 0 aborted") << steps;
    ASSERT_NE(client.Ask("GET", "/b"), 0u);
    client.Turn();
    EXPECT_EQ(world.asked_count(), 2u) << "the connection goes on";
  }
}

TEST(ExchangeEndTest, ALastRequestIsAnsweredThoughTheClientHasEndedItsSide) {
  for (const bool last : {false, true}) {
    World world;
    world.Say("GET /a HTTP/1.1\r\nhost: shop.example\r\n" + std::string(last ? "connection: close\r\n" : "") + "\r\n");
    world.far->End();
    world.Turn();
    EXPECT_EQ(world.asked().alive(), last);
    world.asked().Answer(200, "late");
    EXPECT_EQ(Has(world.Got(), "late"), last);
    EXPECT_EQ(world.Lines(), last ? "GET /a -> 200" : "GET /a -> 0 aborted");
  }
}

TEST(ExchangeEndTest, ClosingTheConnectionEndsWhatIsUnderWay) {
  FilterScript script;
  ThenWait(script);
  World world({Filtered(script)});
  world.Say(kGet);
  world.connection->Close();
  world.Turn();
  EXPECT_EQ(script.alive, 0);
  EXPECT_EQ(world.Lines(), "GET /a?b=c -> 0 aborted");
}

// In HTTP/1.1 a FIN could be taken for the end of what has begun; what has not begun needs no reset.
TEST(ExchangeEndTest, ClosingTheConnectionCutsAnAnswerVisibly) {
  for (const bool begun : {false, true}) {
    for (const bool http2 : {false, true}) {
      World world;
      Client client(world, http2);
      client.Ask("GET", "/a");
      client.Turn();
      if (begun) {
        world.asked().Head(200);
        world.asked().Content("part");
      }
      client.Turn();
      world.connection->Close();
      world.Turn();
      EXPECT_EQ(world.far->aborted, begun && !http2);
      EXPECT_EQ(world.Lines(), begun ? "GET /a -> 200 aborted" : "GET /a -> 0 aborted");
    }
  }
}

// A cluster that a newer configuration has dropped lives as long as its exchanges.
TEST(ExchangeEndTest, AnExchangeKeepsItsCluster) {
  World world;
  world.Say(kGet);
  const std::weak_ptr<test::FakeOrigin> origin = world.origins.at("default/orders");
  const std::shared_ptr<Asked> asked = world.origin().asked.back();
  world.origins.clear();
  ASSERT_FALSE(origin.expired());
  asked->Answer(200, "last");
  EXPECT_FALSE(origin.expired()) << "it dies at the end of the turn";
  EXPECT_TRUE(Has(world.Got(), "last"));
  EXPECT_TRUE(origin.expired());
}

}  // namespace
}  // namespace portico::downstream
