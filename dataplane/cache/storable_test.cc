#include "dataplane/cache/storable.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"

namespace portico::cache {
namespace {

using std::chrono::seconds;
using Lines = std::vector<std::pair<std::string, std::string>>;

struct Case {
  std::string method = "GET";
  Lines request = {};
  int status = 200;
  Lines response = {{"cache-control", "max-age=60"}};
  http::ContentFraming framing = {};
  CachePolicy policy = {.stores = true};
  bool authorized = false;
};

std::string Why(const Case& one) {
  base::Arena arena;
  http::RequestHead request(arena);
  request.method = one.method;
  http::ResponseHead response(arena);
  response.status = one.status;
  response.framing = one.framing;
  for (const auto& [name, value] : one.request)
    request.fields.Add(name, value);
  for (const auto& [name, value] : one.response)
    response.fields.Add(name, value);
  const CacheControl asked = ReadCacheControl(request.fields), said = ReadCacheControl(response.fields);
  const ExchangeTimes times{{}, {}, base::WallTime(seconds(784111777))};
  return std::string(WhyNotStored({request, asked, one.authorized, response, said, one.policy, times}));
}

// RFC 9111 section 3, a row for each of its conditions.
TEST(StorableTest, Section3) {
  struct Row {
    std::string_view name;
    Case one;
    std::string_view why;
  };
  const Lines fresh = {{"cache-control", "max-age=60"}};
  const Row rows[] = {
      {"explicit freshness", {}, ""},
      {"HEAD", {.method = "HEAD"}, "method"},
      {"POST, though it says how long", {.method = "POST"}, "method"},
      {"no freshness", {.response = {}}, "no freshness"},
      {"public alone is no freshness", {.response = {{"cache-control", "public"}}}, "no freshness"},
      {"no heuristics", {.response = {{"last-modified", "Sun, 06 Nov 1994 08:00:00 GMT"}}}, "no freshness"},
      {"s-maxage", {.response = {{"cache-control", "s-maxage=60"}}}, ""},
      {"expires", {.response = {{"expires", "Sun, 06 Nov 1994 08:50:00 GMT"}}}, ""},
      {"expires that is no date", {.response = {{"expires", "0"}}}, "stale at once"},
      {"stale at once", {.response = {{"cache-control", "max-age=0"}}}, "stale at once"},
      {"older than it may be", {.response = {{"cache-control", "max-age=60"}, {"age", "60"}}}, "stale at once"},
      {"older than anything may be",
       {.response = {{"cache-control", "max-age=9999999"}, {"age", "86400"}}},
       "stale at once"},
      {"and a second younger", {.response = {{"cache-control", "max-age=9999999"}, {"age", "86399"}}}, ""},
      {"stale with a validator", {.response = {{"cache-control", "max-age=0"}, {"etag", "\"a\""}}}, ""},
      {"stale with two etags",
       {.response = {{"cache-control", "max-age=0"}, {"etag", "a"}, {"etag", "b"}}},
       "stale at once"},
      {"no-store", {.response = {{"cache-control", "no-store, max-age=60"}}}, "no-store"},
      {"private", {.response = {{"cache-control", "private, max-age=60"}}}, "private"},
      {"private for a field", {.response = {{"cache-control", "private=\"x\", max-age=60"}}}, "private"},
      {"no-cache with a validator", {.response = {{"cache-control", "no-cache"}, {"etag", "\"a\""}}}, ""},
      {"no-cache without", {.response = {{"cache-control", "no-cache, max-age=60"}}}, "stale at once"},
      {"no-cache of a status that has to say more",
       {.status = 500, .response = {{"cache-control", "no-cache"}, {"etag", "\"a\""}}},
       "no freshness"},
      {"malformed", {.response = {{"cache-control", "max-age=60 x"}}}, "malformed cache-control"},
      {"pragma", {.response = {{"pragma", "no-cache"}, {"expires", "Sun, 06 Nov 1994 08:50:00 GMT"}}}, "pragma"},
      {"pragma beside cache-control", {.response = {{"pragma", "no-cache"}, {"cache-control", "max-age=60"}}}, ""},
      {"a cookie", {.response = {{"cache-control", "public, max-age=60"}, {"set-cookie", "a=b"}}}, "set-cookie"},
      {"vary", {.response = {{"cache-control", "max-age=60"}, {"vary", "accept"}}}, ""},
      {"vary: *", {.response = {{"cache-control", "max-age=60"}, {"vary", "*"}}}, "vary"},
      {"the request's no-store", {.request = {{"cache-control", "no-store"}}}, "request's cache-control"},
      {"the request's malformed one", {.request = {{"cache-control", "("}}}, "request's cache-control"},
      {"the request's others", {.request = {{"cache-control", "no-cache, max-age=0"}}}, ""},
      {"a part", {.status = 206}, "status"},
      {"a part of another status",
       {.response = {{"cache-control", "max-age=60"}, {"content-range", "bytes 0-1/2"}}},
       "part of a whole"},
      {"304", {.status = 304}, "status"},
      {"404", {.status = 404}, ""},
      {"a status about the request", {.status = 431}, "status"},
      {"one about who sent it", {.status = 401}, "status"},
      {"500 that says how long", {.status = 500}, ""},
      {"a status of nobody", {.status = 299}, ""},
      {"must-understand of it",
       {.status = 299, .response = {{"cache-control", "max-age=60, must-understand"}}},
       "must-understand"},
      {"must-understand of 200", {.response = {{"cache-control", "max-age=60, must-understand"}}}, ""},
      {"must-understand and no-store",
       {.response = {{"cache-control", "max-age=60, must-understand, no-store"}}},
       "no-store"},
      {"an end nobody can tell", {.framing = {false, std::nullopt, true}}, "content without an end"},
      {"long", {.framing = {false, 1'048'576, false}}, ""},
      {"too long", {.framing = {false, 1'048'577, false}}, "too long"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Why(row.one), row.why) << row.name;
}

// What is not surely the answer to everybody else's request: RFC 9110 sections 13.2.1 and 14.2.
TEST(StorableTest, ConditionsAndRanges) {
  const Lines conditional = {{"if-none-match", "\"a\""}}, since = {{"if-modified-since", "x"}},
              range = {{"range", "bytes=0-1"}}, if_range = {{"if-range", "\"a\""}};
  struct Row {
    std::string_view name;
    Lines request;
    int status;
    std::string_view why;
  };
  const Row rows[] = {
      {"the whole, for a condition", conditional, 200, ""},
      {"the whole, for a date", since, 200, ""},
      {"the whole, for a range", range, 200, ""},
      {"gone, for a condition", conditional, 410, ""},
      {"gone, for a range", range, 410, "conditional"},
      {"a failure, for a condition", conditional, 500, "conditional"},
      {"a failure, for a date", since, 503, "conditional"},
      {"a failure, for if-range", if_range, 500, "conditional"},
      {"a failure", {}, 500, ""},
      {"not satisfiable", range, 416, "status"},
      {"refused", range, 400, "status"},
      {"a condition that failed", conditional, 412, "status"},
      {"too many fields", conditional, 431, "status"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Why({.request = row.request, .status = row.status}), row.why) << row.name;
}

// Section 3.5, whoever says that the request carries `authorization`.
TEST(StorableTest, Authorization) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"max-age=60", "authorization"},      {"max-age=60, public", ""}, {"max-age=60, must-revalidate", ""},
      {"max-age=60, proxy-revalidate", ""}, {"s-maxage=60", ""},        {"max-age=60, public, private", "private"}};
  for (const auto& [control, why] : rows)
    EXPECT_EQ(Why({.response = {{"cache-control", std::string(control)}}, .authorized = true}), why) << control;
}

TEST(StorableTest, DefaultTtl) {
  struct Row {
    std::string_view name;
    int status;
    Lines response;
    std::string_view why;
    Lines request = {};
  };
  const Row rows[] = {
      {"says nothing", 200, {}, ""},
      {"moved says nothing", 301, {}, ""},
      {"not found says nothing", 404, {}, "no freshness"},
      {"nor what is not implemented", 501, {}, "no freshness"},
      {"a failure says nothing", 500, {}, "no freshness"},
      {"found elsewhere says nothing", 302, {}, "no freshness"},
      {"what it says itself counts", 200, {{"cache-control", "max-age=0"}}, "stale at once"},
      {"forbidden is forbidden", 200, {{"cache-control", "no-store"}}, "no-store"},
      {"public, no time", 200, {{"cache-control", "public"}}, ""},
      {"a cookie", 200, {{"set-cookie", "a=b"}}, "set-cookie"},
      {"older than that", 200, {{"age", "31"}}, "stale at once"},
      {"for who has a cookie", 200, {}, "no freshness", {{"cookie", "a=b"}}},
      {"with a validator", 200, {{"etag", "\"a\""}}, "no freshness", {{"cookie", "a=b"}}},
      {"that it varies by", 200, {{"vary", "accept, Cookie"}}, "", {{"cookie", "a=b"}}},
      {"and by another field", 200, {{"vary", "accept"}}, "no freshness", {{"cookie", "a=b"}}},
      {"and says how long", 200, {{"cache-control", "max-age=60"}}, "", {{"cookie", "a=b"}}},
      {"or that it is to be asked", 200, {{"cache-control", "no-cache"}, {"etag", "\"a\""}}, "", {{"cookie", "a=b"}}},
  };
  for (const Row& row : rows) {
    const Case one{.request = row.request,
                   .status = row.status,
                   .response = row.response,
                   .policy = {.stores = true, .default_ttl = base::Duration(seconds(30))}};
    EXPECT_EQ(Why(one), row.why) << row.name;
  }
}

TEST(StorableTest, TheNewestPolicySaysHowLong) {
  CachePolicy policy;
  EXPECT_EQ(LifetimeOf(200, std::nullopt, policy, false), seconds(0));
  EXPECT_EQ(LifetimeOf(200, seconds(5), policy, false), seconds(5));
  policy.default_ttl = seconds(30);
  EXPECT_EQ(LifetimeOf(200, std::nullopt, policy, false), seconds(30));
  EXPECT_EQ(LifetimeOf(200, std::nullopt, policy, true), seconds(0));
  EXPECT_EQ(LifetimeOf(200, seconds(5), policy, true), seconds(5));
  EXPECT_EQ(LifetimeOf(404, std::nullopt, policy, false), seconds(0));
  EXPECT_EQ(LifetimeOf(500, std::nullopt, policy, false), seconds(0));
  EXPECT_EQ(LifetimeOf(200, seconds(0), policy, false), seconds(0));
  EXPECT_EQ(LifetimeOf(200, kLifetimeMax, policy, false), kLifetimeMax);
  EXPECT_EQ(LifetimeOf(200, std::chrono::years(1), policy, false), std::chrono::hours(24)) << "as purges are kept";
}

}  // namespace
}  // namespace portico::cache
