// Which policies hold for a rule.

#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "api/resolve/resolve_for_test.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portico::resolve {
namespace {

using namespace for_test;
using testing::HasSubstr;

std::string Policy(std::string_view name, std::string_view target, std::string_view halves) {
  return base::Concat("---\nkind: AuthPolicy\nmetadata: {name: ", name, "}\nspec: {targetRefs: [", target, "]", halves,
                      "}\n");
}

const char kAuthentication[] = ", authentication: {anyOf: [{anonymous: {}}]}";
const char kAuthorization[] = ", authorization: {defaultAction: Deny}";
const char kBoth[] = ", authentication: {anyOf: [{anonymous: {}}]}, authorization: {defaultAction: Deny}";

TEST(Policies, NearestPolicyWinsByHalf) {
  const std::string routes = base::Concat(kFront, R"(
---
kind: Route
metadata: {name: r}
spec: {rules: [{name: one}, {name: two, matches: [{path: {value: /2}}]}]}
)");
  const struct {
    const char* name;
    std::string policies;
    const char* one;  // who says authentication and authorization of rule one
    const char* two;
    std::vector<std::string> notices;  // part of each
  } kRows[] = {
      {"nobody", "", "- -", "- -", {}},
      {"gateway", Policy("g", "{kind: Gateway, name: front}", kBoth), "g g", "g g", {}},
      {"listener over gateway",
       Policy("g", "{kind: Gateway, name: front}", kBoth) +
           Policy("l", "{kind: Gateway, name: front, sectionName: http}", kAuthentication),
       "l g",
       "l g",
       {}},
      {"route over listener",
       Policy("l", "{kind: Gateway, name: front, sectionName: http}", kBoth) +
           Policy("r", "{kind: Route, name: r}", kAuthorization),
       "l r",
       "l r",
       {}},
      {"rule over route",
       Policy("r", "{kind: Route, name: r}", kBoth) +
           Policy("o", "{kind: Route, name: r, sectionName: one}", kAuthorization) +
           Policy("t", "{kind: HTTPRoute, name: r, sectionName: two}", kAuthentication),
       "r o",
       "t r",
       {}},
      {"two of one target",
       Policy("b", "{kind: Gateway, name: front}", kAuthentication) +
           Policy("a", "{kind: Gateway, name: front}", kBoth),
       "a a",
       "a a",
       {"AuthPolicy b: spec.targetRefs[0]: AuthPolicy a says the authentication"}},
      {"two halves of one target",
       Policy("b", "{kind: Gateway, name: front}", kAuthentication) +
           Policy("a", "{kind: Gateway, name: front}", kAuthorization),
       "b a",
       "b a",
       {}},
      {"unknown route", Policy("x", "{kind: Route, name: nope}", kBoth), "- -", "- -", {"Route nope does not exist"}},
      {"unknown rule",
       Policy("x", "{kind: Route, name: r, sectionName: three}", kBoth),
       "- -",
       "- -",
       {"Route r, rule three does not exist"}},
      {"unknown listener",
       Policy("x", "{kind: Gateway, name: front, sectionName: https}", kBoth),
       "- -",
       "- -",
       {"listener https does not exist"}},
      {"kind that takes none", Policy("x", "{kind: Cluster, name: r}", kBoth), "- -", "- -", {"does not exist"}},
      {"other namespace",
       base::Concat("---\nkind: AuthPolicy\nmetadata: {name: x, namespace: team}\nspec: {targetRefs: [{kind: Route, "
                    "name: r, namespace: default}]",
                    kBoth, "}\n"),
       "- -",
       "- -",
       {"no ReferenceGrant"}},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const ResolvedGateway gateway = ResolveText(routes + row.policies);
    const auto says = [&gateway](size_t rule) {
      const EffectiveAuth& auth = Rules(gateway)[rule]->policies.auth;
      return base::Concat(auth.authentication ? auth.authentication->key.name : "-", " ",
                          auth.authorization ? auth.authorization->key.name : "-");
    };
    EXPECT_EQ(says(0), row.one);
    EXPECT_EQ(says(1), row.two);
    const std::vector<std::string> notices = NoticeTexts(gateway);
    ASSERT_EQ(notices.size(), row.notices.size()) << testing::PrintToString(notices);
    for (size_t i = 0; i < notices.size(); ++i)
      EXPECT_THAT(notices[i], HasSubstr(row.notices[i]));
  }
}

std::string PolicyOf(std::string_view kind, std::string_view name, std::string_view targets) {
  return base::Concat("---\nkind: ", kind, "\nmetadata: {name: ", name, "}\nspec: {targetRefs: [", targets, "]}\n");
}

TEST(Policies, LimitsOfAllLevelsHoldAndTheNearestCache) {
  const std::string routes = base::Concat(kFront, R"(---
kind: Route
metadata: {name: r}
spec: {rules: [{name: one}, {name: two, matches: [{path: {value: /2}}]}]}
)");
  const std::string gateway = "{kind: Gateway, name: front}",
                    listener = "{kind: Gateway, name: front, sectionName: http}", route = "{kind: Route, name: r}",
                    rule = "{kind: Route, name: r, sectionName: one}";
  const struct {
    const char* name;
    std::string policies;
    const char* one;  // limits, then the cache, of rule one
    const char* two;
    std::vector<std::string> notices;
  } kRows[] = {
      {"nobody", "", "/-", "/-", {}},
      {"limits of each level, outermost first",
       PolicyOf("RateLimitPolicy", "a", rule) + PolicyOf("RateLimitPolicy", "b", route) +
           PolicyOf("RateLimitPolicy", "c", listener) + PolicyOf("RateLimitPolicy", "d", gateway),
       "d c b a /-",
       "d c b /-",
       {}},
      {"a policy of several levels counts once, and outermost",
       PolicyOf("RateLimitPolicy", "a", base::Concat(rule, ", ", gateway)) + PolicyOf("RateLimitPolicy", "b", route),
       "a b /-",
       "a b /-",
       {}},
      {"of several of one target all hold",
       PolicyOf("RateLimitPolicy", "c", base::Concat(rule, ", ", route)) + PolicyOf("RateLimitPolicy", "b", route) +
           PolicyOf("RateLimitPolicy", "a", route),
       "a b c /-",
       "a b c /-",
       {"RateLimitPolicy b: spec.targetRefs[0]: RateLimitPolicy a says the limits of Route r already: the limits of "
        "both "
        "apply",
        "RateLimitPolicy c: spec.targetRefs[1]: RateLimitPolicy a says the limits of Route r already: the limits of "
        "both "
        "apply"}},
      {"the nearest cache",
       PolicyOf("CachePolicy", "a", gateway) + PolicyOf("CachePolicy", "b", rule) +
           PolicyOf("CachePolicy", "c", listener),
       "/b",
       "/c",
       {}},
      {"of two of the cache one holds",
       PolicyOf("CachePolicy", "b", gateway) + PolicyOf("CachePolicy", "a", gateway),
       "/a",
       "/a",
       {"CachePolicy b: spec.targetRefs[0]: CachePolicy a says the caching of Gateway front already"}},
      {"kinds don't mix",
       PolicyOf("RateLimitPolicy", "a", route) + PolicyOf("CachePolicy", "a", route),
       "a /a",
       "a /a",
       {}},
      {"nothing to limit",
       PolicyOf("RateLimitPolicy", "a", "{kind: Route, name: s}"),
       "/-",
       "/-",
       {"RateLimitPolicy a: spec.targetRefs[0]: guards nothing: Route s does not exist"}},
      {"another namespace's",
       "---\nkind: RateLimitPolicy\nmetadata: {name: a, namespace: team}\nspec: {targetRefs: [{kind: Route, name: r, "
       "namespace: default}]}\n",
       "/-",
       "/-",
       {"no ReferenceGrant"}},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const ResolvedGateway resolved = ResolveText(routes + row.policies);
    const auto says = [&resolved](size_t rule) {
      const EffectivePolicies& policies = Rules(resolved)[rule]->policies;
      std::string text;
      for (const BoundPolicy& limits : policies.limits)
        text += limits.key.name + " ";
      return base::Concat(text, "/", policies.cache ? policies.cache->key.name : "-");
    };
    EXPECT_EQ(says(0), row.one);
    EXPECT_EQ(says(1), row.two);
    const std::vector<std::string> notices = NoticeTexts(resolved);
    ASSERT_EQ(notices.size(), row.notices.size()) << testing::PrintToString(notices);
    for (size_t i = 0; i < notices.size(); ++i)
      EXPECT_THAT(notices[i], HasSubstr(row.notices[i]));
  }
}

TEST(Policies, PolicySaysWhereItComesFrom) {
  const ResolvedGateway gateway =
      ResolveText(base::Concat(kFront, "---\nkind: Route\nmetadata: {name: r}\nspec: {rules: [{name: one}]}\n",
                               Policy("p", "{kind: Route, name: r, sectionName: one}", kBoth)));
  EXPECT_EQ(Rules(gateway)[0]->policies.auth.authentication->level, Level::kRule);
  EXPECT_EQ(Rules(gateway)[0]->policies.auth.authentication->target, "Route r, rule one");
}

}  // namespace
}  // namespace portico::resolve
