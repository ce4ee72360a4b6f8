#include "dataplane/cache/decision.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "dataplane/shared/byte_account.h"

namespace portico::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Decision::Kind;
using Lines = std::vector<std::pair<std::string, std::string>>;

const Lines kMinute = {{"cache-control", "max-age=60"}, {"etag", "\"a\""}};

struct Case {
  Lines stored = kMinute;
  base::Duration age = seconds(10);
  Lines request = {};
  bool authorized = false;
  CachePolicy policy = {.stores = true};
  uint64_t length = 5;
  std::string rule = "";  // of the request
};

Decision Of(const Case& one) {
  base::Arena arena;
  http::RequestHead first(arena), head(arena);
  http::ResponseHead response(arena);
  response.status = 200;
  for (const auto& [name, value] : one.stored)
    response.fields.Add(name, value);
  for (const auto& [name, value] : one.request)
    head.fields.Add(name, value);
  StoredResponse stored(shared::ByteHold(std::make_shared<shared::ByteAccount>(1 << 20)), Identity({}, first));
  const base::MonotonicTime answered{seconds(100)};
  ReadHead(response, first.fields, {answered, answered, base::WallTime(seconds(784111777))}, stored);
  stored.length = one.length;
  const CacheRequest asks{"", Identity({.rule = one.rule}, head), ReadRequestControl(head.fields), one.authorized,
                          &head};
  return Decide(stored, asks, one.policy, answered + one.age);
}

// RFC 9111 section 4, a row for each reason.
TEST(DecisionTest, WhatAStoredResponseIsGoodFor) {
  struct Row {
    std::string_view name;
    Case one;
    Kind kind;
    std::string_view why = "";
  };
  const Lines unvalidated = {{"cache-control", "max-age=60"}};
  const auto asks = [](std::string_view control) { return Lines{{"cache-control", std::string(control)}}; };
  const Row rows[] = {
      {"fresh", {}, Kind::kGive},
      {"at its end", {.age = seconds(60)}, Kind::kRevalidate, "stale"},
      {"at its end without a validator", {.stored = unvalidated, .age = seconds(60)}, Kind::kForward, "stale"},
      {"stale, and the client would have it",
       {.age = seconds(61), .request = asks("max-stale")},
       Kind::kRevalidate,
       "stale"},
      {"no-cache of the response",
       {.stored = {{"cache-control", "no-cache, max-age=60"}, {"etag", "\"a\""}}},
       Kind::kRevalidate,
       "stale"},
      {"fresh at once and never",
       {.stored = {{"cache-control", "max-age=0"}, {"etag", "\"a\""}}, .age = seconds(0)},
       Kind::kRevalidate,
       "stale"},
      {"another rule", {.rule = "another"}, Kind::kForward, "uri-miss"},
      {"another variant",
       {.stored = {{"cache-control", "max-age=60"}, {"vary", "x"}}, .request = {{"x", "1"}}},
       Kind::kForward,
       "uri-miss"},
      {"longer than today's policy gives",
       {.policy = {.stores = true, .content_bytes_max = 4}},
       Kind::kForward,
       "uri-miss"},
      {"authorization", {.authorized = true}, Kind::kForward, "uri-miss"},
      {"authorization of what is public",
       {.stored = {{"cache-control", "public, max-age=60"}}, .authorized = true},
       Kind::kGive},
      {"no-cache", {.request = asks("no-cache")}, Kind::kRevalidate, "request"},
      {"pragma", {.request = {{"pragma", "no-cache"}}}, Kind::kRevalidate, "request"},
      {"no-store asks for nothing of ours", {.request = asks("no-store")}, Kind::kForward, "request"},
      {"what can't be read", {.request = asks("max-age=x")}, Kind::kForward, "request"},
      {"max-age that it has", {.request = asks("max-age=10")}, Kind::kGive},
      {"max-age that it has not", {.request = asks("max-age=9")}, Kind::kRevalidate, "request"},
      {"half a second over", {.age = milliseconds(9500), .request = asks("max-age=9")}, Kind::kRevalidate, "request"},
      {"max-age=0 of this moment's", {.age = seconds(0), .request = asks("max-age=0")}, Kind::kRevalidate, "request"},
      {"min-fresh that it has", {.request = asks("min-fresh=50")}, Kind::kGive},
      {"min-fresh that it has not", {.request = asks("min-fresh=51")}, Kind::kRevalidate, "request"},
      {"a default", {.stored = {}, .policy = {.stores = true, .default_ttl = seconds(11)}}, Kind::kGive},
      {"a default for who has a cookie",
       {.stored = {}, .request = {{"cookie", "a=b"}}, .policy = {.stores = true, .default_ttl = seconds(11)}},
       Kind::kForward,
       "stale"},
      {"a default of today",
       {.stored = {}, .policy = {.stores = true, .default_ttl = seconds(10)}},
       Kind::kForward,
       "stale"},
      {"nobody knows how old it is",
       {.stored = {{"cache-control", "max-age=60"}, {"age", "-1"}}},
       Kind::kForward,
       "stale"},
      {"two dates",
       {.stored = {{"cache-control", "max-age=60"}, {"date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"date", "x"}}},
       Kind::kForward,
       "stale"},
  };
  for (const Row& row : rows) {
    const Decision decision = Of(row.one);
    EXPECT_EQ(decision.kind, row.kind) << row.name;
    EXPECT_EQ(decision.why, row.why) << row.name;
  }
}

TEST(DecisionTest, WhoWantsANewOne) {
  for (const auto& [control, wants] : std::vector<std::pair<std::string_view, bool>>{{"no-cache", true},
                                                                                     {"max-age=0", true},
                                                                                     {"max-age=1", false},
                                                                                     {"no-store", false},
                                                                                     {"min-fresh=0", false}}) {
    base::Arena arena;
    http::Fields fields(arena);
    fields.Add("cache-control", control);
    EXPECT_EQ(WantsANewOne(ReadRequestControl(fields)), wants) << control;
  }
}

}  // namespace
}  // namespace portico::cache
