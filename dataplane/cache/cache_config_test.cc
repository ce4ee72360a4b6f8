#include "dataplane/cache/cache_config.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/resolve/resolve.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "dataplane/cache/content.h"
#include "dataplane/cache/identity.h"
#include "dataplane/cache/key.h"
#include "dataplane/cache/store.h"
#include "dataplane/cache/stored_response.h"
#include "dataplane/http/message.h"

namespace portico::cache {
namespace {

using base::Concat;

std::string Resource(std::string_view kind, std::string_view name, std::string_view spec) {
  return Concat("---\nkind: ", kind, "\nmetadata: {name: ", name, "}\nspec: {", spec, "}\n");
}
std::string Jwt(std::string_view more) {
  return Concat("authentication: {anyOf: [{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: s}}}}]}, ", more);
}

const std::string kGateway = Resource("Gateway", "g", "listeners: [{name: http, port: 80, protocol: HTTP}]");
const std::string kRule = "name: one, backendRefs: [{name: c}]";
const std::string kCache = Resource("CachePolicy", "p", "targetRefs: [{kind: Route, name: r}], defaultTtl: 30s");

std::string Route(std::string_view rule) {
  return Resource("Route", "r", Concat("rules: [{", rule, "}]"));
}
std::string Auth(std::string_view spec) {
  return Resource("AuthPolicy", "a", Concat("targetRefs: [{kind: Gateway, name: g}], ", spec));
}

resolve::ResolvedGateway Resolved(std::string_view text) {
  check::Configuration configuration;
  yaml::Problems problems(10);
  for (yaml::Document& document : yaml::ReadText(text, "test.yaml", yaml::Limits(), problems))
    configuration.Put(std::move(document.resource));
  EXPECT_TRUE(problems.empty()) << problems.ToString() << text;
  return resolve::Resolve(configuration, {"Gateway", "default", "g"}).value();
}

std::shared_ptr<const CachePolicy> Built(const std::string& text) {
  const resolve::ResolvedGateway gateway = Resolved(kGateway + text);
  const resolve::SharedRoute* route = gateway.routes.Find(check::ResourceKey{"Route", "default", "r"});
  EXPECT_NE(route, nullptr);
  return BuildCachePolicy(*(*route)->rules[0], GatewayStores(gateway));
}

TEST(CacheConfigTest, WhatARuleStores) {
  EXPECT_EQ(Built(Route(kRule)), nullptr) << "nobody stores anything here";
  const auto plain = Built(Route(kRule) + kCache);
  EXPECT_TRUE(plain->stores);
  EXPECT_EQ(plain->default_ttl, std::chrono::seconds(30));
  EXPECT_EQ(plain->content_bytes_max, 1'048'576u);
  EXPECT_FALSE(plain->authenticates);
  const auto bounded =
      Built(Route(kRule) + Resource("CachePolicy", "p", "targetRefs: [{kind: Route, name: r}], contentBytesMax: 5"));
  EXPECT_EQ(bounded->content_bytes_max, 5u);
  EXPECT_EQ(bounded->default_ttl, std::nullopt);
  // Others of the gateway do, so that this one's unsafe requests are heard of.
  const std::string others = Route(kRule + "}, {name: two, backendRefs: [{name: c}]") +
                             Resource("CachePolicy", "p", "targetRefs: [{kind: Route, name: r, sectionName: two}]");
  EXPECT_FALSE(Built(others)->stores);
}

TEST(CacheConfigTest, WhatStoresNothing) {
  struct Row {
    std::string_view name;
    std::string text;
    bool stores, authenticates;
  };
  const Row rows[] = {
      {"disabled", Resource("CachePolicy", "p", "targetRefs: [{kind: Route, name: r}], disabled: true"), false, false},
      {"disabled nearer",
       Resource("CachePolicy", "q", "targetRefs: [{kind: Gateway, name: g}]") +
           Resource("CachePolicy", "p", "targetRefs: [{kind: Route, name: r}], disabled: true"),
       false, false},
      {"anonymous", kCache + Auth("authentication: {anyOf: [{anonymous: {}}]}"), true, false},
      {"asked who they are", kCache + Auth(Jwt("")), true, true},
      {"or anonymous",
       kCache + Auth("authentication: {anyOf: [{anonymous: {}}, {jwt: {issuer: i, audiences: [a], jwks: {secretRef: "
                     "{name: s}}}}]}"),
       true, true},
      {"only what they may do", kCache + Auth("authorization: {defaultAction: Deny}"), true, false},
      {"the origin is told who calls", kCache + Auth(Jwt("identityToHeaders: [{identity: Subject, header: x-user}]")),
       false, false},
  };
  for (const Row& row : rows) {
    const auto policy = Built(Route(kRule) + row.text);
    EXPECT_EQ(policy->stores, row.stores) << row.name;
    EXPECT_EQ(policy->authenticates, row.authenticates) << row.name;
  }
}

// What was stored outlives what does not concern it.
TEST(CacheConfigTest, TheRuleIsWhatMakesTheAnswers) {
  struct Row {
    std::string_view name;
    std::string rule, more;
    bool same;
  };
  const Row rows[] = {
      {"nothing", kRule, "", true},
      {"its place and its path", "matches: [{path: {type: Exact, value: /x}}], " + kRule, "", true},
      {"two paths", "matches: [{path: {type: Exact, value: /x}}, {path: {type: Exact, value: /y}}], " + kRule, "",
       true},
      {"a field that it asks for", "matches: [{headers: [{name: x, value: a}]}], " + kRule, "", false},
      {"or that it may have", "matches: [{}, {headers: [{name: x, value: a}]}], " + kRule, "", false},
      {"a parameter", "matches: [{queryParams: [{name: x, value: a}]}], " + kRule, "", false},
      {"a method", "matches: [{method: GET}], " + kRule, "", false},
      {"its name", "name: two, backendRefs: [{name: c}]", "", true},
      {"its timeouts", "timeouts: {request: 1s}, " + kRule, "", true},
      {"another resource", kRule, Resource("Cluster", "c", "endpoints: [{address: 127.0.0.1, port: 1}]"), true},
      {"another backend", "backendRefs: [{name: d}]", "", false},
      {"one more backend", "backendRefs: [{name: c}, {name: d}]", "", false},
      {"a rewrite", "filters: [{urlRewrite: {hostname: x}}], " + kRule, "", false},
      {"edits of the request", "filters: [{requestHeaderModifier: {remove: [x]}}], " + kRule, "", false},
      {"who calls", kRule, Auth(Jwt("")), false},
      {"who may", kRule, Auth("authorization: {defaultAction: Deny}"), false},
  };
  const std::string rule = Built(Route(kRule) + kCache)->rule;
  EXPECT_EQ(rule.size(), 32u);
  for (const Row& row : rows)
    EXPECT_EQ(Built(Route(row.rule) + kCache + row.more)->rule == rule, row.same) << row.name;
  EXPECT_EQ(Built(Route(kRule) + Resource("CachePolicy", "q", "targetRefs: [{kind: Gateway, name: g}]"))->rule, rule)
      << "today's policy is asked when a response is given";
}

// Of one URI, which nothing but a field, a parameter or the method tells apart.
TEST(CacheConfigTest, TwoRulesOfARouteAreTwo) {
  const std::string path = "{path: {type: Exact, value: /x}", same = "backendRefs: [{name: c}]}";
  for (const std::string_view condition :
       {"headers: [{name: x, value: a}]", "queryParams: [{name: x, value: a}]", "method: GET"}) {
    const std::string two = Concat("matches: [", path, ", ", condition, "}], ", same, ", {matches: [", path, "}], ",
                                   same.substr(0, same.size() - 1));
    const resolve::ResolvedGateway gateway = Resolved(kGateway + Route(two) + kCache);
    const auto& rules = (*gateway.routes.Find(check::ResourceKey{"Route", "default", "r"}))->rules;
    ASSERT_EQ(rules.size(), 2u) << condition;
    EXPECT_NE(BuildCachePolicy(*rules[0], true)->rule, BuildCachePolicy(*rules[1], true)->rule) << condition;
  }
}

TEST(CacheConfigTest, Purges) {
  const std::string target = "targetRef: {kind: Gateway, name: g}, ";
  const resolve::ResolvedGateway gateway = Resolved(
      kGateway + Resource("CachePurge", "all", target + "at: '2026-01-01T00:00:00Z'") +
      Resource("CachePurge", "some", target + "at: '2026-01-01T00:00:00.5Z', host: shop.example, pathPrefix: /%61/b") +
      Resource("CachePurge", "six", target + "at: '2026-01-01T00:00:01Z', host: '::1'") +
      Resource("CachePurge", "other", "targetRef: {kind: Gateway, name: other}, at: '2026-01-01T00:00:00Z'"));
  const std::vector<Purge> purges = {{"", "stores nothing", {"", "/"}},
                                     {"default/all", "1767225600.0", {"", "/"}},
                                     {"default/six", "1767225601.0", {"[::1]", "/"}},
                                     {"default/some", "1767225600.500000000", {"shop.example", "/a/b"}}};
  EXPECT_EQ(BuildPurges(gateway), purges);
}

// While nothing is stored nobody hears of unsafe requests: what was stored before is not given after.
TEST(CacheConfigTest, WhoCeasesToStorePurgesEverything) {
  Store store;
  const std::string key = KeyOf({"http", "shop.example", "/a", "", false});
  base::Arena arena;
  const auto put = [&] {
    http::RequestHead head(arena);
    auto response = std::make_shared<StoredResponse>(store.NewHold(), Identity({}, head));
    response->content = std::make_shared<Content>(store.NewHold());
    EXPECT_TRUE(store.Put(key, std::move(response), store.Generation(key), nullptr));
  };
  const std::vector<Purge> stores = BuildPurges(Resolved(kGateway + Route(kRule) + kCache)),
                           ceases = BuildPurges(Resolved(kGateway + Route(kRule)));
  store.Obey(stores);
  put();
  store.Obey(stores);
  EXPECT_EQ(store.size(), 1u) << "nothing has changed";
  store.Obey(ceases);
  EXPECT_EQ(store.size(), 0u);
  put();  // by who was under way
  store.Obey(stores);
  EXPECT_EQ(store.size(), 0u);
}

}  // namespace
}  // namespace portico::cache
