#include "dataplane/filters/rate_limit/rate_limit_filter.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/base/arena.h"
#include "api/base/text.h"
#include "api/check/resource_key.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "dataplane/base/time.h"
#include "dataplane/filter/filter.h"
#include "dataplane/filters/rate_limit/rate_limit_config.h"
#include "dataplane/http/message.h"
#include "dataplane/net/address.h"
#include "gtest/gtest.h"

namespace portico::rate_limit {
namespace {

using base::Concat;
using std::chrono::milliseconds;
using Lines = std::vector<std::pair<std::string, std::string>>;

v1::Resource Parse(const std::string& text) {
  yaml::Problems problems(10);
  std::vector<yaml::Document> documents = yaml::ReadText(text, "f", yaml::Limits(), problems);
  EXPECT_EQ(problems.ToString(), "") << text;
  return std::move(documents.at(0).resource);
}

resolve::BoundPolicy Policy(const std::string& name, const std::string& limits, const std::string& more = "") {
  auto resource = std::make_shared<const v1::Resource>(
      Parse(Concat("kind: RateLimitPolicy\nmetadata: {name: ", name, "}\nspec: {limits: [", limits, "]", more, "}\n")));
  return {check::KeyOf(*resource), resource, resolve::Level::kGateway, ""};
}

std::string Limit(const std::string& name, const std::string& rate, const std::string& more = "") {
  return Concat("{name: ", name, ", limit: {", rate, "}", more.empty() ? "" : ", ", more, "}");
}

struct Call {
  std::string client = "192.0.2.1";
  std::vector<filter::ConsumerName> consumers = {};
  Lines fields = {};
  milliseconds at{0};
};

struct Outcome {
  int status = 0;                                  // 0: passed
  std::string reason, retry_after, limits, state;  // of the response: ratelimit-policy, ratelimit
  filter::Notes notes;
};

// The chain's part that limits are: those before authentication, then those by identity.
class Limits {
 public:
  explicit Limits(std::vector<resolve::BoundPolicy> policies) { Build(std::move(policies)); }

  // As a new snapshot does, while the old one is there.
  void Build(std::vector<resolve::BoundPolicy> policies) { built_ = BuildRateLimits(policies, state_); }
  void Drop() { built_ = {}; }

  const BuiltLimits& built() const { return built_; }
  std::map<std::string, shared::BucketTable::Counts> Read() const { return state_->tables.Read(); }

  Outcome Ask(const Call& call = {}) {
    base::Arena arena;
    http::RequestHead request(arena);
    http::ResponseHead response(arena);
    for (const auto& [name, value] : call.fields)
      request.fields.Add(name, value);
    filter::Identity identity;
    identity.consumers = call.consumers;
    filter::FilterContext context{request, "a.example", "/", identity, base::WallTime()};
    context.client = *net::Address::Parse(call.client, 0);
    context.steady_now = base::MonotonicTime(std::chrono::hours(1)) + call.at;
    Outcome out;
    std::vector<std::unique_ptr<filter::Filter>> filters;
    for (const auto& config : {built_.before_identity, built_.by_identity}) {
      if (config == nullptr || out.status != 0) continue;
      filters.push_back(RateLimitFilterConfig(config).MakeFilter(slots_));
      Note(filters.back()->OnRequestHead(context, filter::Resume({}, 1)), out);
    }
    for (auto filter = filters.rbegin(); filter != filters.rend(); ++filter)
      (*filter)->OnResponseHead(context, response);
    out.notes = context.notes;
    out.limits = Value(response.fields, "ratelimit-policy");
    out.state = Value(response.fields, "ratelimit");
    return out;
  }

 private:
  static void Note(filter::Verdict verdict, Outcome& out) {
    EXPECT_FALSE(std::holds_alternative<filter::Wait>(verdict));
    const auto* reply = std::get_if<filter::Reply>(&verdict);
    if (reply == nullptr) return;
    out.status = reply->status;
    out.reason = reply->reason;
    for (const auto& [name, value] : reply->fields)
      if (name == "retry-after") out.retry_after = value;
  }
  static std::string Value(const http::Fields& fields, std::string_view name) {
    return std::string(fields.Combined(name).value_or(""));
  }

  const std::shared_ptr<RateLimitState> state_ = std::make_shared<RateLimitState>();
  filter::WorkerSlots slots_;
  BuiltLimits built_;
};

const char kOne[] = "requests: 1, per: 10s";

Call From(const std::string& client) {
  return {.client = client};
}
Call By(const std::string& name, const std::string& name_space = "default") {
  return {.consumers = {{name_space, name}}};
}
Call With(Lines fields) {
  return {.fields = std::move(fields)};
}

TEST(RateLimitFilter, TellsRequestsApart) {
  const std::string header = "key: [Header], header: X-Tenant";
  const struct {
    const char* name;
    std::string limit;
    Call first, second;
    bool together;  // both take from one bucket
  } kRows[] = {
      {"by nothing", "", From("192.0.2.1"), From("2001:db8::1"), true},
      {"by nothing, whoever it is", "", By("a"), With({{"x", "y"}}), true},
      {"the same address", "key: [ClientAddress]", From("192.0.2.1"), From("192.0.2.1"), true},
      {"another address", "key: [ClientAddress]", From("192.0.2.1"), From("192.0.2.2"), false},
      {"IPv6 of one site", "key: [ClientAddress]", From("2001:db8:0:1::1"), From("2001:db8:0:1:ffff::2"), true},
      {"IPv6 of another", "key: [ClientAddress]", From("2001:db8:0:1::1"), From("2001:db8:0:2::1"), false},
      {"IPv4 that is mapped", "key: [ClientAddress]", From("192.0.2.1"), From("::ffff:192.0.2.1"), true},
      {"two that are mapped", "key: [ClientAddress]", From("::ffff:192.0.2.2"), From("::ffff:192.0.2.1"), false},
      {"the same consumer", "key: [Consumer]", By("a"), By("a"), true},
      {"another consumer", "key: [Consumer]", By("a"), By("b"), false},
      {"of another namespace", "key: [Consumer]", By("a"), By("a", "far"), false},
      {"names are not joined", "key: [Consumer]", By("c", "a-b"), By("b-c", "a"), false},
      {"a consumer and nobody", "key: [Consumer]", By("a"), {}, false},
      {"nobody twice", "key: [Consumer]", {}, {}, true},
      {"the same header", header, With({{"x-tenant", "a"}}), With({{"y", "z"}, {"x-tenant", "a"}}), true},
      {"another header", header, With({{"x-tenant", "a"}}), With({{"x-tenant", "A"}}), false},
      {"a header that is empty is there", header, With({{"x-tenant", ""}}), With({}), false},
      {"without the header twice", header, With({}), With({{"x-other", "a"}}), true},
      {"a header of several lines", header, With({{"x-tenant", "a"}, {"x-tenant", "b"}}),
       With({{"x-tenant", "a"}, {"x-tenant", "b"}}), true},
      {"lines are not joined", header, With({{"x-tenant", "a"}, {"x-tenant", "b"}}), With({{"x-tenant", "ab"}}), false},
      {"the order of lines", header, With({{"x-tenant", "a"}, {"x-tenant", "b"}}),
       With({{"x-tenant", "b"}, {"x-tenant", "a"}}), false},
      {"by two, both the same", "key: [ClientAddress, Consumer]", By("a"), By("a"), true},
      {"by two, one differs",
       "key: [ClientAddress, Consumer]",
       By("a"),
       {.client = "192.0.2.9", .consumers = {{"default", "a"}}},
       false},
      {"by two, one is missing", "key: [ClientAddress, Consumer]", From("192.0.2.1"), From("192.0.2.2"), true},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    Limits limits({Policy("p", Limit("one", kOne, row.limit))});
    EXPECT_EQ(limits.Ask(row.first).status, 0);
    EXPECT_EQ(limits.Ask(row.second).status, row.together ? 429 : 0);
    EXPECT_EQ(limits.Ask(row.first).status, 429);
  }
}

TEST(RateLimitFilter, WhatMissesTheKey) {
  const struct {
    const char* name;
    std::string limit;
    Call call;
    int second;  // status
    uint64_t skipped;
  } kRows[] = {
      {"by default they share", "key: [Consumer]", {}, 429, 0},
      {"they share", "key: [Consumer], keyMissing: Share", {}, 429, 0},
      {"they are not counted", "key: [Consumer], keyMissing: Skip", {}, 0, 2},
      {"any of it is enough", "key: [ClientAddress, Header], header: x, keyMissing: Skip", {}, 0, 2},
      {"who has it counts", "key: [Header], header: x, keyMissing: Skip", With({{"x", "y"}}), 429, 0},
      {"an address is always there", "key: [ClientAddress], keyMissing: Skip", {}, 429, 0},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    Limits limits({Policy("p", Limit("one", kOne, row.limit))});
    EXPECT_EQ(limits.Ask(row.call).status, 0);
    EXPECT_EQ(limits.Ask(row.call).status, row.second);
    EXPECT_EQ(limits.Read().at("default/p/one").outcomes[3], row.skipped);
  }
}

TEST(RateLimitFilter, SaysWhereTheCallerStands) {
  Limits limits({Policy("p", Limit("two", "requests: 2, per: 1m") + ", " + Limit("many", "requests: 100, per: 1s"))});
  const Outcome first = limits.Ask();
  EXPECT_EQ(first.limits, "\"two\";q=2;w=60");
  EXPECT_EQ(first.state, "\"two\";r=1;t=30");
  EXPECT_EQ(limits.Ask({.at = milliseconds(1)}).state, "\"two\";r=0;t=60");
  const Outcome refused = limits.Ask({.at = milliseconds(1'500)});
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.reason, "limited by default/p/two");
  EXPECT_EQ(refused.retry_after, "29");  // 28.5 seconds, rounded up
  EXPECT_EQ(refused.limits, "\"two\";q=2;w=60");
  EXPECT_EQ(refused.state, "\"two\";r=0;t=29");
  EXPECT_EQ(refused.notes.limit, "default/p/two");
  EXPECT_EQ(refused.notes.limit_outcome, "limited");
  // Who comes back when it was said passes.
  EXPECT_EQ(limits.Ask({.at = milliseconds(1'500 + 29'000)}).status, 0);
}

TEST(RateLimitFilter, ABurstThenTheRate) {
  Limits limits({Policy("p", Limit("a", "requests: 10, per: 1s", "burst: 3"))});
  std::string passed;
  for (int i = 0; i < 40; ++i)
    passed += limits.Ask({.at = milliseconds(i * 25)}).status == 0 ? 'x' : '-';
  EXPECT_EQ(passed, "xxx-x---x---x---x---x---x---x---x---x---");
}

TEST(RateLimitFilter, LimitsOfAllPoliciesHoldTogether) {
  Limits limits({Policy("far", Limit("all", "requests: 5, per: 1m")),
                 Policy("near", Limit("each", "requests: 2, per: 1m", "key: [ClientAddress]"))});
  EXPECT_EQ(limits.Ask(From("192.0.2.1")).status, 0);
  EXPECT_EQ(limits.Ask(From("192.0.2.1")).status, 0);
  EXPECT_EQ(limits.Ask(From("192.0.2.1")).reason, "limited by default/near/each");
  EXPECT_EQ(limits.Ask(From("192.0.2.2")).status, 0);
  EXPECT_EQ(limits.Ask(From("192.0.2.2")).status, 0);
  EXPECT_EQ(limits.Ask(From("192.0.2.3")).status, 0);
  EXPECT_EQ(limits.Ask(From("192.0.2.4")).reason, "limited by default/far/all");
}

// Or one client could use up what is there for all.
TEST(RateLimitFilter, WhoIsRefusedTakesNothing) {
  Limits limits({Policy("p", Limit("all", "requests: 3, per: 1m") + ", " +
                                 Limit("each", "requests: 1, per: 1m", "key: [ClientAddress]"))});
  EXPECT_EQ(limits.Ask(From("192.0.2.1")).status, 0);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(limits.Ask(From("192.0.2.1")).reason, "limited by default/p/each");
  EXPECT_EQ(limits.Ask(From("192.0.2.2")).status, 0);
  EXPECT_EQ(limits.Ask(From("192.0.2.3")).status, 0);
  EXPECT_EQ(limits.Ask(From("192.0.2.4")).reason, "limited by default/p/all");
}

TEST(RateLimitFilter, WhatOnlyReportsRefusesNobody) {
  Limits limits({Policy("trial", Limit("one", kOne), ", reportOnly: true"),
                 Policy("real", Limit("two", "requests: 2, per: 10s"))});
  const Outcome first = limits.Ask();
  EXPECT_EQ(first.notes.limit, "");
  EXPECT_EQ(first.state, "\"two\";r=1;t=5");  // nothing of the trial
  const Outcome second = limits.Ask();
  EXPECT_EQ(second.status, 0);
  EXPECT_EQ(second.notes.limit, "default/trial/one");
  EXPECT_EQ(second.notes.limit_outcome, "would_limit");
  const Outcome third = limits.Ask();
  EXPECT_EQ(third.status, 429);
  EXPECT_EQ(third.notes.limit, "default/real/two");
  EXPECT_EQ(limits.Read().at("default/trial/one").outcomes, (std::array<uint64_t, 4>{1, 0, 2, 0}));
  EXPECT_EQ(limits.Read().at("default/real/two").outcomes, (std::array<uint64_t, 4>{2, 1, 0, 0}));
}

TEST(RateLimitFilter, ByIdentityIsJudgedApart) {
  Limits limits({Policy("p", Limit("who", "requests: 2, per: 1m", "key: [Consumer]") + ", " +
                                 Limit("where", "requests: 3, per: 1m", "key: [ClientAddress]") + ", " +
                                 Limit("both", "requests: 9, per: 1m", "key: [ClientAddress, Consumer]"))});
  ASSERT_NE(limits.built().before_identity, nullptr);
  ASSERT_NE(limits.built().by_identity, nullptr);
  ASSERT_EQ(limits.built().before_identity->limits.size(), 1u);
  EXPECT_EQ(limits.built().before_identity->limits[0].name, "default/p/where");
  EXPECT_EQ(limits.built().by_identity->limits.size(), 2u);
  const Outcome outcome = limits.Ask(By("a"));
  EXPECT_EQ(outcome.limits, "\"who\";q=2;w=60, \"where\";q=3;w=60");
  EXPECT_EQ(outcome.state, "\"who\";r=1;t=30, \"where\";r=2;t=20");
}

TEST(RateLimitFilter, CountsOutliveConfigurations) {
  const auto limit = [](const std::string& rate, const std::string& more = "") { return Limit("one", rate, more); };
  const struct {
    const char* name;
    std::vector<resolve::BoundPolicy> next;
    int status;  // of the third request
  } kRows[] = {
      {"the same", {Policy("p", limit("requests: 2, per: 1m"))}, 429},
      {"another policy beside it",
       {Policy("p", limit("requests: 2, per: 1m")), Policy("q", limit("requests: 9, per: 1m"))},
       429},
      {"another limit before it",
       {Policy("p", Limit("new", "requests: 9, per: 1m") + ", " + limit("requests: 2, per: 1m"))},
       429},
      {"a slower rate", {Policy("p", limit("requests: 2, per: 10m"))}, 429},
      {"a larger burst", {Policy("p", limit("requests: 2, per: 1m", "burst: 3"))}, 0},
      {"more in the same time", {Policy("p", limit("requests: 4, per: 1m"))}, 0},
      {"it only reports", {Policy("p", limit("requests: 2, per: 1m"), ", reportOnly: true")}, 0},
      {"another policy in its place", {Policy("q", limit("requests: 2, per: 1m"))}, 0},
      {"by something else", {Policy("p", limit("requests: 2, per: 1m", "key: [ClientAddress]"))}, 0},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    Limits limits({Policy("p", limit("requests: 2, per: 1m"))});
    EXPECT_EQ(limits.Ask().status, 0);
    EXPECT_EQ(limits.Ask().status, 0);
    limits.Build(row.next);
    EXPECT_EQ(limits.Ask().status, row.status);
  }
}

TEST(RateLimitFilter, WhatNoSnapshotNamesIsForgotten) {
  Limits limits({Policy("p", Limit("one", kOne))});
  EXPECT_EQ(limits.Ask().status, 0);
  limits.Drop();
  EXPECT_TRUE(limits.Read().empty());
  limits.Build({Policy("p", Limit("one", kOne))});
  EXPECT_EQ(limits.Ask().status, 0);
}

TEST(BuildRateLimits, FailsClosed) {
  const auto change = [](void (*act)(v1::RateLimit&)) {
    v1::Resource resource =
        Parse("kind: RateLimitPolicy\nmetadata: {name: p}\nspec: {limits: [" + Limit("one", kOne) + "]}");
    act(*resource.mutable_rate_limit_policy()->mutable_spec()->mutable_limits(0));
    auto shared = std::make_shared<const v1::Resource>(std::move(resource));
    return resolve::BoundPolicy{check::KeyOf(*shared), shared, resolve::Level::kGateway, ""};
  };
  const struct {
    const char* name;
    resolve::BoundPolicy policy;
    std::string words;
  } kRows[] = {
      {"no policy",
       {{"RateLimitPolicy", "default", "p"}, nullptr, resolve::Level::kGateway, ""},
       "is no RateLimitPolicy"},
      {"no limits", Policy("p", ""), "has no limits"},
      {"no rate", change([](v1::RateLimit& limit) { limit.clear_limit(); }), "limit one: a rate that is out of bounds"},
      {"too long", change([](v1::RateLimit& limit) { limit.mutable_limit()->mutable_per()->set_seconds(3601); }),
       "limit one: a rate that is out of bounds"},
      {"no burst", change([](v1::RateLimit& limit) { limit.set_burst(0); }), "limit one: a rate that is out of bounds"},
      {"the fleet", change([](v1::RateLimit& limit) { limit.set_scope(v1::RATE_LIMIT_SCOPE_FLEET); }),
       "limit one: a scope that is not supported"},
      {"a key of later", change([](v1::RateLimit& limit) { limit.add_key(static_cast<v1::RateLimitKey>(99)); }),
       "limit one: an unknown key"},
      {"a key twice", change([](v1::RateLimit& limit) {
         limit.add_key(v1::RATE_LIMIT_KEY_CONSUMER);
         limit.add_key(v1::RATE_LIMIT_KEY_CONSUMER);
       }),
       "limit one: a key twice"},
      {"a header without its key", change([](v1::RateLimit& limit) { limit.set_header("x"); }),
       "limit one: header and key don't agree"},
      {"a key without its header", change([](v1::RateLimit& limit) { limit.add_key(v1::RATE_LIMIT_KEY_HEADER); }),
       "limit one: header and key don't agree"},
      {"a way to miss keys of later",
       change([](v1::RateLimit& limit) { limit.set_key_missing(static_cast<v1::KeyMissing>(99)); }),
       "limit one: an unknown keyMissing"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    Limits limits({Policy("good", Limit("by-consumer", kOne, "key: [Consumer]")), row.policy});
    ASSERT_EQ(limits.built().faults.size(), 1u);
    EXPECT_EQ(limits.built().faults[0].key.name, "p");
    EXPECT_EQ(limits.built().faults[0].message, row.words);
    const Outcome outcome = limits.Ask(By("a"));
    EXPECT_EQ(outcome.status, 503);
    EXPECT_NE(outcome.reason.find(row.words), std::string::npos) << outcome.reason;
  }
}

TEST(BuildRateLimits, WithoutPoliciesThereIsNothing) {
  const BuiltLimits built = BuildRateLimits({}, std::make_shared<RateLimitState>());
  EXPECT_EQ(built.before_identity, nullptr);
  EXPECT_EQ(built.by_identity, nullptr);
  EXPECT_TRUE(built.faults.empty());
}

}  // namespace
}  // namespace portico::rate_limit
