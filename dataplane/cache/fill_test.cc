#include "dataplane/cache/fill.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "api/base/text.h"
#include "dataplane/cache/world_for_test.h"

namespace portico::cache {
namespace {

using std::chrono::seconds;
using test::FieldList;

const FieldList kFresh = {{"cache-control", "max-age=60"}, {"content-length", "5"}};
const std::string kLong(1'100'000, 'x');
const FieldList kUnknown = {{"cache-control", "max-age=60"}};

// What is stored, and stale.
struct StaleWorld : CacheWorld {
  StaleWorld() {
    Fill("/a", {{"etag", "\"t\""}});
    loop.Turn(seconds(61));
  }
};

// ---- the call ----

// The origin has said all: what the slowest reader does is no matter of its cluster's.
TEST(FillTest, TheCallIsOverWhenTheOriginHasSaidAll) {
  struct Row {
    std::string_view name;
    FieldList fields;
    bool stored;
  };
  const Row rows[] = {
      {"stored", kFresh, true}, {"of an unknown length", kUnknown, true}, {"passed", {{"content-length", "5"}}, false}};
  for (const Row& row : rows) {
    CacheWorld world;
    Client& client = world.Start();
    client.reads = false;
    world.Answer(200, row.fields, "hello");
    EXPECT_FALSE(world.asked().alive()) << row.name;
    EXPECT_EQ(client.Result(), "200 hello") << row.name;
    EXPECT_EQ(client.endpoint, "192.0.2.1:9001") << row.name << ": the facts outlive it";
    EXPECT_EQ(world.store.size(), row.stored ? 1u : 0u) << row.name;
    EXPECT_EQ(world.store.filling_bytes(), 0u) << row.name;
  }
  StaleWorld world;
  Client& client = world.Start();
  world.Answer(304, {{"etag", "\"t\""}}, "");
  EXPECT_EQ(client.Result(), "200 hello");
  EXPECT_FALSE(world.asked().alive()) << "and of a 304";
}

TEST(FillTest, AFailedCallIsOver) {
  CacheWorld world;
  Client& client = world.Start();
  world.asked().Head(200, kFresh);
  world.asked().Content("hel");
  world.loop.Turn();
  world.asked().Fail(call::ErrorKind::kConnectionTerminated);
  world.loop.Turn();
  EXPECT_FALSE(world.asked().alive());
  EXPECT_EQ(client.Result(), "200 hel error");
  EXPECT_EQ(world.store.size(), 0u);
  EXPECT_EQ(world.store.filling_bytes(), 0u);
}

// An incomplete response is never stored, however it ends.
TEST(FillTest, WhatIsNotAsLongAsItSaidIsAnError) {
  for (const std::string_view content : {"hell", "hello!"}) {
    CacheWorld world;
    Client& client = world.Start();
    world.asked().Head(200, kFresh);
    world.asked().Content(content);
    EXPECT_EQ(world.asked().alive(), content.size() < 5) << "what has no room is not kept";
    world.asked().End();
    world.loop.Turn();
    EXPECT_TRUE(client.failed) << content;
    EXPECT_FALSE(world.asked().alive()) << content;
    EXPECT_EQ(world.store.size(), 0u) << content;
  }
}

// W3C Trace Context: each attempt is a span of its own, of the exchange whose call this is.
TEST(FillTest, ItsOriginHearsTheSpan) {
  CacheWorld world;
  call::Spans spans(0xf0);
  char unused[call::kSpanDigits];
  world.ask_span = {&spans, unused};
  world.Start("/a", {.fields = {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-00000000000000f0-01"}}});
  EXPECT_EQ(world.asked().Field("traceparent"), "00-0af7651916cd43dd8448eb211c80319c-00000000000000f1-01");
  world.Answer(200, kFresh, "hello");
}

// ---- 304 ----

// An origin that answers 304 whatever it is asked is asked once more, and no oftener.
TEST(FillTest, A304ToAPlainRequestIsAnError) {
  StaleWorld world;
  Client& client = world.Start();
  world.Answer(304, {{"etag", "\"other\""}}, "");
  ASSERT_EQ(world.asked_count(), 3u);
  EXPECT_EQ(world.asked().Field("if-none-match"), "(none)");
  world.Answer(304, {{"etag", "\"other\""}}, "");
  EXPECT_EQ(world.asked_count(), 3u);
  EXPECT_TRUE(client.failed);
  EXPECT_EQ(world.worker.fills(), 0u);
}

// And one to a client's own conditions is that client's.
TEST(FillTest, A304ToTheClientsConditionsIsPassed) {
  CacheWorld world;
  Client& client = world.Start("/a", {.fields = {{"if-none-match", "\"theirs\""}}});
  world.Answer(304, {{"cache-control", "max-age=60"}}, "");
  EXPECT_EQ(client.Result(), "304");
  EXPECT_EQ(world.store.size(), 0u);
}

// What is purged while the origin is asked about it does not come back, neither to the store nor to who asked.
TEST(FillTest, APurgedResponseDoesNotComeBack) {
  StaleWorld world;
  Client& client = world.Start();
  world.Purge();
  world.Answer(304, {{"etag", "\"t\""}}, "");
  ASSERT_EQ(world.asked_count(), 3u) << "asked for plainly";
  EXPECT_EQ(world.asked().Field("if-none-match"), "(none)");
  world.Answer(200, kFresh, "newer");
  EXPECT_EQ(client.Result(), "200 newer");
  EXPECT_EQ(world.store.size(), 0u) << "it was asked for before";
}

// ---- storing ----

TEST(FillTest, WhatIsPurgedOnItsWayIsNotStored) {
  struct Row {
    std::string_view name;
    bool head, content;
  };
  for (const Row& row : {Row{"before the head", false, false}, Row{"after it", true, false}, Row{"late", true, true}}) {
    CacheWorld world;
    Client& client = world.Start();
    if (!row.head) world.Purge();
    world.asked().Head(200, kFresh);
    world.loop.Turn();
    if (row.head && !row.content) world.Purge();
    world.asked().Content("hello");
    world.loop.Turn();
    if (row.content) world.Purge();
    world.asked().End();
    world.loop.Turn();
    EXPECT_EQ(client.Result(), "200 hello") << row.name;
    EXPECT_EQ(world.store.size(), 0u) << row.name;
  }
}

TEST(FillTest, WhatIsSaidOfTheRequestIsNotStored) {
  struct Row {
    std::string_view name;
    FieldList request;
    int status;
    bool stored;
  };
  const Row rows[] = {
      {"the whole for a range", {{"range", "bytes=0-0"}}, 200, true},
      {"the whole for a condition", {{"if-none-match", "\"x\""}}, 200, true},
      {"not satisfiable", {{"range", "bytes=9-"}}, 416, false},
      {"a failure of a range", {{"range", "bytes=9-"}}, 500, false},
      {"a failed condition", {{"if-none-match", "\"x\""}}, 412, false},
      {"too many fields", {{"x", "y"}}, 431, false},
      {"a bad request", {}, 400, false},
      {"not found", {}, 404, true},
  };
  for (const Row& row : rows) {
    CacheWorld world;
    Client& client = world.Start("/a", {.fields = row.request});
    world.Answer(row.status, kFresh, "hello");
    EXPECT_TRUE(client.ended) << row.name;
    EXPECT_EQ(world.store.size(), row.stored ? 1u : 0u) << row.name;
  }
}

// Of many who fetch the same each for itself, one keeps it: the others take no room.
TEST(FillTest, WhatIsFetchedTwiceTakesRoomOnce) {
  CacheWorld world;
  const FieldList large = {{"cache-control", "max-age=60"}, {"content-length", "100000"}};
  Client& first = world.Start();
  std::vector<Client*> others;
  for (int i = 0; i < 10; ++i)
    others.push_back(&world.Start("/a", {.fields = {{"cache-control", "no-cache"}}}));
  ASSERT_EQ(world.asked_count(), 11u);
  for (const auto& one : world.origin->asked)
    one->Head(200, large);
  world.loop.Turn();
  EXPECT_GE(world.store.filling_bytes(), 100'000u);
  EXPECT_LT(world.store.filling_bytes(), 200'000u);
  for (const auto& one : world.origin->asked) {
    one->Content(std::string(100'000, 'x'));
    one->End();
  }
  for (int i = 0; i < 20; ++i)
    world.loop.Turn();
  EXPECT_EQ(first.content.size(), 100'000u);
  for (const Client* other : others)
    EXPECT_EQ(other->content.size(), 100'000u);
  EXPECT_EQ(world.store.size(), 1u);
}

// Who goes alone keeps what it gets if nobody else does, and who comes then joins it.
TEST(FillTest, WhoGoesAloneMayKeepIt) {
  CacheWorld world;
  world.Start();
  world.Answer(503, {}, "later");
  Client& alone = world.Start();
  world.asked().Head(200, kFresh);
  world.loop.Turn();
  Client& joins = world.Start();
  EXPECT_EQ(world.asked_count(), 2u);
  world.asked().Content("hello");
  world.asked().End();
  world.loop.Turn();
  EXPECT_EQ(alone.Result(), "200 hello");
  EXPECT_EQ(joins.Result(), "200 hello");
  EXPECT_EQ(world.store.size(), 1u);
}

TEST(FillTest, WhatIsOnItsWayInIsBounded) {
  CacheWorld world;
  world.store.set_bytes_max(100'000);
  const FieldList fresh = {{"cache-control", "max-age=60"}, {"content-length", "20000"}};
  for (int i = 0; i < 4; ++i) {
    world.Start(base::Concat("/", i));
    world.asked().Head(200, fresh);
    world.loop.Turn();
  }
  EXPECT_LE(world.store.filling_bytes(), 50'000u);
  for (int i = 0; i < 4; ++i) {
    world.origin->asked[static_cast<size_t>(i)]->Content(std::string(20'000, 'x'));
    world.origin->asked[static_cast<size_t>(i)]->End();
    world.loop.Turn();
    EXPECT_EQ(world.clients[static_cast<size_t>(i)]->content.size(), 20'000u) << i << ": stored or not";
  }
  EXPECT_EQ(world.store.size(), 2u);
}

TEST(FillTest, WhatHasNoRoomTakesNone) {
  CacheWorld world;
  world.store.set_bytes_max(60'000);
  shared::ByteHold others = world.store.NewHold();
  ASSERT_TRUE(world.store.Grow(others, 50'000));
  Client& client = world.Start();
  world.asked().Head(200, {{"cache-control", "max-age=60"}, {"content-length", "20000"}});
  world.loop.Turn();
  EXPECT_EQ(world.store.filling_bytes(), 0u);
  EXPECT_EQ(world.store.bytes(), 50'000u);
  world.asked().Content(std::string(20'000, 'x'));
  world.asked().End();
  world.loop.Turn();
  EXPECT_EQ(client.content.size(), 20'000u);
}

// What was kept until it was too much is a slow client's alone: it stays counted as on its way, so that many of those
// have half of the memory at most. And nobody waits for the next one.
TEST(FillTest, WhatTurnsOutTooLong) {
  CacheWorld world;
  const Ask ask{.policy = CachePolicy{.stores = true, .content_bytes_max = 200'000}};
  Client& slow = world.Start("/a", ask);
  slow.reads = false;
  world.asked().Head(200, kUnknown);
  for (int i = 0; i < 3; ++i) {
    world.asked().Content(std::string(90'000, 'x'));
    world.loop.Turn();
  }
  EXPECT_GE(world.store.filling_bytes(), 180'000u);
  world.Start("/a", ask);
  world.Start("/a", ask);
  EXPECT_EQ(world.asked_count(), 3u);
  slow.Leave();
  slow.kept.clear();
  world.loop.Turn();
  EXPECT_EQ(world.store.filling_bytes(), 0u);
  EXPECT_EQ(world.store.bytes(), 0u);
}

// What is asked in the place of what is stored is newer, whatever its origin's clock says; of two that know nothing of
// each other the later date counts.
TEST(FillTest, AnOlderAnswerDoesNotReplaceANewerOne) {
  const FieldList older = {
      {"cache-control", "max-age=60"}, {"content-length", "5"}, {"date", "Thu, 01 Jan 1970 00:00:00 GMT"}};
  {
    CacheWorld world;
    world.Start();
    world.asked().Head(200, older);  // and then for long nothing
    world.loop.Turn();
    test::Asked& slow = world.asked();
    world.Start("/a", {.other_worker = true});
    world.loop.Turn(seconds(2));
    world.Answer(200, kFresh, "newer");
    slow.Content("older");
    slow.End();
    world.loop.Turn();
    EXPECT_EQ(world.Start().Result(), "200 newer");
  }
  CacheWorld world;
  world.loop.Turn(seconds(2));
  world.Fill();
  world.Start("/a", {.fields = {{"cache-control", "no-cache"}}});
  world.Answer(200, older, "again");
  EXPECT_EQ(world.Start().Result(), "200 again");
}

// Who asks for what had trailers the last time does not wait for it.
TEST(FillTest, WhatHasTrailersIsNotWaitedFor) {
  CacheWorld world;
  world.Start();
  world.asked().Head(200, kUnknown);
  world.asked().Content("hello");
  world.asked().Trailers({{"x", "1"}});
  world.asked().End();
  world.loop.Turn();
  EXPECT_EQ(world.worker.unstorable(), 1u);
  world.Start();
  world.Start();
  EXPECT_EQ(world.asked_count(), 3u);
}

// What is stored is fresh, somebody asks for a newer one, and that can't be stored: the older one is given no more.
TEST(FillTest, ANewerAnswerThatIsNotStoredTakesTheOlderOut) {
  struct Row {
    std::string_view name;
    int status;
    FieldList response;
    bool stays;
    FieldList request = {};
    std::string_view content = "newer";
    bool trailers = false;
  };
  const FieldList no_store = {{"cache-control", "no-store"}}, etag = {{"etag", "\"t\""}};
  const Row rows[] = {
      {"forbidden now", 200, no_store, false},
      {"says nothing", 200, {}, false},
      {"gone, and says nothing", 404, {}, false},
      {"another's alone", 200, {{"cache-control", "max-age=60"}, {"set-cookie", "a=b"}}, false},
      {"too long", 200, {{"cache-control", "max-age=60"}, {"content-length", "2000000"}}, false},
      {"trailers", 200, kUnknown, false, {}, "newer", true},
      {"turns out too long", 200, kUnknown, false, {}, std::string_view(kLong)},
      {"holds, and is not to be kept", 304, {{"etag", "\"t\""}, {"cache-control", "no-store"}}, false, {}, ""},
      {"an origin fails", 503, no_store, true},
      {"about one request", 429, no_store, true},
      {"to who is authorized", 200, no_store, true, {{"authorization", "x"}}},
      {"of the request's own accord", 200, kFresh, true, {{"cache-control", "no-store"}}},
  };
  for (const Row& row : rows) {
    CacheWorld world;
    world.Fill("/a", etag);
    FieldList request = row.request;
    if (request.empty() || request[0].first != "cache-control") request.emplace_back("cache-control", "no-cache");
    world.Start("/a", {.fields = request});
    ASSERT_EQ(world.asked_count(), 2u) << row.name;
    world.asked().Head(row.status, row.response, row.content.empty());
    world.asked().Content(row.content);
    if (row.trailers) world.asked().Trailers({{"x", "1"}});
    world.asked().End();
    world.loop.Turn();
    EXPECT_EQ(world.store.size(), row.stays ? 1u : 0u) << row.name;
  }
}

// By a default: a caller with a cookie is one whom the stored one is not for.
TEST(FillTest, WhoseAnswerIsPersonalTakesNothingOut) {
  CacheWorld world;
  const CachePolicy policy{.stores = true, .default_ttl = seconds(60)};
  world.Start("/a", {.policy = policy});
  world.Answer(200, {{"content-length", "5"}}, "hello");
  ASSERT_EQ(world.store.size(), 1u);
  Client& caller = world.Start("/a", {.fields = {{"cookie", "a=b"}}, .policy = policy});
  world.Answer(200, {{"content-length", "5"}}, "yours");
  EXPECT_EQ(caller.Result(), "200 yours");
  EXPECT_EQ(world.Start("/a", {.policy = policy}).Result(), "200 hello");
  EXPECT_EQ(world.asked_count(), 2u);
}

// Other variants stay.
TEST(FillTest, OnlyTheOlderOneIsTakenOut) {
  CacheWorld world;
  const Ask one{.fields = {{"x", "1"}}}, other{.fields = {{"x", "2"}}};
  world.Fill("/a", {{"vary", "x"}}, one);
  world.Fill("/a", {{"vary", "x"}}, other);
  world.Start("/a", {.fields = {{"x", "1"}, {"cache-control", "no-cache"}}});
  world.Answer(200, {{"cache-control", "no-store"}, {"content-length", "5"}}, "newer");
  EXPECT_EQ(world.Start("/a", other).Result(), "200 hello");
  EXPECT_EQ(world.asked_count(), 3u);
  world.Start("/a", one);
  EXPECT_EQ(world.asked_count(), 4u);
}

// ---- bounded ----

TEST(FillTest, WhatCouldNotBeStoredIsForgottenWhenItIsTooMuch) {
  CacheWorld world;
  const http::RequestHead head{world.NewClient("/", {})->arena};
  const Identity identity({}, head);
  for (size_t i = 0; i < WorkerCache::kUnstorableMax; ++i)
    world.worker.NoteUnstorable(base::Concat("http://shop.example/", i), identity);
  EXPECT_EQ(world.worker.unstorable(), WorkerCache::kUnstorableMax);
  EXPECT_TRUE(world.worker.IsUnstorable("http://shop.example/0", identity));
  world.worker.NoteUnstorable("http://shop.example/x", identity);
  EXPECT_EQ(world.worker.unstorable(), 1u);
  world.worker.ForgetUnstorable("http://shop.example/x", identity);
  EXPECT_EQ(world.worker.unstorable(), 0u);
}

}  // namespace
}  // namespace portico::cache
