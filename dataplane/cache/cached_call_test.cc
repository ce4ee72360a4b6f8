#include "dataplane/cache/cached_call.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "dataplane/cache/world_for_test.h"

namespace portico::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FieldList;

const FieldList kFresh = {{"cache-control", "max-age=60"}, {"content-length", "5"}};

FieldList Control(std::string_view control) {
  return {{"cache-control", std::string(control)}};
}

FieldList With(FieldList fields, const FieldList& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

// ---- who waits for another's ----

// Is given what it would be given of the same response if that were stored: the origin takes three seconds for its
// head.
TEST(CachedCallTest, WhoWaitsIsGivenWhatItMayHave) {
  struct Row {
    std::string_view name;
    FieldList follower, response;
    bool shared;
  };
  const FieldList length = {{"content-length", "5"}};
  const Row rows[] = {
      {"what is fresh", {}, kFresh, true},
      {"public, for who is authorized", {{"authorization", "x"}}, With(Control("public, max-age=60"), length), true},
      {"for who is not", {{"authorization", "x"}}, kFresh, false},
      {"no-cache of the response", {}, With(Control("no-cache"), With(length, {{"etag", "\"t\""}})), false},
      {"stale at once, with a validator", {}, With(Control("max-age=0"), With(length, {{"etag", "\"t\""}})), false},
      {"stale when it comes", {}, With(Control("max-age=3"), With(length, {{"etag", "\"t\""}})), false},
      {"old enough, by its age", {}, With(kFresh, {{"age", "57"}, {"etag", "\"t\""}}), false},
      {"young enough for max-age", Control("max-age=3"), kFresh, true},
      {"too old for max-age", Control("max-age=2"), kFresh, false},
      {"fresh for long enough", Control("min-fresh=57"), kFresh, true},
      {"not fresh for long enough", Control("min-fresh=58"), kFresh, false},
      {"another variant", {{"x", "1"}}, With(kFresh, {{"vary", "x"}}), false},
  };
  for (const Row& row : rows) {
    CacheWorld world;
    Client& leader = world.Start();
    Client& follower = world.Start("/a", {.fields = row.follower});
    ASSERT_EQ(world.asked_count(), 1u) << row.name;
    world.loop.Turn(seconds(3));
    world.Answer(200, row.response, "hello");
    EXPECT_EQ(leader.Result(), "200 hello") << row.name;
    ASSERT_EQ(world.asked_count(), row.shared ? 1u : 2u) << row.name;
    if (!row.shared) world.Answer(200, {}, "alone");
    EXPECT_EQ(follower.Result(), row.shared ? "200 hello" : "200 alone") << row.name;
    if (row.shared) EXPECT_EQ(follower.Field("age"), "3") << row.name;
  }
}

// What turns out at its end not to be for others, and a 304 that says so.
TEST(CachedCallTest, WhatMayNotBeSharedAfterAllIsTheLeaders) {
  {
    CacheWorld world;
    Client& leader = world.Start();
    Client& follower = world.Start();
    world.asked().Head(200, Control("max-age=60"));
    world.asked().Content("hello");
    world.asked().Trailers({{"x", "1"}});
    world.asked().End();
    world.loop.Turn();
    EXPECT_EQ(leader.Result(), "200 hello");
    ASSERT_EQ(world.asked_count(), 2u);
    world.Answer(200, kFresh, "alone");
    EXPECT_EQ(follower.Result(), "200 alone");
  }
  CacheWorld world;
  world.Fill("/a", {{"etag", "\"t\""}});
  world.loop.Turn(seconds(61));
  Client& leader = world.Start();
  Client& follower = world.Start();
  world.Answer(304, {{"etag", "\"t\""}, {"set-cookie", "a=b"}, {"cache-control", "max-age=60"}}, "");
  EXPECT_EQ(leader.Result(), "200 hello");
  EXPECT_EQ(leader.Field("set-cookie"), "a=b");
  ASSERT_EQ(world.asked_count(), 3u);
  world.Answer(200, kFresh, "alone");
  EXPECT_EQ(follower.Result(), "200 alone");
  EXPECT_EQ(follower.Field("set-cookie"), "(none)");
}

TEST(CachedCallTest, WhoWantsANewOneWaitsForNobody) {
  for (const std::string_view control : {"no-cache", "max-age=0", "no-store", "max-age=x"}) {
    CacheWorld world;
    world.Start();
    world.Start("/a", {.fields = Control(control)});
    EXPECT_EQ(world.asked_count(), 2u) << control;
  }
  for (const std::string_view control : {"no-cache", "max-age=0"}) {
    CacheWorld world;
    world.Start("/a", {.fields = Control(control)});
    EXPECT_EQ(world.worker.fills(), 0u) << control;
    world.Start();
    ASSERT_EQ(world.asked_count(), 2u) << control << ": and nobody for him";
    world.origin->asked[0]->Answer(503, "later");
    world.Answer(200, kFresh, "hello");
    EXPECT_EQ(world.clients[1]->Result(), "200 hello") << control;
  }
  CacheWorld world;
  world.Start();
  EXPECT_EQ(world.Start("/a", {.fields = Control("only-if-cached")}).Result(), "504");
  EXPECT_EQ(world.asked_count(), 1u);
}

// A length that nobody knows is waited for; what has become stale by then is not given.
TEST(CachedCallTest, ASlowDownloadMayBecomeStale) {
  CacheWorld world;
  world.Start();
  Client& follower = world.Start();
  world.asked().Head(200, With(Control("max-age=1"), {{"etag", "\"t\""}}));
  world.asked().Content("hel");
  world.loop.Turn();
  EXPECT_EQ(world.asked_count(), 1u);
  world.loop.Turn(milliseconds(1500));
  world.asked().Content("lo");
  world.asked().End();
  world.loop.Turn();
  ASSERT_EQ(world.asked_count(), 2u);
  world.Answer(200, kFresh, "newer");
  EXPECT_EQ(follower.Result(), "200 newer");
}

TEST(CachedCallTest, AnOriginThatSaysNothingIsNotWaitedForLong) {
  CacheWorld world;
  Client& leader = world.Start();
  world.loop.Turn(seconds(3));
  Client& follower = world.Start();
  world.loop.Turn(milliseconds(9900));
  EXPECT_EQ(world.asked_count(), 1u);
  world.loop.Turn(milliseconds(200));
  ASSERT_EQ(world.asked_count(), 2u);
  world.Answer(200, kFresh, "hello");
  EXPECT_EQ(follower.Result(), "200 hello");
  EXPECT_EQ(leader.Result(), " open");
  world.origin->asked[0]->Answer(200, "late");
  world.loop.Turn();
  EXPECT_EQ(leader.Result(), "200 late");
}

// ---- the process drains ----

// It hears of no purge any more: nothing is given, nobody waits for another, and nothing is kept.
TEST(CachedCallTest, AClosedStoreIsPassedBy) {
  CacheWorld world;
  world.Fill("/stored");
  Client& leader = world.Start();
  Client& follower = world.Start();
  ASSERT_EQ(world.asked_count(), 2u);
  world.store.Close();
  EXPECT_EQ(world.store.size(), 0u);
  world.Answer(200, kFresh, "older");
  EXPECT_EQ(leader.Result(), "200 older");
  ASSERT_EQ(world.asked_count(), 3u) << "who waited goes alone";
  world.Answer(200, kFresh, "alone");
  EXPECT_EQ(follower.Result(), "200 alone");
  world.Start("/stored");
  world.Start("/stored");
  EXPECT_EQ(world.asked_count(), 5u);
  world.Answer(200, kFresh, "hello");
  EXPECT_EQ(world.store.size(), 0u);
}

// ---- a purge between ----

TEST(CachedCallTest, WhatWasFoundBeforeAPurgeIsNotAskedAbout) {
  CacheWorld world;
  world.Fill("/a", {{"etag", "\"t\""}});
  world.loop.Turn(seconds(61));
  world.Start();
  Client& follower = world.Start();  // it, too, has found the stale one
  ASSERT_EQ(world.asked_count(), 2u);
  world.Purge();
  world.Answer(503, {}, "later");
  ASSERT_EQ(world.asked_count(), 3u);
  EXPECT_EQ(world.asked().Field("if-none-match"), "(none)");
  world.Answer(200, kFresh, "newer");
  EXPECT_EQ(follower.Result(), "200 newer");
  EXPECT_EQ(world.Start().Result(), "200 newer") << "which was asked for after it";
}

TEST(CachedCallTest, WhoWaitsOverAPurgeGoesAlone) {
  for (const bool has_head : {false, true}) {
    CacheWorld world;
    Client& leader = world.Start();
    Client& follower = world.Start();
    if (!has_head) world.Purge();
    world.asked().Head(200, Control("max-age=60"));  // of a length that nobody knows
    world.loop.Turn();
    if (has_head) world.Purge();
    world.origin->asked[0]->Content("older");
    world.origin->asked[0]->End();
    world.loop.Turn();
    EXPECT_EQ(leader.Result(), "200 older");
    ASSERT_EQ(world.asked_count(), 2u) << has_head;
    world.Answer(200, kFresh, "newer");
    EXPECT_EQ(follower.Result(), "200 newer");
    EXPECT_EQ(world.Start().Result(), "200 newer");
  }
}

// ---- what is one request ----

TEST(CachedCallTest, WhatIsKeptApart) {
  struct Row {
    std::string_view name;
    Ask ask;
    bool hit;
  };
  const Row rows[] = {
      {"the same", {}, true},
      {"a port that its URI need not have, but which the origin hears", {.authority = "shop.example:80"}, false},
      {"the connection's scheme, not the client's", {.scheme = "https"}, false},
      {"another host", {.authority = "other.example"}, false},
      {"a path that its rule rewrites otherwise", {.rewritten = "/b"}, false},
      {"a scheme that somebody before us vouches for", {.fields = {{"x-forwarded-proto", "https"}}}, false},
      {"and a host", {.fields = {{"x-forwarded-host", "evil.example"}}}, false},
      {"a path that the origin may believe", {.fields = {{"x-original-url", "/admin"}}}, false},
      {"who asks", {.fields = {{"x-forwarded-for", "192.0.2.9"}, {"user-agent", "x"}}}, true},
  };
  for (const Row& row : rows) {
    CacheWorld world;
    world.Fill();
    world.Start("/a", row.ask);
    EXPECT_EQ(world.asked_count(), row.hit ? 1u : 2u) << row.name;
    if (!row.hit) world.Answer(200, {}, "x");
    EXPECT_EQ(world.store.size(), 1u);
  }
}

// What says that it is for another target is nobody's answer but its own: it passes, and leaves nothing.
TEST(CachedCallTest, WhatOverridesItsTargetPasses) {
  struct Row {
    std::string_view name, field;
    bool passes;
  };
  const Row rows[] = {{"another path", "x-original-url", true},
                      {"another method", "x-http-method-override", true},
                      {"as some origins read it", "x_forwarded_host", true},
                      {"what a trusted peer says", "x-forwarded-proto", false}};
  for (const Row& row : rows) {
    CacheWorld world;
    world.Fill("/a", {}, {.fields = {{std::string(row.field), "x"}}});
    EXPECT_EQ(world.clients[0]->Result(), "200 hello") << row.name;
    EXPECT_EQ(world.clients[0]->outcome, row.passes ? "bypass" : "miss") << row.name;
    EXPECT_EQ(world.store.size(), row.passes ? 0u : 1u) << row.name;
  }
}

// While it is on its way, too.
TEST(CachedCallTest, WhatIsKeptApartIsNotJoined) {
  CacheWorld world;
  world.Start();
  world.Start("/a", {.fields = {{"x-forwarded-host", "shop.other"}}});
  EXPECT_EQ(world.asked_count(), 2u);
}

// ---- HEAD ----

TEST(CachedCallTest, Head) {
  CacheWorld world;
  Client& first = world.Start("/a", {.method = "HEAD"});
  world.asked().Head(200, kFresh, true);
  world.loop.Turn();
  EXPECT_EQ(first.Result(), "200");
  EXPECT_EQ(world.store.size(), 0u) << "stores nothing";
  world.Start();
  world.Start("/a", {.method = "HEAD"});
  EXPECT_EQ(world.asked_count(), 3u) << "and waits for nobody";
  world.asked().Head(200, kFresh, true);
  world.origin->asked[1]->Head(200, kFresh);
  world.origin->asked[1]->Content("hello");
  world.origin->asked[1]->End();
  world.loop.Turn();
  Client& hit = world.Start("/a", {.method = "HEAD"});
  EXPECT_EQ(hit.Result(), "200");
  EXPECT_EQ(hit.Field("content-length"), "5");
  EXPECT_EQ(world.asked_count(), 3u);
}

// ---- who leaves ----

TEST(CachedCallTest, WhoLeavesInItsOwnCallback) {
  CacheWorld world;
  for (int i = 0; i < 2; ++i) {
    Client& client = world.Start();
    client.at_end = [&] { client.Leave(); };
    if (i == 0) world.Answer(200, kFresh, "hello");
    world.loop.Turn();
    EXPECT_EQ(client.Result(), "200 hello");
  }
  EXPECT_EQ(world.asked_count(), 1u);
}

// A fill that its leader has just left, as a pipelined request may find it: what comes is another's all the same.
TEST(CachedCallTest, WhoComesWhenTheLeaderLeavesIsNoLeader) {
  CacheWorld world;
  Client& first = world.Start("/a", {.fields = {{"range", "bytes=0-1"}, {"x", "1"}}});
  Client* second = nullptr;
  first.at_end = [&] {
    first.Leave();
    second = &world.Begin("/a", {.fields = {{"x", "2"}}});
  };
  world.asked().Head(200, With(kFresh, {{"vary", "x"}}));
  world.asked().Content("he");
  world.loop.Turn();
  EXPECT_EQ(first.Result(), "206 he");
  ASSERT_NE(second, nullptr);
  ASSERT_EQ(world.asked_count(), 2u);
  EXPECT_EQ(world.asked().Field("x"), "2");
  world.Answer(200, {}, "second");
  EXPECT_EQ(second->Result(), "200 second");
}

TEST(CachedCallTest, WhoLeavesLeavesNothing) {
  struct Row {
    std::string_view name;
    int events;  // of: head, content, end
  };
  for (const Row& row : {Row{"before the head", 0}, Row{"after it", 1}, Row{"within", 2}}) {
    CacheWorld world;
    Client& leader = world.Start();
    Client& follower = world.Start();
    if (row.events > 0) world.asked().Head(200, kFresh);
    if (row.events > 1) world.asked().Content("hel");
    world.loop.Turn();
    leader.Leave();
    world.loop.Turn();
    EXPECT_TRUE(world.asked().alive()) << row.name;
    follower.Leave();
    follower.kept.clear();
    leader.kept.clear();
    world.loop.Turn();
    EXPECT_FALSE(world.asked().alive()) << row.name;
    EXPECT_EQ(world.worker.fills(), 0u) << row.name;
    EXPECT_EQ(world.store.bytes(), 0u) << row.name;
    EXPECT_EQ(world.store.filling_bytes(), 0u) << row.name;
    EXPECT_EQ(world.loop.timers().size(), 0u) << row.name;
  }
}

// ---- unsafe requests ----

// RFC 9111 section 4.4, and what is not known counts as done.
TEST(CachedCallTest, WhatAnUnsafeRequestMakesInvalid) {
  struct Row {
    std::string_view name;
    std::string_view end;  // "STATUS", "error", "leave"
    FieldList response;
    std::string target;
    bool invalid;
    int attempts = 1;
  };
  const Row rows[] = {
      {"done", "200", {}, "/a", true},
      {"refused", "404", {}, "/a", false},
      {"refused, the second time", "404", {}, "/a", true, 2},
      {"its origin failed", "500", {}, "/a", true},
      {"or has no time", "503", {}, "/a", true},
      {"somebody between had no answer", "504", {}, "/a", true},
      {"or a bad one", "502", {}, "/a", true},
      {"no answer", "error", {}, "/a", true},
      {"the client does not wait for it", "leave", {}, "/a", true},
      {"another URI", "error", {}, "/b", false},
      {"location", "201", {{"location", "/a"}}, "/b", true},
      {"content-location", "200", {{"content-location", "https://shop.example/a"}}, "/b", true},
      {"location of a failure", "404", {{"location", "/a"}}, "/b", false},
      {"location elsewhere", "201", {{"location", "http://other.example/a"}}, "/b", false},
  };
  for (const std::string_view method : {"POST", "DELETE", "PUT"}) {
    for (const Row& row : rows) {
      CacheWorld world;
      world.Fill();
      Client& client = world.Start(row.target, {.method = std::string(method)});
      EXPECT_EQ(world.store.size(), 1u) << "not before";
      world.asked().attempts = row.attempts;
      if (row.end == "error") {
        world.asked().Fail(call::ErrorKind::kConnectionTerminated);
      } else if (row.end == "leave") {
        client.Leave();
      } else {
        world.asked().Head(std::stoi(std::string(row.end)), row.response, true);
      }
      world.loop.Turn();
      EXPECT_EQ(world.store.size(), row.invalid ? 0u : 1u) << method << " " << row.name;
    }
  }
}

// An origin may answer early and commit later: what was stored between the head and the end goes at the end.
TEST(CachedCallTest, AnEarlyAnswerIsNotTheEnd) {
  for (const std::string_view end : {"end", "error", "leave"}) {
    CacheWorld world;
    Client& client = world.Start("/b", {.method = "POST"});
    test::Asked& unsafe = world.asked();
    unsafe.Head(200, {{"content-location", "/a"}});
    world.Fill();
    world.Fill("/b");
    world.Fill("/c");
    ASSERT_EQ(world.store.size(), 3u) << end;
    if (end == "end") unsafe.End();
    if (end == "error") unsafe.Fail(call::ErrorKind::kConnectionTerminated);
    if (end == "leave") client.Leave();
    EXPECT_EQ(world.store.size(), 1u) << end;
  }
}

// Once it has been refused nothing is done by its end.
TEST(CachedCallTest, AnAnswerIsTheLastWord) {
  CacheWorld world;
  world.Fill();
  Client& client = world.Start("/a", {.method = "POST"});
  world.asked().Head(404, {});
  world.asked().Fail(call::ErrorKind::kConnectionTerminated);
  client.Leave();
  EXPECT_EQ(world.store.size(), 1u);
}

}  // namespace
}  // namespace portico::cache
