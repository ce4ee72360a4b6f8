#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "dataplane/cache/policy.h"
#include "dataplane/cache/store.h"
#include "dataplane/downstream/cache_world_for_test.h"

namespace portico::downstream {
namespace {

using namespace test;  // World and its words
using std::chrono::milliseconds;
using std::chrono::seconds;

// ---- identical requests in flight ----

TEST(ExchangeCacheTest, IdenticalRequestsAreMadeOnce) {
  CacheWorld world;
  const http::StreamId first = world.Ask(), second = world.Ask(), third = world.Ask("/a", {{"range", "bytes=1-1"}});
  EXPECT_EQ(world.asked_count(), 2u) << "who asks for less goes by itself";
  Asked& shared = *world.origin().asked[0];
  shared.Head(200, kFresh);
  shared.Content("he");
  EXPECT_EQ(world.Result(first), "200 he open");
  EXPECT_EQ(world.Result(second), "200 he open") << "its length is known: as it comes";
  shared.Content("llo");
  shared.End();
  EXPECT_EQ(world.Result(first), "200 hello");
  EXPECT_EQ(world.Result(second), "200 hello");
  EXPECT_EQ(world.Of(second).Field("cache-status"), "portico; fwd=uri-miss; stored; collapsed");
  EXPECT_EQ(world.Of(second).Field("age"), "0");
  EXPECT_EQ(world.LastOutcome(), "collapsed");
  world.Answers(206, {{"content-range", "bytes 1-1/5"}}, "e");
  EXPECT_EQ(world.Result(third), "206 e");
}

TEST(ExchangeCacheTest, WhoAsksLaterJoinsWhatIsOnItsWay) {
  CacheWorld world;
  const http::StreamId first = world.Ask();
  world.asked().Head(200, kFresh);
  world.asked().Content("hel");
  world.client.Turn();
  const http::StreamId second = world.Ask();
  EXPECT_EQ(world.Result(second), "200 hel open");
  world.asked().Content("lo");
  world.asked().End();
  EXPECT_EQ(world.Result(first), "200 hello");
  EXPECT_EQ(world.Result(second), "200 hello");
  EXPECT_EQ(world.asked_count(), 1u);
}

TEST(ExchangeCacheTest, WhatMayNotBeSharedReleasesAllAtOnce) {
  struct Row {
    std::string_view name;
    FieldList response;
    int status = 200;
  };
  const Row rows[] = {{"no-store", {{"cache-control", "no-store"}}},
                      {"a cookie", With(kFresh, {{"set-cookie", "a=b"}})},
                      {"a failure", {}, 503},
                      {"vary", With(kFresh, {{"vary", "x-who"}})}};
  for (const Row& row : rows) {
    CacheWorld world;
    std::vector<http::StreamId> ids;
    for (const char* who : {"0", "1", "2"})
      ids.push_back(world.Ask("/a", {{"x-who", who}}));
    ASSERT_EQ(world.asked_count(), 1u) << row.name;
    world.asked().Head(row.status, row.response);
    world.client.Turn();
    ASSERT_EQ(world.asked_count(), 3u) << row.name << ": each by itself, none after the other";
    for (size_t i = 0; i < ids.size(); ++i) {
      Asked& own = *world.origin().asked[i];
      if (i > 0) own.Head(200, row.response);
      own.Content(base::Concat("for ", own.Field("x-who")));
      own.End();
      EXPECT_TRUE(world.Of(ids[i]).content == base::Concat("for ", i)) << row.name << world.Result(ids[i]);
    }
  }
}

// Once it is known that a URI can't be stored nobody waits for another, for a while.
TEST(ExchangeCacheTest, WhatCouldNotBeStoredIsNotWaitedFor) {
  CacheWorld world;
  world.Ask();
  world.Answers(200, {{"cache-control", "no-store"}}, "one");
  world.Ask();
  world.Ask();
  EXPECT_EQ(world.asked_count(), 3u);
  world.asked().Answer(200, "x");
  world.origin().asked[1]->Answer(200, "x");
  world.Pass(seconds(11));
  world.Ask();
  world.Ask();
  EXPECT_EQ(world.asked_count(), 4u) << "after it: again";
  world.Answers(200, kFresh, "hello");
}

TEST(ExchangeCacheTest, ALeaderThatLeavesLeavesTheFillToTheOthers) {
  struct Row {
    std::string_view name;
    bool head, content;
  };
  for (const Row& row :
       {Row{"before the head", false, false}, Row{"before content", true, false}, Row{"within content", true, true}}) {
    CacheWorld world;
    const http::StreamId leader = world.Ask(), follower = world.Ask();
    Asked& call = world.asked();
    if (row.head) call.Head(200, kFresh);
    if (row.content) call.Content("hel");
    world.client.Turn();
    world.client.Reset(leader);
    world.client.Turn();
    EXPECT_TRUE(call.alive()) << row.name;
    if (!row.head) call.Head(200, kFresh);
    call.Content(row.content ? "lo" : "hello");
    call.End();
    EXPECT_EQ(world.Result(follower), "200 hello") << row.name;
    EXPECT_EQ(world.Result(world.Ask()), "200 hello") << row.name;
    EXPECT_EQ(world.asked_count(), 1u) << row.name;
  }
}

TEST(ExchangeCacheTest, AFillWithoutReadersEnds) {
  CacheWorld world;
  const http::StreamId leader = world.Ask(), follower = world.Ask();
  world.asked().Head(200, kFresh);
  world.client.Turn();
  world.client.Reset(follower);
  world.client.Turn();
  EXPECT_TRUE(world.asked().alive());
  world.client.Reset(leader);
  world.client.Turn();
  EXPECT_FALSE(world.asked().alive());
  EXPECT_EQ(world.worker_cache.fills(), 0u);
  EXPECT_EQ(world.store->bytes(), 0u);
}

TEST(ExchangeCacheTest, ALeaderThatLeftAndAResponseForNobodyElse) {
  CacheWorld world;
  const http::StreamId leader = world.Ask(), follower = world.Ask();
  world.client.Reset(leader);
  world.client.Turn();
  world.asked().Head(200, {{"cache-control", "private"}});
  world.client.Turn();
  ASSERT_EQ(world.asked_count(), 2u);
  EXPECT_FALSE(world.origin().asked[0]->alive()) << "nobody reads it";
  world.Answers(200, {}, "mine");
  EXPECT_EQ(world.Result(follower), "200 mine");
}

TEST(ExchangeCacheTest, AnOriginThatDiesInAFill) {
  struct Row {
    std::string_view name;
    bool head;
  };
  for (const Row& row : {Row{"before the head", false}, Row{"within content", true}}) {
    CacheWorld world;
    const http::StreamId leader = world.Ask(), follower = world.Ask();
    if (row.head) world.asked().Head(200, kFresh);
    if (row.head) world.asked().Content("hel");
    world.client.Turn();
    world.asked().Fail(call::ErrorKind::kConnectionTerminated);
    world.client.Turn();
    EXPECT_EQ(world.store->size(), 0u) << row.name;
    if (row.head) {
      EXPECT_TRUE(world.Of(leader).reset && world.Of(follower).reset) << row.name;
      EXPECT_EQ(world.store->bytes(), 0u);
      continue;
    }
    EXPECT_EQ(world.Of(leader).status, 502) << row.name;
    ASSERT_EQ(world.asked_count(), 2u) << "the other tries by itself";
    world.Answers(200, kFresh, "hello");
    EXPECT_EQ(world.Result(follower), "200 hello");
  }
}

// ---- content whose length nobody knows ----

TEST(ExchangeCacheTest, ContentOfUnknownLengthIsWaitedForWhole) {
  CacheWorld world;
  const http::StreamId leader = world.Ask(), follower = world.Ask();
  world.asked().Head(200, {{"cache-control", "max-age=60"}});
  world.asked().Content("hel");
  EXPECT_EQ(world.Result(leader), "200 hel open");
  EXPECT_EQ(world.Result(follower), "0 open");
  world.asked().Content("lo");
  world.asked().End();
  EXPECT_EQ(world.Result(leader), "200 hello");
  EXPECT_EQ(world.Result(follower), "200 hello");
  EXPECT_EQ(world.Of(follower).Field("content-length"), "5");
  EXPECT_EQ(world.asked_count(), 1u);
}

TEST(ExchangeCacheTest, AStreamWithoutAnEndIsNotWaitedForLong) {
  CacheWorld world;
  const http::StreamId leader = world.Ask(), follower = world.Ask();
  world.asked().Head(200, {{"cache-control", "max-age=60"}});
  world.asked().Content("tick");
  world.client.Turn();
  world.Pass(milliseconds(1900));
  EXPECT_EQ(world.asked_count(), 1u);
  world.Pass(milliseconds(200));
  world.client.Turn();
  ASSERT_EQ(world.asked_count(), 2u);
  world.Answers(200, kFresh, "mine!");
  EXPECT_EQ(world.Result(follower), "200 mine!");
  world.origin().asked[0]->End();
  EXPECT_EQ(world.Result(leader), "200 tick");
}

TEST(ExchangeCacheTest, ContentThatTurnsOutTooLongIsStreamedAndNotStored) {
  CacheWorld world({Cached({.content_bytes_max = 1000})});
  const http::StreamId leader = world.Ask(), follower = world.Ask();
  Asked& call = world.asked();
  call.Head(200, {{"cache-control", "max-age=60"}});
  call.Content(std::string(600, 'a'));
  world.client.Turn();
  call.Content(std::string(600, 'b'));
  world.client.Turn();
  ASSERT_EQ(world.asked_count(), 2u) << "the other is released";
  call.Content(std::string(10, 'c'));
  call.End();
  EXPECT_EQ(world.Of(leader).content, std::string(600, 'a') + std::string(600, 'b') + std::string(10, 'c'));
  EXPECT_TRUE(world.Of(leader).ended);
  world.Answers(200, kFresh, "other");
  EXPECT_EQ(world.Result(follower), "200 other");
}

TEST(ExchangeCacheTest, TrailersGoToWhoReadsAndAreNotStored) {
  CacheWorld world;
  const http::StreamId leader = world.Ask(), follower = world.Ask();
  world.asked().Head(200, kFresh);
  world.client.Turn();
  world.asked().Content("hello");
  world.asked().Trailers({{"x-sum", "1"}});
  world.asked().End();
  for (const http::StreamId id : {leader, follower}) {
    EXPECT_EQ(world.Result(id), "200 hello");
    EXPECT_EQ(world.Of(id).trailers, "x-sum: 1\n");
  }
  EXPECT_EQ(world.store->size(), 0u);
}

TEST(ExchangeCacheTest, InformationalResponsesAreTheLeaders) {
  CacheWorld world;
  const http::StreamId leader = world.Ask(), follower = world.Ask();
  world.asked().Head(103, {{"link", "</a.css>"}});
  world.client.Turn();
  world.Answers(200, kFresh, "hello");
  EXPECT_EQ(world.Of(leader).informational, std::vector<int>{103});
  EXPECT_TRUE(world.Of(follower).informational.empty());
  EXPECT_EQ(world.Result(leader), "200 hello");
}

// ---- clients that leave, and that do not read ----

TEST(ExchangeCacheTest, AClientThatLeavesWhileItIsGivenAHit) {
  CacheWorld world({Cached({.content_bytes_max = 10'000'000})});
  const std::string large(4'000'000, 'x');
  world.Ask();
  world.Answers(200, {{"cache-control", "max-age=60"}, {"content-length", std::to_string(large.size())}}, large);
  world.client.reads = [](http::StreamId) { return false; };
  const http::StreamId id = world.Ask();
  EXPECT_GT(world.Of(id).content.size(), 0u);
  EXPECT_LT(world.Of(id).content.size(), 1'000'000u) << "no more than its window is given";
  world.client.Reset(id);
  world.client.Turn();
  EXPECT_EQ(world.records.back().cache, "hit");
  EXPECT_TRUE(world.records.back().record.aborted);
}

// The store is filled as fast as the origin is, whoever waits for it; the slow client's share is the store's.
TEST(ExchangeCacheTest, ASlowLeaderHoldsNobodyBack) {
  CacheWorld world({Cached({.content_bytes_max = 10'000'000})});
  const std::string large(4'000'000, 'x');
  const http::StreamId leader = world.Ask();
  world.client.reads = [leader](http::StreamId id) { return id != leader; };
  Asked& call = world.asked();
  call.Head(200, {{"cache-control", "max-age=60"}, {"content-length", std::to_string(large.size())}});
  call.Content(large);
  world.client.Turn();
  EXPECT_EQ(call.consumed, large.size());
  call.End();
  EXPECT_LT(world.Of(leader).content.size(), 1'000'000u);
  const http::StreamId other = world.Ask();
  for (int i = 0; i < 40; ++i)
    world.client.Turn();
  EXPECT_EQ(world.Of(other).content, large);
  EXPECT_EQ(world.asked_count(), 1u);
  world.client.Reset(leader);
}

// What may not be stored takes the relay's road: no more of it is here than windows have room.
TEST(ExchangeCacheTest, WhatPassesIsHeldBackByASlowClient) {
  CacheWorld world({Cached({.content_bytes_max = 100})});
  world.client.reads = [](http::StreamId) { return false; };
  const http::StreamId id = world.Ask();
  Asked& call = world.asked();
  call.Head(200, {{"cache-control", "max-age=60"}});
  for (int i = 0; i < 100; ++i) {
    call.Content(std::string(16'000, 'x'));
    world.client.Turn();
  }
  EXPECT_LT(call.consumed, 900'000u);
  EXPECT_LT(world.store->bytes(), 4'000u) << "of what was kept its head alone is left";
  world.client.Reset(id);
  world.client.Turn();
  EXPECT_FALSE(call.alive());
}

TEST(ExchangeCacheTest, ADeadlineEndsAWaitForAnother) {
  RuleSpec spec = Cached();
  spec.rule.request_timeout = seconds(3);
  CacheWorld world({spec});
  const http::StreamId leader = world.Ask();
  world.Pass(seconds(2));
  const http::StreamId follower = world.Ask();
  world.Pass(milliseconds(1100));
  EXPECT_EQ(world.Of(leader).status, 504);
  EXPECT_TRUE(world.asked().alive()) << "the other still waits for it";
  world.Pass(seconds(2));
  EXPECT_EQ(world.Of(follower).status, 504);
  EXPECT_FALSE(world.asked().alive());
}

// ---- bounded, invalidated, purged ----

TEST(ExchangeCacheTest, WhatHasNoRoomIsNotStored) {
  CacheWorld world;
  world.store->set_bytes_max(1000);
  world.Store();
  EXPECT_EQ(world.store->size(), 0u);
  EXPECT_EQ(world.store->bytes(), 0u);
  const http::StreamId id = world.Ask();
  world.Answers(200, kFresh, "again");
  EXPECT_EQ(world.Result(id), "200 again");
  EXPECT_EQ(world.Of(id).Field("cache-status"), "portico; fwd=uri-miss");
}

TEST(ExchangeCacheTest, TheLeastRecentlyUsedGivesWay) {
  CacheWorld world;
  const std::string content(10'000, 'x');
  const FieldList fresh = {{"cache-control", "max-age=60"}, {"content-length", "10000"}};
  world.store->set_bytes_max(50'000);
  for (int i = 0; i < 20; ++i) {
    world.Ask(base::Concat("/", i));
    world.Answers(200, fresh, content);
    EXPECT_LE(world.store->bytes(), 50'000u);
  }
  EXPECT_GE(world.store->size(), 3u);
  EXPECT_LE(world.store->size(), 4u);
  EXPECT_EQ(world.store->evictions(), 20 - world.store->size());
  world.Ask("/19");
  EXPECT_EQ(world.asked_count(), 20u) << "the newest is there";
  world.store->set_bytes_max(0);
  EXPECT_EQ(world.store->size(), 0u);
  EXPECT_EQ(world.store->bytes(), 0u);
}

// Section 4.4.
TEST(ExchangeCacheTest, AnUnsafeRequestMakesInvalid) {
  struct Row {
    std::string_view name, method, target;
    int status;
    FieldList response;
    bool invalid;
  };
  const Row rows[] = {
      {"POST", "POST", "/a", 200, {}, true},
      {"DELETE", "DELETE", "/a", 204, {}, true},
      {"a method of nobody", "PURGE", "/a", 200, {}, true},
      {"found elsewhere", "POST", "/a", 303, {}, true},
      {"a client's mistake", "POST", "/a", 404, {}, false},
      {"an origin's, which may have done it", "POST", "/a", 500, {}, true},
      {"another URI", "POST", "/b", 200, {}, false},
      {"its query counts", "POST", "/a?b", 200, {}, false},
      {"location", "POST", "/b", 201, {{"location", "/a"}}, true},
      {"content-location", "PUT", "/b", 200, {{"content-location", "http://shop.example/a"}}, true},
      {"location elsewhere", "POST", "/b", 201, {{"location", "http://other.example/a"}}, false},
      {"OPTIONS is safe", "OPTIONS", "/a", 200, {}, false},
  };
  for (const bool stores : {true, false}) {
    for (const Row& row : rows) {
      // The unsafe request's rule may be another, which stores nothing.
      RuleSpec other = Cached({.rule = "other"});
      if (!stores) other.cache = std::make_shared<const cache::CachePolicy>(cache::CachePolicy{});
      CacheWorld world;
      world.Store();
      world.site.port = MakePort({other}, {});
      world.Ask(row.target, {}, row.method);
      world.Answers(row.status, row.response, "");
      world.site.port = MakePort({Cached()}, {});
      world.Ask();
      EXPECT_EQ(world.asked_count(), row.invalid ? 3u : 2u) << row.name;
      if (row.invalid) world.Answers(200, kFresh, "hello");
    }
  }
}

TEST(ExchangeCacheTest, WhatWasOnItsWayAtAnInvalidationIsNotStored) {
  struct Row {
    std::string_view name;
    std::function<void(CacheWorld&)> act;
  };
  const Row rows[] = {{"an unsafe request",
                       [](CacheWorld& world) {
                         world.Ask("/a", {}, "POST");
                         world.asked().Answer(200, "");
                       }},
                      {"a purge", [](CacheWorld& world) { world.store->Obey({{"default/p", "1", {"", "/"}}}); }},
                      {"a purge of another",
                       [](CacheWorld& world) { world.store->Obey({{"default/p", "1", {"other.example", "/"}}}); }}};
  for (const Row& row : rows) {
    CacheWorld world;
    const http::StreamId before = world.Ask();
    Asked& call = world.asked();
    call.Head(200, kFresh);
    row.act(world);
    const size_t asked = world.asked_count();
    const http::StreamId after = world.Ask();
    EXPECT_EQ(world.asked_count(), asked + 1) << row.name << ": what came before it is not joined";
    call.Content("older");
    call.End();
    EXPECT_EQ(world.Result(before), "200 older") << row.name;
    EXPECT_EQ(world.store->size(), 0u) << row.name;
    world.Answers(200, kFresh, "newer");
    EXPECT_EQ(world.Result(after), "200 newer") << row.name;
    EXPECT_EQ(world.Result(world.Ask()), "200 newer") << row.name;
  }
}

TEST(ExchangeCacheTest, APurgeIsObeyedOnce) {
  CacheWorld world;
  const cache::Purge purge{"default/p", "1", {"shop.example", "/a"}};
  world.Store();
  world.store->Obey({purge});
  EXPECT_EQ(world.store->size(), 0u);
  EXPECT_EQ(world.store->purged(), 1u);
  world.Store();
  world.store->Obey({purge});
  EXPECT_EQ(world.store->size(), 1u) << "the same order";
  cache::Purge later = purge;
  later.at = "2";
  later.scope.path_prefix = "/b";
  world.store->Obey({purge, {"default/q", "1", {"shop.example", "/b"}}, later});
  EXPECT_EQ(world.store->size(), 1u) << "others";
  later.scope.path_prefix = "/a";
  world.store->Obey({later});
  EXPECT_EQ(world.store->size(), 0u) << "given again";
}

TEST(ExchangeCacheTest, ARuleThatStoresNothingCostsNothing) {
  CacheWorld world({RuleSpec{}});
  for (int i = 0; i < 2; ++i) {
    const http::StreamId id = world.Ask();
    world.Answers(200, kFresh, "hello");
    EXPECT_EQ(world.Of(id).Field("cache-status"), "(none)");
    EXPECT_EQ(world.LastOutcome(), "");
  }
  EXPECT_EQ(world.asked_count(), 2u);
}

}  // namespace
}  // namespace portico::downstream
