#include "dataplane/downstream/exchange.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/downstream/client_for_test.h"
#include "dataplane/downstream/world_for_test.h"
#include "dataplane/filter/problem.h"

namespace portico::downstream {
namespace {

using namespace test;  // World and its words
using std::chrono::seconds;

// ---- forwarded ----

TEST(ExchangeTest, ARequestIsForwardedAndAnswered) {
  for (const bool http2 : {false, true}) {
    World world;
    Client client(world, http2);
    const http::StreamId id = client.Ask("GET", "/a?b=c", true, {{"x-mine", "1"}});
    client.Turn();
    ASSERT_EQ(world.asked_count(), 1u) << http2;
    EXPECT_EQ(world.asked().method, "GET");
    EXPECT_EQ(world.asked().authority, "shop.example");
    EXPECT_EQ(world.asked().target, "/a?b=c");
    EXPECT_TRUE(world.asked().ended);
    EXPECT_EQ(world.asked().Field("x-mine"), "1");
    EXPECT_EQ(world.asked().Field("x-forwarded-for"), "192.0.2.7");
    EXPECT_EQ(world.asked().Field("x-forwarded-proto"), "http");
    EXPECT_EQ(world.asked().Field("x-forwarded-host"), "shop.example");
    EXPECT_EQ(world.asked().Field("via"), http2 ? "2 portico" : "1.1 portico");
    EXPECT_EQ(world.asked().Field("x-request-id").size(), 32u);
    EXPECT_EQ(world.asked().Field("traceparent"), "(none)") << "to sample is not ours to decide";
    EXPECT_TRUE(world.records.empty());
    world.asked().Head(200, {{"content-length", "5"}, {"server", "theirs"}});
    world.asked().Content("hel");
    client.Turn();
    EXPECT_EQ(client.answer(id).content, "hel") << "nothing is held back";
    world.asked().Content("lo");
    world.asked().End();
    client.Turn();
    EXPECT_EQ(client.answer(id).status, 200);
    EXPECT_EQ(client.answer(id).content, "hello");
    EXPECT_TRUE(client.answer(id).ended);
    EXPECT_EQ(client.answer(id).Field("server"), "theirs");
    EXPECT_NE(client.answer(id).Field("date"), "(none)");
    EXPECT_EQ(world.Lines(), "GET /a?b=c -> 200");
  }
}

// What a filter takes off the query is seen by nobody behind it, and by the log alone.
TEST(ExchangeTest, FiltersEditTheQuery) {
  RuleSpec redirects = Redirecting();
  RuleSpec rewrites;
  rewrites.rule.rewrite = route::UrlRewrite{"", route::PathRewrite{route::PathRewrite::Kind::kFull, "/b"}};
  const struct {
    const char* name;
    RuleSpec spec;
    std::string_view target, edited, sees;  // the origin, or the client as its location
  } rows[] = {
      {"a parameter", {}, "/a?x=1&key=k", "/a?x=1", "/a?x=1"},
      {"all of it", {}, "/a?key=k", "/a", "/a"},
      {"nothing", {}, "/a?x=1", "/a?x=1", "/a?x=1"},
      {"a path that is sent otherwise", {}, "//a?x=1&key=k", "//a?x=1", "/a?x=1"},
      {"all of it, of such a path", {}, "//a?key=k", "//a", "/a"},
      {"a path that is rewritten", rewrites, "/a?key=k&x=1", "/a?x=1", "/b?x=1"},
      {"all of it, of one that is rewritten", rewrites, "/a?key=k", "/a", "/b"},
      {"a redirect", redirects, "/a?key=k&x=1", "/a?x=1", "https://shop.example/a?x=1"},
      {"a redirect without query", redirects, "/a?key=k", "/a", "https://shop.example/a"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    FilterScript script;
    script.act = [&row](filter::FilterContext& context, auto) {
      context.request.path = context.request.fields.arena().Copy(row.edited);
      return filter::Continue();
    };
    RuleSpec spec = row.spec;
    spec.filters = {std::make_shared<ScriptedFilterConfig>(script)};
    World world({spec});
    world.Say(base::Concat("GET ", row.target, " HTTP/1.1\r\nhost: shop.example\r\n\r\n"));
    if (row.spec.rule.redirect) {
      const std::string got = world.Got();
      EXPECT_NE(got.find(base::Concat("location: ", row.sees, "\r\n")), std::string::npos) << got;
    } else {
      EXPECT_EQ(world.asked().target, row.sees);
      world.asked().Answer(200, "");
      world.Turn();
    }
    ASSERT_EQ(world.records.size(), 1u);
    EXPECT_TRUE(world.Lines().starts_with(base::Concat("GET ", row.target, " -> "))) << world.Lines();
  }
}

TEST(ExchangeTest, TheRecordSaysAllOfIt) {
  FilterScript script;
  script.act = [](filter::FilterContext& context, auto) {
    context.identity.subject = "ada";
    return filter::Continue();
  };
  World world({Filtered(script)});
  world.Say(kPost);
  world.Turn(seconds(2));
  world.Say("hello");
  world.asked().Answer(201, "done");
  world.Turn();
  ASSERT_EQ(world.records.size(), 1u);
  const test::Record& record = world.records[0];
  EXPECT_EQ(record.line, "POST /a -> 201");
  EXPECT_EQ(record.client, "192.0.2.7");
  EXPECT_EQ(record.protocol, "HTTP/1.1");
  EXPECT_EQ(record.authority, "shop.example");
  EXPECT_EQ(record.route, "default/route0");
  EXPECT_EQ(record.cluster, "default/orders");
  EXPECT_EQ(record.endpoint, "192.0.2.1:9001");
  EXPECT_EQ(record.request_id, world.asked().Field("x-request-id"));
  EXPECT_EQ(record.subject, "ada");
  EXPECT_EQ(record.record.attempts, 1);
  EXPECT_EQ(record.record.received_bytes, 5u);
  EXPECT_EQ(record.record.sent_bytes, 4u);
  EXPECT_EQ(record.record.duration, seconds(2));
}

TEST(ExchangeTest, RequestAndResponseAreRewritten) {
  RuleSpec spec;
  spec.path = "/a";
  spec.rule.rewrite = route::UrlRewrite{"inner.example", route::PathRewrite{route::PathRewrite::Kind::kPrefix, "/x"}};
  spec.rule.request_edits = {{{"x-set", "s"}}, {{"x-add", "a"}}, {"x-gone"}};
  spec.rule.response_edits = {{{"x-set", "s"}}, {}, {"x-gone"}};
  spec.rule.backend_request_timeout = seconds(3);
  World world({spec});
  world.Say(
      "GET /a/%62//c?d=%2f HTTP/1.1\r\nhost: shop.example\r\nx-gone: 1\r\nx-set: 0\r\nconnection: x-hop\r\n"
      "x-hop: 1\r\nkeep-alive: 5\r\n\r\n");
  EXPECT_EQ(world.asked().authority, "inner.example");
  EXPECT_EQ(world.asked().target, "/x/b/c?d=%2f");
  EXPECT_EQ(world.asked().attempt_timeout, seconds(3));
  EXPECT_EQ(world.asked().Field("x-set"), "s");
  EXPECT_EQ(world.asked().Field("x-add"), "a");
  EXPECT_EQ(world.asked().Field("x-forwarded-host"), "shop.example");
  for (const std::string_view gone : {"x-gone", "x-hop", "keep-alive", "connection"})
    EXPECT_EQ(world.asked().Field(gone), "(none)") << gone;
  world.asked().Head(200, {{"x-gone", "1"}}, true);
  const std::string got = world.Got();
  EXPECT_TRUE(Has(got, "x-set: s\r\n")) << got;
  EXPECT_FALSE(Has(got, "x-gone")) << got;
  EXPECT_EQ(world.Lines(), "GET /a/%62//c?d=%2f -> 200") << "the target as it was sent";
}

uint64_t SpanOf(std::string_view traceparent) {
  return std::stoull(std::string(traceparent.substr(36, 16)), nullptr, 16);
}

TEST(ExchangeTest, AnOriginHearsOfItsOwnSpanAndTheLogOfOurs) {
  constexpr std::string_view kTrace = "4bf92f3577b34da6a3ce929d0e0e4736", kParent = "00f067aa0ba902b7";
  for (const bool brought : {false, true}) {
    snapshot::ClientConfig config;
    config.forwarding.begin_trace = !brought;
    World world({RuleSpec{}}, config);
    Client client(world, false);
    FieldList fields;
    if (brought) fields = {{"traceparent", base::Concat("00-", kTrace, "-", kParent, "-01")}, {"tracestate", "a=b"}};
    client.Ask("GET", "/a", true, fields);
    client.Turn();
    const std::string heard = world.asked().Field("traceparent");
    world.asked().Answer(200, "");
    client.Turn();
    const Record& record = world.records.at(0);
    EXPECT_EQ(record.trace_id, heard.substr(3, 32));
    EXPECT_EQ(record.trace_id == kTrace, brought);
    EXPECT_EQ(record.parent_span, brought ? kParent : "");
    EXPECT_EQ(std::stoull(record.span_id, nullptr, 16) + 1, SpanOf(heard));
    EXPECT_EQ(heard.substr(53), "01");
    EXPECT_EQ(world.asked().Field("tracestate"), brought ? "a=b" : "(none)");
  }
}

// Only to clients of the named networks, and only when they ask; nobody else hears of the question.
TEST(ExchangeTest, ServerTiming) {
  struct Row {
    std::string_view name, network, asks;
    std::string_view answered;
  };
  constexpr std::string_view kTimes = "theirs;dur=1; filters;dur=2000.0, connect;dur=0.0, origin;dur=0.0";
  const Row rows[] = {
      {"may ask, and asks", "192.0.2.0/24", "1", kTimes},
      {"asks for something else", "192.0.2.0/24", "2", "theirs;dur=1"},
      {"does not ask", "192.0.2.0/24", "", "theirs;dur=1"},
      {"may not ask", "198.51.100.0/24", "1", "theirs;dur=1"},
      {"nobody may", "", "1", "theirs;dur=1"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    FilterScript script;
    ThenWait(script);
    snapshot::ClientConfig config;
    if (!row.network.empty()) config.forwarding.timing_networks.push_back(*net::Network4Or6::Parse(row.network));
    World world({Filtered(script)}, config);
    Client client(world, true);
    FieldList fields;
    if (!row.asks.empty()) fields = {{"portico-timing", std::string(row.asks)}};
    const http::StreamId id = client.Ask("GET", "/a", true, fields);
    client.Turn();
    world.Turn(seconds(2));
    script.handles[0](filter::Continue());
    client.Turn();
    EXPECT_EQ(world.asked().Field("portico-timing"), "(none)");
    world.asked().Head(200, {{"server-timing", "theirs;dur=1"}, {"cache-control", "max-age=60"}}, true);
    client.Turn();
    std::string told;
    for (const auto& [name, value] : client.answer(id).fields)
      if (name == "server-timing") told += base::Concat(told.empty() ? "" : "; ", value);
    EXPECT_EQ(told, row.answered);
    std::string stored;
    for (const auto& [name, value] : client.answer(id).fields)
      if (name == "cache-control") stored += base::Concat(stored.empty() ? "" : ", ", value);
    EXPECT_EQ(stored, row.answered == kTimes ? "max-age=60, no-store" : "max-age=60");
  }
}

TEST(ExchangeTest, ARulesRetryGoesWithTheCall) {
  RuleSpec spec;
  spec.rule.request_timeout = seconds(3);
  World without({spec});
  without.Say(kGet);
  EXPECT_FALSE(without.asked().retry);
  without.asked().Answer(200, "");
  EXPECT_EQ(without.records.at(0).retries, "");
  spec.rule.retry = std::make_shared<const route::RetryPlan>(route::RetryPlan{.codes = {503}});
  World world({spec});
  const base::MonotonicTime begun = world.manual_loop.Now();
  world.Say(kGet);
  ASSERT_TRUE(world.asked().retry);
  EXPECT_TRUE(world.asked().retry->plan->HasCode(503));
  EXPECT_EQ(world.asked().retry->random, &world.random_numbers);
  EXPECT_EQ(world.asked().retry->replay_budget, &world.replays);
  EXPECT_EQ(world.asked().retry->deadline, begun + seconds(3));
  world.asked().Answer(200, "");
  EXPECT_EQ(world.records.at(0).retries, "scripted");
}

TEST(ExchangeTest, ContentAndTrailersGoBothWays) {
  for (const bool http2 : {false, true}) {
    FilterScript script;
    World world({Filtered(script)});
    Client client(world, http2);
    const http::StreamId id = client.Ask("POST", "/a", false, {{"te", "trailers"}});
    client.Content(id, "abc", false);
    client.Turn();
    EXPECT_EQ(world.asked().content, "abc");
    EXPECT_FALSE(world.asked().ended);
    client.Trailers(id, {{"x-sum", "1"}, {"x-user", "root"}});
    client.Turn();
    EXPECT_TRUE(world.asked().ended);
    EXPECT_EQ(world.asked().trailers, "x-sum: 1\n") << "filters see them";
    world.asked().Head(200);
    world.asked().Content("def");
    world.asked().Trailers({{"grpc-status", "0"}});
    client.Turn();
    EXPECT_EQ(client.answer(id).content, "def");
    EXPECT_EQ(client.answer(id).trailers, "grpc-status: 0\n");
    EXPECT_EQ(client.answer(id).Field("x-filtered"), "yes");
    EXPECT_TRUE(client.answer(id).ended);
    EXPECT_EQ(world.Lines(), "POST /a -> 200");
  }
}

// An identity in trailers that came while a filter was still waiting must not slip through either.
TEST(ExchangeTest, TrailersThatCameEarlyAreFilteredToo) {
  FilterScript script;
  ThenWait(script);
  World world({Filtered(script)});
  world.Say(std::string(kChunkedPost) + "1\r\na\r\n0\r\nx-user: root\r\nx-sum: 1\r\n\r\n");
  EXPECT_EQ(world.asked_count(), 0u);
  script.handles[0](filter::Continue());
  EXPECT_EQ(world.asked().content, "a");
  EXPECT_EQ(world.asked().trailers, "x-sum: 1\n");
  world.asked().Answer(200, "");
}

TEST(ExchangeTest, InformationalResponsesPassAsFarAsTheyConcernTheClient) {
  World world;
  world.Say(kGet);
  world.asked().Head(100);
  world.asked().Head(103, {{"link", "</style.css>"}});
  world.asked().Head(101);
  const std::string got = world.Got();
  EXPECT_EQ(Count(got, "HTTP/1.1 1"), 1u) << got;
  EXPECT_TRUE(Has(got, "HTTP/1.1 103 ") && Has(got, "link: </style.css>"));
  world.asked().Answer(200, "x");
  EXPECT_TRUE(Has(world.Got(), "HTTP/1.1 200 OK"));
  EXPECT_EQ(world.Lines(), "GET /a?b=c -> 200");
}

TEST(ExchangeTest, ExpectContinueIsAnsweredHereAndOnlyWhereContentIsWanted) {
  struct Row {
    std::string_view name;
    RuleSpec rule;
    size_t hundreds;
  };
  FilterScript refuses;
  ThenReply(refuses, 403);
  const Row rows[] = {{"forwarded", RuleSpec{}, 1},
                      {"refused", Filtered(refuses), 0},
                      {"direct", Direct(200, "x"), 0},
                      {"no backend", Faulty("gone"), 0}};
  for (const Row& row : rows) {
    World world({row.rule});
    world.Say("POST /a HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n");
    const std::string got = world.Got();
    EXPECT_EQ(Count(got, "HTTP/1.1 100 "), row.hundreds) << row.name;
    if (row.hundreds == 0) {
      EXPECT_EQ(Count(got, "HTTP/1.1 "), 1u) << row.name << got;
      EXPECT_EQ(Count(got, "connection: close"), 1u) << row.name << "its content may come or not";
      EXPECT_EQ(world.asked_count(), 0u);
      continue;
    }
    EXPECT_EQ(world.asked().Field("expect"), "(none)");
    EXPECT_FALSE(world.asked().expects_continue) << "the origin need not be waited for";
    world.asked().Head(100);
    world.Say("hello");
    EXPECT_TRUE(world.asked().ended);
    world.asked().Answer(200, "x");
    EXPECT_EQ(Count(world.Got(), "HTTP/1.1 "), 1u) << "the origin's 100 is not passed on";
  }
}

TEST(ExchangeTest, AnEarlyAnswerEndsTheExchangeAndTheUploadIsNobodys) {
  for (const bool http2 : {false, true}) {
    World world;
    Client client(world, http2);
    const http::StreamId id = client.Ask("POST", "/a", false, {{"content-length", "1000"}});
    client.Content(id, std::string(400, 'a'), false);
    client.Turn();
    world.asked().Answer(403, "no");
    client.Turn();
    EXPECT_EQ(client.answer(id).status, 403);
    EXPECT_EQ(client.answer(id).content, "no");
    EXPECT_FALSE(world.asked().alive());
    EXPECT_EQ(world.Lines(), "POST /a -> 403");
    EXPECT_EQ(world.records[0].record.received_bytes, 400u);
    client.Content(id, std::string(600, 'a'), true);
    client.Turn();
    EXPECT_EQ(world.asked().content.size(), 400u);
    const http::StreamId next = client.Ask("GET", "/b");
    if (http2) ASSERT_NE(next, 0u);
    client.Turn();
    EXPECT_EQ(world.asked_count(), next == 0 ? 1u : 2u);
  }
}

TEST(ExchangeTest, PipelinedRequestsAreAnsweredInOrderAndOneAtATime) {
  World world;
  world.Say(std::string(kGet) + "GET /second HTTP/1.1\r\nhost: shop.example\r\n\r\n");
  ASSERT_EQ(world.asked_count(), 1u);
  world.asked().Answer(200, "one");
  world.Turn();
  ASSERT_EQ(world.asked_count(), 2u);
  EXPECT_EQ(world.asked().target, "/second");
  world.asked().Answer(200, "two");
  const std::string got = world.Got();
  EXPECT_LT(got.find("one"), got.find("two"));
  EXPECT_EQ(world.Lines(), "GET /a?b=c -> 200; GET /second -> 200");
}

// Whoever pipelines and does not read must not fill our memory with answers.
TEST(ExchangeTest, PipelinedRequestsOfAClientThatDoesNotReadWait) {
  World world({Direct(200, std::string(10'000, 'x'))});
  world.LetWrite(0);
  std::string many;
  for (int i = 0; i < 2000; ++i)
    many += kGet;
  world.Say(many);
  for (int i = 0; i < 20; ++i)
    world.Turn();
  EXPECT_LT(world.records.size(), 100u);
  world.LetWrite(SIZE_MAX);
  for (int i = 0; i < 3000 && world.records.size() < 2000; ++i)
    world.Turn();
  EXPECT_EQ(Count(world.Got(), "HTTP/1.1 200 OK"), 2000u);
}

TEST(ExchangeTest, NoContentSaysNoLength) {
  for (const bool http2 : {false, true}) {
    for (const int status : {204, 304}) {
      World world;
      Client client(world, http2);
      const http::StreamId id = client.Ask("GET", "/a");
      client.Turn();
      world.asked().Head(status, {{"content-length", status == 204 ? "0" : "5"}}, true);
      client.Turn();
      EXPECT_EQ(client.answer(id).status, status) << http2;
      EXPECT_EQ(client.answer(id).Field("content-length"), status == 204 ? "(none)" : "5") << http2;
      EXPECT_TRUE(client.answer(id).ended) << http2;
    }
  }
}

// ---- filters that wait ----

TEST(ExchangeTest, AFilterMayWait) {
  struct Row {
    std::string_view name;
    filter::Verdict verdict;
    int status;
  };
  const Row rows[] = {{"passes", filter::Continue(), 200}, {"denies", filter::ProblemReply(403, "no"), 403}};
  for (const Row& row : rows) {
    FilterScript script;
    ThenWait(script);
    World world({Filtered(script)});
    world.Say(std::string(kPost) + "hello");
    world.Turn(seconds(10));
    EXPECT_EQ(world.Got(), "");
    EXPECT_EQ(world.asked_count(), 0u);
    script.handles[0](row.verdict);
    world.Turn();
    if (row.status == 200) {
      EXPECT_EQ(world.asked().content, "hello");
      EXPECT_TRUE(world.asked().ended);
      world.asked().Answer(200, "");
    }
    EXPECT_TRUE(Has(world.Got(), "HTTP/1.1 " + std::to_string(row.status))) << row.name;
    script.handles[0](row.verdict);  // late: nothing
    EXPECT_EQ(world.records.size(), 1u);
    EXPECT_EQ(script.alive, 0);
  }
}

TEST(ExchangeTest, TheClientMayLeaveWhileAFilterWaits) {
  for (const bool http2 : {false, true}) {
    FilterScript script;
    ThenWait(script);
    World world({Filtered(script)});
    Client client(world, http2);
    const http::StreamId id = client.Ask("GET", "/a");
    client.Turn();
    EXPECT_EQ(script.alive, 1);
    http2 ? client.Reset(id) : world.far->Fail();
    client.Turn();
    EXPECT_EQ(script.alive, 0);
    EXPECT_EQ(world.Lines(), "GET /a -> 0 aborted");
    script.handles[0](filter::Continue());
    world.Turn();
    EXPECT_EQ(world.asked_count(), 0u);
  }
}

TEST(ExchangeTest, AFilterThatAnswersAfterTheDeadlineIsNotHeard) {
  FilterScript script;
  ThenWait(script);
  RuleSpec spec = Filtered(script);
  spec.rule.request_timeout = seconds(3);
  World world({spec});
  world.Say(kGet);
  world.Turn(seconds(4));
  EXPECT_TRUE(Has(world.Got(), "HTTP/1.1 504 "));
  EXPECT_EQ(script.alive, 0);
  script.handles[0](filter::ProblemReply(403, "no"));
  EXPECT_EQ(world.Got(), "");
  EXPECT_EQ(world.Lines(), "GET /a?b=c -> 504 error=http_response_timeout");
}

}  // namespace
}  // namespace portico::downstream
