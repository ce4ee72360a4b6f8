#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string_view>

#include "api/base/text.h"
#include "dataplane/cache/policy.h"
#include "dataplane/cache/store.h"
#include "dataplane/downstream/cache_world_for_test.h"

namespace portico::downstream {
namespace {

using namespace test;  // World and its words
using std::chrono::seconds;

// ---- given again ----

TEST(ExchangeCacheTest, AFreshResponseIsGivenAgain) {
  for (const bool http2 : {false, true}) {
    RuleSpec spec = Cached();
    spec.rule.response_edits = {{{"x-set", "edited"}}, {}, {"cache-control"}};
    CacheWorld world({spec}, http2);
    const http::StreamId first = world.Ask();
    world.Answers(200, With(kFresh, {{"x-origin", "1"}}), "hello");
    EXPECT_EQ(world.Result(first), "200 hello");
    EXPECT_EQ(world.Of(first).Field("cache-status"), "portico; fwd=uri-miss; stored");
    EXPECT_EQ(world.Of(first).Field("age"), "(none)");
    EXPECT_EQ(world.LastOutcome(), "miss");
    world.Pass(seconds(7));
    const http::StreamId second = world.Ask();
    EXPECT_EQ(world.Result(second), "200 hello");
    EXPECT_EQ(world.Of(second).Field("cache-status"), "portico; hit; ttl=53");
    EXPECT_EQ(world.Of(second).Field("age"), "7");
    EXPECT_EQ(world.Of(second).Field("x-origin"), "1");
    EXPECT_EQ(world.Of(second).Field("content-length"), "5");
    EXPECT_EQ(world.Of(second).Field("date"), world.Of(first).Field("date"));
    for (const http::StreamId id : {first, second}) {
      EXPECT_EQ(world.Of(id).Field("x-set"), "edited") << "edits are made of hits too";
      EXPECT_EQ(world.Of(id).Field("cache-control"), "(none)") << "and after it was stored";
    }
    EXPECT_EQ(world.LastOutcome(), "hit");
    EXPECT_EQ(world.records.back().endpoint, "") << "nobody was asked";
    EXPECT_EQ(world.records.back().record.attempts, 0);
    EXPECT_EQ(world.records.back().record.sent_bytes, 5u);
    EXPECT_EQ(world.asked_count(), 1u);
  }
}

TEST(ExchangeCacheTest, WhatIsGivenOfAStoredResponse) {
  struct Row {
    std::string_view name, method;
    FieldList fields;
    std::string_view result, field, value;
  };
  const Row rows[] = {
      {"HEAD", "HEAD", {}, "200", "content-length", "5"},
      {"HEAD has no ranges", "HEAD", {{"range", "bytes=0-0"}}, "200", "content-length", "5"},
      {"HEAD with a condition", "HEAD", {{"if-none-match", "\"t\""}}, "304", "etag", "\"t\""},
      {"not modified", "GET", {{"if-none-match", "\"t\""}}, "304", "content-type", "(none)"},
      {"modified", "GET", {{"if-none-match", "\"u\""}}, "200 hello", "etag", "\"t\""},
      {"a part", "GET", {{"range", "bytes=1-3"}}, "206 ell", "content-range", "bytes 1-3/5"},
      {"the length of a part", "GET", {{"range", "bytes=-2"}}, "206 lo", "content-length", "2"},
      {"several parts", "GET", {{"range", "bytes=0-0,2-2"}}, "200 hello", "content-range", "(none)"},
      {"beyond", "GET", {{"range", "bytes=5-"}}, "416", "content-range", "bytes */5"},
      {"another response's part", "GET", {{"range", "bytes=0-0"}, {"if-range", "\"u\""}}, "200 hello", "age", "1"},
  };
  for (const Row& row : rows) {
    CacheWorld world;
    world.Store({{"etag", "\"t\""}, {"content-type", "text/plain"}});
    world.Pass(seconds(1));
    const http::StreamId id = world.Ask("/a", row.fields, row.method);
    EXPECT_EQ(world.Result(id), row.result) << row.name;
    EXPECT_EQ(world.Of(id).Field(row.field), row.value) << row.name;
    EXPECT_EQ(world.LastOutcome(), "hit") << row.name;
    EXPECT_EQ(world.asked_count(), 1u) << row.name;
  }
}

// What the request says of it (RFC 9111 section 5.2.1), ten seconds after.
TEST(ExchangeCacheTest, TheRequestSaysWhatItTakes) {
  struct Row {
    std::string_view name;
    FieldList fields;
    std::string_view status;  // of the second response; the origin is asked unless it is a hit
  };
  const Row rows[] = {
      {"anything", {}, "portico; hit; ttl=50"},
      {"max-age that it has not", {{"cache-control", "max-age=10"}}, "portico; hit; ttl=50"},
      {"max-age that it has", {{"cache-control", "max-age=9"}}, "portico; fwd=request; stored"},
      {"min-fresh that it has", {{"cache-control", "min-fresh=50"}}, "portico; hit; ttl=50"},
      {"min-fresh that it has not", {{"cache-control", "min-fresh=51"}}, "portico; fwd=request; stored"},
      {"no-cache", {{"cache-control", "no-cache"}}, "portico; fwd=request; stored"},
      {"pragma", {{"pragma", "no-cache"}}, "portico; fwd=request; stored"},
      {"pragma beside cache-control", {{"pragma", "no-cache"}, {"cache-control", "x"}}, "portico; hit; ttl=50"},
      {"no-store", {{"cache-control", "no-store"}}, "portico; fwd=request"},
      {"what can't be read", {{"cache-control", "max-age"}}, "portico; fwd=request"},
      {"a precondition of the origin's", {{"if-match", "*"}}, "portico; fwd=bypass"},
      {"authorization", {{"authorization", "Basic eA=="}}, "portico; fwd=uri-miss"},
      {"only-if-cached", {{"cache-control", "only-if-cached"}}, "portico; hit; ttl=50"},
  };
  for (const Row& row : rows) {
    CacheWorld world;
    world.Store();
    world.Pass(seconds(10));
    const http::StreamId id = world.Ask("/a", row.fields);
    const bool is_hit = row.status.starts_with("portico; hit");
    ASSERT_EQ(world.asked_count(), is_hit ? 1u : 2u) << row.name;
    if (!is_hit) world.Answers(200, kFresh, "again");
    EXPECT_EQ(world.Result(id), is_hit ? "200 hello" : "200 again") << row.name;
    EXPECT_EQ(world.Of(id).Field("cache-status"), row.status) << row.name;
  }
}

TEST(ExchangeCacheTest, OnlyIfCachedIsNeverForwarded) {
  for (const std::string_view method : {"GET", "HEAD"}) {
    CacheWorld world;
    const http::StreamId id = world.Ask("/a", {{"cache-control", "only-if-cached"}}, method);
    EXPECT_EQ(world.Result(id), "504");
    EXPECT_EQ(world.Of(id).Field("cache-status"), "portico; detail=only-if-cached");
    EXPECT_EQ(world.asked_count(), 0u);
  }
}

TEST(ExchangeCacheTest, WhatPassesIsAskedEachTime) {
  struct Row {
    std::string_view name;
    FieldList request, response;
    std::string_view method = "GET";
  };
  const Row rows[] = {
      {"says nothing", {}, {{"content-length", "5"}}},
      {"private", {}, {{"cache-control", "private, max-age=60"}}},
      {"a cookie", {}, With(kFresh, {{"set-cookie", "a=b"}})},
      {"authorization", {{"authorization", "x"}}, kFresh},
      {"too long", {}, {{"cache-control", "max-age=60"}, {"content-length", "2000000"}}},
      {"OPTIONS", {}, kFresh, "OPTIONS"},
      {"HEAD", {}, kFresh, "HEAD"},
  };
  for (const Row& row : rows) {
    CacheWorld world;
    for (size_t i = 1; i <= 2; ++i) {
      const http::StreamId id = world.Ask("/a", row.request, row.method);
      ASSERT_EQ(world.asked_count(), i) << row.name;
      world.asked().Head(200, row.response, row.method == "HEAD");
      if (row.method != "HEAD") world.asked().Content("hello");
      if (row.method != "HEAD") world.asked().End();
      EXPECT_EQ(world.Of(id).content, row.method == "HEAD" ? "" : "hello") << row.name;
    }
    EXPECT_EQ(world.store->size(), 0u) << row.name;
    EXPECT_EQ(world.store->bytes(), 0u) << row.name;
  }
}

TEST(ExchangeCacheTest, VariantsAreKeptApart) {
  CacheWorld world;
  const FieldList vary = {{"vary", "accept-language"}}, german = {{"accept-language", "de"}};
  world.Store(vary);
  const http::StreamId other = world.Ask("/a", german);
  ASSERT_EQ(world.asked_count(), 2u);
  world.Answers(200, With(kFresh, vary), "hallo");
  EXPECT_EQ(world.Of(other).Field("cache-status"), "portico; fwd=vary-miss; stored");
  EXPECT_EQ(world.Result(world.Ask("/a", german)), "200 hallo");
  EXPECT_EQ(world.Result(world.Ask("/a")), "200 hello");
  EXPECT_EQ(world.asked_count(), 2u);
  EXPECT_EQ(world.store->size(), 1u) << "one URI";
}

TEST(ExchangeCacheTest, ContentOfAGetIsTheOriginsMatter) {
  CacheWorld world;
  world.Store();
  const http::StreamId id = world.client.Ask("GET", "/a", false, {{"content-length", "2"}});
  world.client.Content(id, "hi", true);
  world.client.Turn();
  ASSERT_EQ(world.asked_count(), 2u);
  EXPECT_EQ(world.asked().content, "hi");
  world.Answers(200, kFresh, "again");
  EXPECT_EQ(world.Of(id).Field("cache-status"), "portico; fwd=bypass");
  EXPECT_EQ(world.LastOutcome(), "bypass");
  EXPECT_EQ(world.Result(world.Ask()), "200 hello");
}

// What a client calls its scheme is no part of the URI that it asked for; nor what it says of itself without being
// trusted. What a trusted peer says is passed on to the origin, and so kept apart.
TEST(ExchangeCacheTest, TheSchemeIsTheConnections) {
  struct Row {
    std::string_view name, request;
    bool trusted, hit;
  };
  const Row rows[] = {
      {"the same", "GET /a HTTP/1.1\r\nhost: shop.example\r\n\r\n", false, true},
      {"its word", "GET https://shop.example/a HTTP/1.1\r\nhost: shop.example\r\n\r\n", false, true},
      {"a stranger's", "GET /a HTTP/1.1\r\nhost: shop.example\r\nx-forwarded-host: evil.example\r\n\r\n", false, true},
      {"a peer's", "GET /a HTTP/1.1\r\nhost: shop.example\r\nx-forwarded-host: shop.other\r\n\r\n", true, false},
      {"its scheme", "GET /a HTTP/1.1\r\nhost: shop.example\r\nx-forwarded-proto: https\r\n\r\n", true, false},
  };
  for (const Row& row : rows) {
    snapshot::ClientConfig config;
    if (row.trusted) config.forwarding.trusted_networks = {*net::Network4Or6::Parse("192.0.2.0/24")};
    World world({Cached()}, config);
    world.Say("GET /a HTTP/1.1\r\nhost: shop.example\r\n\r\n");
    world.asked().Head(200, kFresh);
    world.asked().Content("hello");
    world.asked().End();
    EXPECT_TRUE(Has(world.Got(), "hello"));
    world.Say(row.request);
    EXPECT_EQ(world.asked_count(), row.hit ? 1u : 2u) << row.name;
    if (!row.hit) world.asked().Answer(200, "other");
    EXPECT_TRUE(Has(world.Got(), row.hit ? "hello" : "other")) << row.name;
  }
}

// ---- state outlives configuration, as far as that still allows it ----

TEST(ExchangeCacheTest, TodaysPolicySaysWhatMayBeGiven) {
  struct Row {
    std::string_view name;
    cache::CachePolicy policy;
    bool is_hit;
  };
  const base::Duration minute = seconds(60);
  const Row rows[] = {
      {"the same", {.stores = true, .rule = "a rule", .default_ttl = minute}, true},
      {"a shorter time, not yet over", {.stores = true, .rule = "a rule", .default_ttl = seconds(11)}, true},
      {"a shorter time, over", {.stores = true, .rule = "a rule", .default_ttl = seconds(10)}, false},
      {"no time any more", {.stores = true, .rule = "a rule"}, false},
      {"shorter contents", {.stores = true, .rule = "a rule", .default_ttl = minute, .content_bytes_max = 4}, false},
      {"callers are asked who they are",
       {.stores = true, .rule = "a rule", .default_ttl = minute, .authenticates = true},
       false},
      {"another rule", {.stores = true, .rule = "another", .default_ttl = minute}, false},
  };
  for (const Row& row : rows) {
    CacheWorld world({Cached({.default_ttl = minute})});
    world.Ask();
    world.Answers(200, {{"content-length", "5"}}, "hello");
    world.Pass(seconds(10));
    RuleSpec next;
    next.cache = std::make_shared<const cache::CachePolicy>(row.policy);
    world.site.port = MakePort({next}, {});
    const http::StreamId id = world.Ask();
    EXPECT_EQ(world.asked_count(), row.is_hit ? 1u : 2u) << row.name;
    if (!row.is_hit) world.Answers(200, {}, "again");
    EXPECT_EQ(world.Result(id), row.is_hit ? "200 hello" : "200 again") << row.name;
  }
}

TEST(ExchangeCacheTest, TwoRulesShareNothing) {
  RuleSpec one = Cached({.rule = "one"}), two = Cached({.rule = "two"});
  two.path = "/two";
  CacheWorld world({one, two});
  world.Store();
  // The same URI by another rule, as a header match would choose it.
  two.path = "/a";
  world.site.port = MakePort({two}, {});
  const http::StreamId id = world.Ask();
  EXPECT_EQ(world.asked_count(), 2u);
  world.Answers(200, kFresh, "other");
  EXPECT_EQ(world.Result(id), "200 other");
  EXPECT_EQ(world.Result(world.Ask()), "200 other");
  world.site.port = MakePort({one}, {});
  EXPECT_EQ(world.Result(world.Ask()), "200 hello") << "both are kept";
  EXPECT_EQ(world.asked_count(), 2u);
}

// ---- stale ----

struct StaleWorld : CacheWorld {
  StaleWorld() {
    Store({{"etag", "\"t\""}, {"x-old", "1"}, {"content-type", "text/plain"}});
    Pass(seconds(61));
  }
};

TEST(ExchangeCacheTest, AStaleResponseIsAskedAbout) {
  StaleWorld world;
  const http::StreamId id = world.Ask("/a", {{"if-none-match", "\"theirs\""}, {"range", "bytes=0-0"}});
  ASSERT_EQ(world.asked_count(), 2u);
  EXPECT_EQ(world.asked().Field("if-none-match"), "\"t\"") << "what we have, not what they have";
  EXPECT_EQ(world.asked().Field("range"), "(none)");
  world.asked().Head(304, {{"etag", "\"t\""}, {"cache-control", "max-age=30"}, {"x-old", "2"}}, true);
  EXPECT_EQ(world.Result(id), "206 h") << "the client's conditions are met from it";
  EXPECT_EQ(world.Of(id).Field("cache-status"), "portico; fwd=stale; fwd-status=304; stored");
  EXPECT_EQ(world.LastOutcome(), "revalidated");
  const http::StreamId again = world.Ask();
  EXPECT_EQ(world.Result(again), "200 hello");
  EXPECT_EQ(world.Of(again).Field("cache-status"), "portico; hit; ttl=30");
  EXPECT_EQ(world.Of(again).Field("x-old"), "2");
  EXPECT_EQ(world.Of(again).Field("content-type"), "text/plain");
  EXPECT_EQ(world.asked_count(), 2u);
}

TEST(ExchangeCacheTest, AChangedResponseTakesTheStaleOnesPlace) {
  StaleWorld world;
  const http::StreamId id = world.Ask();
  world.Answers(200, With(kFresh, {{"etag", "\"u\""}}), "newer");
  EXPECT_EQ(world.Result(id), "200 newer");
  EXPECT_EQ(world.Of(id).Field("cache-status"), "portico; fwd=stale; stored");
  EXPECT_EQ(world.Result(world.Ask()), "200 newer");
  EXPECT_EQ(world.asked_count(), 2u);
}

TEST(ExchangeCacheTest, AStaleResponseIsNeverGivenWithoutItsOriginsWord) {
  struct Row {
    std::string_view name;
    int status;  // 0: the origin fails
    std::string_view result;
  };
  const Row rows[] = {{"a failure is passed on", 503, "503 hello"}, {"no answer", 0, "502"}};
  for (const Row& row : rows) {
    StaleWorld world;
    const http::StreamId id = world.Ask("/a", {{"cache-control", "max-stale"}});
    if (row.status == 0) {
      world.asked().Fail(call::ErrorKind::kConnectionRefused);
    } else {
      world.Answers(row.status, {}, "hello");
    }
    EXPECT_TRUE(world.Result(id).starts_with(row.result)) << row.name << world.Result(id);
    world.Ask();
    EXPECT_EQ(world.asked_count(), 3u) << "and it is asked about again";
    world.asked().Head(304, {{"cache-control", "max-age=1"}}, true);
  }
}

TEST(ExchangeCacheTest, A304AboutAnotherResponseIsNotBelieved) {
  StaleWorld world;
  const http::StreamId id = world.Ask();
  world.asked().Head(304, {{"etag", "\"other\""}}, true);
  ASSERT_EQ(world.asked_count(), 3u);
  EXPECT_EQ(world.asked().Field("if-none-match"), "(none)");
  world.Answers(200, kFresh, "whole");
  EXPECT_EQ(world.Result(id), "200 whole");
}

TEST(ExchangeCacheTest, A304ThatForbidsStoringServesWhoAskedAlone) {
  StaleWorld world;
  const http::StreamId id = world.Ask(), other = world.Ask();
  ASSERT_EQ(world.asked_count(), 2u) << "one asks for both";
  world.asked().Head(304, {{"cache-control", "private"}}, true);
  EXPECT_EQ(world.Result(id), "200 hello");
  ASSERT_EQ(world.asked_count(), 3u);
  world.Answers(200, kFresh, "other");
  EXPECT_EQ(world.Result(other), "200 other");
}

// A client's own conditions where nothing is stored: the origin's answer to them is passed, and not stored.
TEST(ExchangeCacheTest, ConditionsWithoutAStoredResponseArePassed) {
  CacheWorld world;
  const http::StreamId id = world.Ask("/a", {{"if-none-match", "\"theirs\""}});
  EXPECT_EQ(world.asked().Field("if-none-match"), "\"theirs\"");
  world.asked().Head(304, {{"etag", "\"theirs\""}, {"cache-control", "max-age=60"}}, true);
  EXPECT_EQ(world.Result(id), "304");
  const http::StreamId part = world.Ask("/a", {{"range", "bytes=0-0"}});
  EXPECT_EQ(world.asked().Field("range"), "bytes=0-0");
  world.Answers(206, {{"content-range", "bytes 0-0/5"}, {"cache-control", "max-age=60"}}, "h");
  EXPECT_EQ(world.Result(part), "206 h");
  EXPECT_EQ(world.store->size(), 0u);
}

}  // namespace
}  // namespace portico::downstream
