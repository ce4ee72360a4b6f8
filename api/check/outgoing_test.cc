#include "api/check/outgoing.h"

#include <string>
#include <vector>

#include "api/base/text.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"

namespace portico::check {
namespace {

std::string Names(const std::set<ResourceKey>& keys) {
  std::vector<std::string> names;
  for (const ResourceKey& key : keys)
    names.push_back(key.ToString());
  return base::Join(names, ", ");
}

TEST(OutgoingOf, SaysWhatIsNeededAndWhatIsGuarded) {
  const struct {
    const char* name;
    std::string text, needs, guards;
  } kRows[] = {
      {"a gateway's certificates",
       "kind: Gateway\nmetadata: {name: g}\nspec: {listeners: [{name: a, tls: {certificateRefs: [{name: one}, {name: "
       "two, namespace: n}]}}, {name: b}]}",
       "Secret one, Secret n/two", ""},
      {"a route's parents and backends",
       "kind: Route\nmetadata: {name: r}\nspec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: c}, {kind: "
       "Composition, name: m}]}, {backendRefs: [{name: d, namespace: n}]}]}",
       "Cluster c, Cluster n/d, Composition m, Gateway g", ""},
      {"a route of another namespace",
       "kind: Route\nmetadata: {name: r, namespace: n}\nspec: {rules: [{backendRefs: "
       "[{name: c}]}]}",
       "Cluster n/c", ""},
      {"a composition's steps",
       "kind: Composition\nmetadata: {name: m}\nspec: {steps: [{name: s, call: {backendRef: {name: c}}}]}", "Cluster c",
       ""},
      {"a cluster's authorities", "kind: Cluster\nmetadata: {name: c}\nspec: {tls: {caCertificateRefs: [{name: ca}]}}",
       "Secret ca", ""},
      {"a cluster's endpoints", "kind: Cluster\nmetadata: {name: c}\nspec: {endpointsFrom: {name: e, namespace: n}}",
       "Endpoints n/e", ""},
      {"endpoints", "kind: Endpoints\nmetadata: {name: e}\nspec: {}", "", ""},
      {"a policy",
       "kind: AuthPolicy\nmetadata: {name: p}\nspec: {targetRefs: [{kind: HTTPRoute, name: r}, {kind: Gateway, name: "
       "g}], authentication: {anyOf: [{jwt: {jwks: {secretRef: {name: keys}}}}, {anonymous: {}}]}, authorization: "
       "{rules: [{principal: {consumers: [acme, n/far]}}]}}",
       "Consumer acme, Consumer n/far, Secret keys", "Gateway g, Route r"},
      {"limits",
       "kind: RateLimitPolicy\nmetadata: {name: p, namespace: n}\nspec: {targetRefs: [{kind: Route, name: r}, {kind: "
       "Gateway, name: g, namespace: far, sectionName: one}]}",
       "", "Gateway far/g, Route n/r"},
      {"a cache's policy",
       "kind: CachePolicy\nmetadata: {name: p}\nspec: {targetRefs: [{kind: Route, name: r, sectionName: one}]}", "",
       "Route r"},
      {"a purge",
       "kind: CachePurge\nmetadata: {name: p, namespace: n}\nspec: {targetRef: {kind: Gateway, name: g, namespace: "
       "far}}",
       "Gateway far/g", ""},
      {"a secret", "kind: Secret\nmetadata: {name: s}\nspec: {jwks: {inline: '{}'}}", "", ""},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    yaml::Problems problems(10);
    const std::vector<yaml::Document> documents = yaml::ReadText(row.text, "f", yaml::Limits(), problems);
    ASSERT_EQ(problems.ToString(), "");
    ASSERT_EQ(documents.size(), 1u);
    const Outgoing out = OutgoingOf(KeyOf(documents[0].resource), documents[0].resource);
    EXPECT_EQ(Names(out.needs), row.needs);
    EXPECT_EQ(Names(out.guards), row.guards);
  }
}

}  // namespace
}  // namespace portico::check
