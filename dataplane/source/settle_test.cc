#include "dataplane/source/settle.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "dataplane/source/versions_for_test.h"

namespace portico::source {
namespace {

using check::ResourceKey;
using namespace for_test;

struct Row {
  std::string_view name;
  std::vector<std::string> last, next;
  std::vector<std::string_view> refused;
  std::string_view effective, held;
};

void Settles(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    std::set<ResourceKey> refused;
    for (const std::string_view text : row.refused)
      refused.insert(Key(text));
    const Settled settled = Settle(Parse(row.last), Parse(row.next), refused);
    EXPECT_EQ(Text(settled.effective), row.effective);
    std::vector<std::string> held;
    for (const ResourceKey& key : settled.held)
      held.push_back(key.ToString());
    EXPECT_EQ(base::Join(held, ", "), row.held);
  }
}

const std::string kRoute1 = "Route r@1 {parentRefs: [{name: g}], rules: [{backendRefs: [{name: c}]}]}";
const std::string kRoute2 = "Route r@2 {parentRefs: [{name: g}], rules: [{backendRefs: [{name: c}]}]}";
const std::string kOther1 = "Route s@1 {parentRefs: [{name: g}], rules: [{backendRefs: [{name: d}]}]}";
const std::string kOther2 = "Route s@2 {parentRefs: [{name: g}], rules: [{backendRefs: [{name: d}]}]}";
const std::string kLoose2 = "Route r@2 {rules: [{backendRefs: [{name: c}]}]}";
const std::string kGuard1 = "AuthPolicy p@1 {targetRefs: [{kind: Route, name: r}]}";
const std::string kGuard2 = "AuthPolicy p@2 {targetRefs: [{kind: Route, name: r}]}";
const std::string kLimits1 = "RateLimitPolicy p@1 {targetRefs: [{kind: Route, name: r}]}";
const std::string kLimits2 = "RateLimitPolicy p@2 {targetRefs: [{kind: Route, name: r}]}";
const std::string kWide1 = "AuthPolicy p@1 {targetRefs: [{kind: Gateway, name: g}]}";
const std::string kWide2 = "AuthPolicy p@2 {targetRefs: [{kind: Gateway, name: g}]}";

TEST(Settle, WhatIsGoodComesIntoForce) {
  Settles(
      {{"the first", {}, {"Gateway g@1 {}", kRoute1, "Cluster c@1 {}"}, {}, "Cluster c@1, Gateway g@1, Route r@1", ""},
       {"a new version, a new one, and one that goes",
        {"Gateway g@1 {}", kRoute1, "Cluster c@1 {}"},
        {"Gateway g@1 {}", kRoute2, "Cluster d@2 {}"},
        {},
        "Cluster d@2, Gateway g@1, Route r@2",
        ""},
       {"everything goes", {"Gateway g@1 {}"}, {}, {}, "", ""}});
}

TEST(Settle, WhatIsRefusedKeepsItsLastVersionAndTheRestIsSwappedIn) {
  Settles({{"a cluster",
            {"Cluster c@1 {}", "Cluster d@1 {}"},
            {"Cluster c@2 {}", "Cluster d@2 {}"},
            {"Cluster c"},
            "Cluster c@1, Cluster d@2",
            ""},
           {"one without a last version", {}, {"Cluster c@1 {}", "Cluster d@1 {}"}, {"Cluster c"}, "Cluster d@1", ""},
           {"one that could not be read",
            {"Cluster c@1 {}"},
            {"Cluster d@2 {}"},
            {"Cluster c"},
            "Cluster c@1, Cluster d@2",
            ""},
           {"what needs it waits, what does not goes on",
            {"Cluster c@1 {}", kRoute1, kOther1},
            {"Cluster c@2 {}", kRoute2, kOther2},
            {"Cluster c"},
            "Cluster c@1, Route r@1, Route s@2",
            "Route r"},
           {"what needs it and has not changed is no link",
            {"Cluster c@1 {}", "Composition m@1 {steps: [{name: s, call: {backendRef: {name: c}}}]}",
             "Route r@1 {rules: [{backendRefs: [{kind: Composition, name: m}]}]}"},
            {"Cluster c@2 {}", "Composition m@1 {steps: [{name: s, call: {backendRef: {name: c}}}]}",
             "Route r@2 {rules: [{backendRefs: [{kind: Composition, name: m}]}]}"},
            {"Cluster c"},
            "Cluster c@1, Composition m@1, Route r@2",
            ""},
           {"over two changed ones",
            {},
            {"Cluster c@2 {}", "Composition m@2 {steps: [{name: s, call: {backendRef: {name: c}}}]}",
             "Route r@2 {rules: [{backendRefs: [{kind: Composition, name: m}]}]}"},
            {"Cluster c"},
            "",
            "Composition m, Route r"},
           {"what it needs stays, though it was deleted",
            {kRoute1, "Cluster c@1 {tls: {caCertificateRefs: [{name: ca}]}}", "Secret ca@1 {}", "Cluster d@1 {}"},
            {kRoute2},
            {"Route r"},
            "Cluster c@1, Route r@1, Secret ca@1",
            ""},
           {"a gateway holds its changed routes, by name and by default",
            {"Gateway g@1 {}", kRoute1, kOther1},
            {"Gateway g@2 {}", kLoose2, kOther2},
            {"Gateway g"},
            "Gateway g@1, Route r@1, Route s@1",
            "Route r, Route s"}});
}

TEST(Settle, NothingOpens) {
  Settles({{"a new policy: its new route is not there", {}, {kRoute1, kGuard1}, {"AuthPolicy p"}, "", "Route r"},
           {"a new policy: its route stays as it was",
            {kRoute1},
            {kRoute2, kGuard2},
            {"AuthPolicy p"},
            "Route r@1",
            "Route r"},
           {"a new policy over a gateway: no route changes",
            {"Gateway g@1 {}", kRoute1},
            {"Gateway g@1 {}", kRoute1, kOther2, kWide2},
            {"AuthPolicy p"},
            "Gateway g@1, Route r@1",
            "Route s"},
           {"a new policy over a gateway: none by default either",
            {"Gateway g@1 {}"},
            {"Gateway g@1 {}", kLoose2, kWide2},
            {"AuthPolicy p"},
            "Gateway g@1",
            "Route r"},
           {"a policy goes with the new form of its route, which is refused",
            {kRoute1, kGuard1},
            {kRoute2},
            {"Route r"},
            "AuthPolicy p@1, Route r@1",
            "AuthPolicy p"},
           {"a policy over the gateway is loosened with it",
            {"Gateway g@1 {}", kRoute1, kOther1, kWide1},
            {"Gateway g@1 {}", kRoute2, kOther2, kWide2},
            {"Route r"},
            "AuthPolicy p@1, Gateway g@1, Route r@1, Route s@1",
            "AuthPolicy p, Route s"},
           {"one that has not changed holds nobody",
            {"Gateway g@1 {}", kRoute1, kOther1, kWide1},
            {"Gateway g@1 {}", kRoute2, kOther2, kWide1},
            {"Route r"},
            "AuthPolicy p@1, Gateway g@1, Route r@1, Route s@2",
            ""},
           {"a policy that could not be read: it may guard any route of its namespace",
            {"Gateway g@1 {}", kRoute1},
            {"Gateway g@1 {}", kRoute1, kOther2, "Route far/r@2 {}", "Cluster c@2 {}"},
            {"AuthPolicy p"},
            "Cluster c@2, Gateway g@1, Route r@1, Route far/r@2",
            "Route s"},
           {"a policy that could not be read: and of a namespace with grants",
            {},
            {"Route far/r@2 {}", "ReferenceGrant far/g@2 {}"},
            {"AuthPolicy p"},
            "ReferenceGrant far/g@2",
            "Route far/r"},
           {"a consumer that could not be read: a policy might deny it by its group",
            {kRoute1, kGuard1},
            {kRoute2, kGuard2},
            {"Consumer a"},
            "AuthPolicy p@1, Route r@1",
            "AuthPolicy p, Route r"},
           {"a gateway that could not be read: who belongs to the only one waits",
            {},
            {kLoose2},
            {"Gateway g"},
            "",
            "Route r"},
           {"a policy in the place of another, over a route that has not changed",
            {kRoute1, kGuard1},
            {kRoute1, "AuthPolicy q@2 {targetRefs: [{kind: Route, name: r}]}"},
            {"AuthPolicy q"},
            "AuthPolicy p@1, Route r@1",
            "AuthPolicy p"},
           {"a target goes from one policy to another",
            {kRoute1, kOther1, "AuthPolicy p@1 {targetRefs: [{kind: Route, name: r}, {kind: Route, name: s}]}"},
            {kRoute1, kOther1, "AuthPolicy p@2 {targetRefs: [{kind: Route, name: s}]}",
             "AuthPolicy q@2 {targetRefs: [{kind: Route, name: r}]}"},
            {"AuthPolicy q"},
            "AuthPolicy p@1, Route r@1, Route s@1",
            "AuthPolicy p"},
           {"a route's policy in the place of its gateway's, which could not be read",
            {"Gateway g@1 {}", kRoute1, kWide1},
            {"Gateway g@1 {}", kRoute1},
            {"AuthPolicy q"},
            "AuthPolicy p@1, Gateway g@1, Route r@1",
            "AuthPolicy p"},
           {"a grant in the place of another, nothing else has changed",
            {"Route far/r@1 {}", "ReferenceGrant far/g@1 {}",
             "AuthPolicy p@1 {targetRefs: [{kind: Route, name: r, namespace: far}]}"},
            {"Route far/r@1 {}", "AuthPolicy p@1 {targetRefs: [{kind: Route, name: r, namespace: far}]}",
             "ReferenceGrant h@2 {}"},
            {"ReferenceGrant h"},
            "AuthPolicy p@1, ReferenceGrant far/g@1, Route far/r@1",
            "ReferenceGrant far/g"},
           {"the target and the grant of a policy that was there before",
            {"AuthPolicy far/p@1 {targetRefs: [{kind: Route, name: r, namespace: default}]}"},
            {"AuthPolicy far/p@1 {targetRefs: [{kind: Route, name: r, namespace: default}]}", kRoute2,
             "ReferenceGrant g@2 {}"},
            {"ReferenceGrant g"},
            "AuthPolicy far/p@1",
            "Route r"},
           {"new limits: their route stays as it was",
            {kRoute1},
            {kRoute2, kLimits2},
            {"RateLimitPolicy p"},
            "Route r@1",
            "Route r"},
           {"new limits over a gateway: its new route is not there",
            {"Gateway g@1 {}", kRoute1},
            {"Gateway g@1 {}", kRoute1, kOther2, "RateLimitPolicy p@2 {targetRefs: [{kind: Gateway, name: g}]}"},
            {"RateLimitPolicy p"},
            "Gateway g@1, Route r@1",
            "Route s"},
           {"limits go with the new form of their route, which is refused",
            {kRoute1, kLimits1},
            {kRoute2},
            {"Route r"},
            "RateLimitPolicy p@1, Route r@1",
            "RateLimitPolicy p"},
           {"limits in the place of others; policies of other kinds have no part in it",
            {kRoute1, kLimits1, kGuard1},
            {kRoute1, "RateLimitPolicy q@2 {targetRefs: [{kind: Route, name: r}]}",
             "AuthPolicy p@2 {targetRefs: [{kind: Route, name: s}]}"},
            {"RateLimitPolicy q"},
            "AuthPolicy p@2, RateLimitPolicy p@1, Route r@1",
            "RateLimitPolicy p"},
           {"limits that could not be read: they may be of any route of their namespace",
            {},
            {kOther2, "Cluster d@2 {}"},
            {"RateLimitPolicy p"},
            "Cluster d@2",
            "Route s"},
           {"that nothing is to be stored of a route is refused",
            {kRoute1},
            {kRoute2, "CachePolicy p@2 {targetRefs: [{kind: Route, name: r}], disabled: true}"},
            {"CachePolicy p"},
            "Route r@1",
            "Route r"},
           {"its key set is refused",
            {},
            {kRoute1, "Secret keys@1 {}",
             "AuthPolicy p@1 {targetRefs: [{kind: Route, name: r}], authentication: {anyOf: [{jwt: {jwks: {secretRef: "
             "{name: keys}}}}]}}"},
            {"Secret keys"},
            "",
            "AuthPolicy p, Route r"},
           {"its consumer is refused, named or not",
            {},
            {kRoute1, kGuard1, "Consumer a@1 {}"},
            {"Consumer a"},
            "",
            "AuthPolicy p, Route r"},
           {"a consumer changes with the policy that is refused",
            {kRoute1, kGuard1, "Consumer a@1 {}", "Consumer b@1 {}"},
            {kRoute1, kGuard2, "Consumer a@2 {}"},
            {"AuthPolicy p"},
            "AuthPolicy p@1, Consumer a@1, Consumer b@1, Route r@1",
            "Consumer a, Consumer b"},
           {"the grant of a policy goes with it",
            {"Route far/r@1 {}", "ReferenceGrant far/g@1 {}", "ReferenceGrant near/g@1 {}",
             "AuthPolicy p@1 {targetRefs: [{kind: Route, name: r, namespace: far}]}"},
            {"Route far/r@1 {}", "AuthPolicy p@2 {targetRefs: [{kind: Route, name: r}]}"},
            {"AuthPolicy p"},
            "AuthPolicy p@1, ReferenceGrant far/g@1, ReferenceGrant near/g@1, Route far/r@1",
            "ReferenceGrant far/g, ReferenceGrant near/g"}});
}

}  // namespace
}  // namespace portico::source
