#include "api/resolve/resolve.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "api/base/text.h"
#include "api/resolve/hostname.h"
#include "api/resolve/resolve_for_test.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portico::resolve {
namespace {

using namespace for_test;
using check::ResourceKey;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string PathText(const v1::PathMatch& path) {
  return base::Concat(path.type() == v1::PATH_MATCH_TYPE_EXACT         ? "="
                      : path.type() == v1::PATH_MATCH_TYPE_PATH_PREFIX ? "^"
                                                                       : "~",
                      path.value());
}

// "host path rule-name", one for each match of a listener, in order.
std::vector<std::string> Order(const ResolvedGateway& gateway, size_t listener = 0) {
  std::vector<std::string> out;
  for (const auto& [match, same] : gateway.listeners[listener].matches) {
    out.push_back(
        base::Concat(match->hostname, " ", PathText(match->match.path()), " ", match->rule->message().name()));
  }
  return out;
}

std::set<ResourceKey> Keys(const ResolvedGateway& gateway) {
  std::set<ResourceKey> keys;
  for (const auto& [key, reached] : gateway.reach)
    keys.insert(key);
  return keys;
}

TEST(Hostname, Intersection) {
  const struct {
    const char* name;
    const char* a;
    const char* b;
    const char* both;  // nullptr: none
  } kRows[] = {
      {"both any", "", "", ""},
      {"any and exact", "", "a.example", "a.example"},
      {"any and wildcard", "", "*.example", "*.example"},
      {"equal", "a.example", "a.example", "a.example"},
      {"different", "a.example", "b.example", nullptr},
      {"wildcard and exact", "*.example", "a.example", "a.example"},
      {"wildcard at any depth", "*.example", "a.b.example", "a.b.example"},
      {"wildcard needs a label", "*.example", "example", nullptr},
      {"wildcard ends at a dot", "*.example", "badexample", nullptr},
      {"narrower wildcard", "*.example", "*.a.example", "*.a.example"},
      {"other wildcard", "*.example", "*.test", nullptr},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const std::optional<std::string> expected =
        row.both == nullptr ? std::nullopt : std::optional(std::string(row.both));
    EXPECT_EQ(IntersectHostnames(row.a, row.b), expected);
    EXPECT_EQ(IntersectHostnames(row.b, row.a), expected);
  }
}

TEST(Hostname, Order) {
  std::vector<std::string> hosts = {"", "*.example", "b.example", "*.longer.example", "a.example", "*.fxample"};
  std::sort(hosts.begin(), hosts.end(), MoreSpecificHostname);
  EXPECT_THAT(hosts, ElementsAre("a.example", "b.example", "*.longer.example", "*.example", "*.fxample", ""));
}

TEST(Resolve, UnknownGateway) {
  EXPECT_EQ(Resolve(Configure(Read(kFront)), {"Gateway", "default", "other"}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(Resolve(Configure(Read(kFront)), {"Route", "default", "front"}).ok());
}

TEST(Resolve, Precedence) {
  const ResolvedGateway gateway = ResolveText(base::Concat(kFront, R"(
---
kind: Route
metadata: {name: r}
spec:
  hostnames: ["*.example", a.example]
  rules:
  - {name: everything}
  - {name: regex, matches: [{path: {type: RegularExpression, value: "/x.*"}}]}
  - {name: short, matches: [{path: {value: /a}}]}
  - {name: long, matches: [{path: {value: /a/b/}}]}
  - {name: header, matches: [{path: {value: /a}, headers: [{name: X, value: "1"}]}]}
  - {name: query, matches: [{path: {value: /a}, queryParams: [{name: q, value: "1"}, {name: r, value: "1"}]}]}
  - {name: method, matches: [{path: {value: /a}, method: GET}]}
  - {name: exact, matches: [{path: {type: Exact, value: /}}]}
)"));
  EXPECT_THAT(
      Order(gateway),
      ElementsAre("a.example =/ exact", "a.example ^/a/b long", "a.example ^/a method", "a.example ^/a header",
                  "a.example ^/a query", "a.example ^/a short", "a.example ^ everything", "a.example ~/x.* regex",
                  "*.example =/ exact", "*.example ^/a/b long", "*.example ^/a method", "*.example ^/a header",
                  "*.example ^/a query", "*.example ^/a short", "*.example ^ everything", "*.example ~/x.* regex"));
  EXPECT_THAT(NoticeTexts(gateway), ElementsAre("Route r: spec.rules[1].matches[0]: can never win: Route r, rule "
                                                "everything, match 0 takes every such request first"));
}

TEST(Resolve, OlderThenNameThenPlace) {
  std::vector<v1::Resource> resources = Read(base::Concat(kFront, R"(
---
kind: Route
metadata: {name: a}
spec: {rules: [{name: a0, matches: [{path: {value: /p}}]}, {name: a1, matches: [{path: {value: /p/}}]}]}
---
kind: Route
metadata: {name: b}
spec: {rules: [{name: b0, matches: [{path: {value: /p}}]}]}
---
kind: Route
metadata: {name: old}
spec: {rules: [{name: old0, matches: [{path: {value: /p}}]}]}
)"));
  for (v1::Resource& resource : resources) {
    if (!resource.has_route()) continue;
    v1::Metadata& metadata = *resource.mutable_route()->mutable_metadata();
    metadata.set_creation_revision(metadata.name() == "old" ? 3 : 7);
  }
  const ResolvedGateway gateway = MustResolve(Configure(resources));
  EXPECT_THAT(Order(gateway), ElementsAre(" ^/p old0", " ^/p a0", " ^/p a1", " ^/p b0"));
  EXPECT_EQ(gateway.notices.size(), 3);
  for (const auto& [notice, none] : gateway.notices) {
    EXPECT_EQ(notice.kind, Notice::Kind::kNeverWins);
    EXPECT_THAT(notice.message, HasSubstr("Route old, rule old0, match 0"));
  }
}

// The order is total and does not depend on the order in which resources are added or matches sorted.
TEST(Resolve, OrderIsIndependentOfInput) {
  std::mt19937 random(7);
  const auto pick = [&random](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  for (int round = 0; round < 40; ++round) {
    std::string text = kFront;
    for (int route = 0; route < 6; ++route) {
      text += base::Concat("\n---\nkind: Route\nmetadata: {name: r", route, "}\nspec:\n  hostnames: ['",
                           pick({"*.example", "a.example", "b.a.example"}), "']\n  rules:\n");
      for (int rule = 0; rule < 4; ++rule) {
        text += base::Concat("  - {name: r", route, "-", rule,
                             ", matches: [{path: {type: ", pick({"Exact", "PathPrefix", "RegularExpression"}),
                             ", value: ", pick({"/a", "/a/b", "/"}), "}", pick({"", ", method: GET"}),
                             pick({"", ", headers: [{name: x, value: y}]"}), "}]}\n");
      }
    }
    std::vector<v1::Resource> resources = Read(text);
    const ResolvedGateway first = MustResolve(Configure(resources));
    std::shuffle(resources.begin(), resources.end(), random);
    const ResolvedGateway second = MustResolve(Configure(resources));
    EXPECT_EQ(Order(first), Order(second));
    EXPECT_EQ(NoticeTexts(first), NoticeTexts(second));
    std::vector<std::string> order = Order(first);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(std::unique(order.begin(), order.end()), order.end()) << "a match twice";
  }
}

struct AttachRow {
  const char* name;
  const char* listeners;
  const char* metadata;
  const char* spec;
  std::vector<std::string> on;  // "listener host"
  const char* notice;           // part of the only one; "" none
};

TEST(Resolve, Attachment) {
  const std::string http = "{name: http, port: 80, protocol: HTTP}";
  const std::string two = http + ", {name: api, port: 81, protocol: HTTP, hostname: api.example}";
  const std::string all = "{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}";
  const std::string none = "{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: None}}}";
  const std::vector<AttachRow> rows = {
      {"default is the only gateway", http.c_str(), "", "", {"http "}, ""},
      {"by name", http.c_str(), "", "parentRefs: [{name: front}], ", {"http "}, ""},
      {"another gateway", http.c_str(), "", "parentRefs: [{name: back}], ", {}, ""},
      {"all listeners", two.c_str(), "", "", {"api api.example", "http "}, ""},
      {"section", two.c_str(), "", "parentRefs: [{name: front, sectionName: api}], ", {"api api.example"}, ""},
      {"port", two.c_str(), "", "parentRefs: [{name: front, port: 80}], ", {"http "}, ""},
      {"twice", http.c_str(), "", "parentRefs: [{name: front}, {name: front, port: 80}], ", {"http "}, ""},
      {"unknown section",
       two.c_str(),
       "",
       "parentRefs: [{name: front, sectionName: nope}], ",
       {},
       "has no listener named `nope`"},
      {"unknown port", two.c_str(), "", "parentRefs: [{name: front, port: 82}], ", {}, "has no listener on port 82"},
      {"hostnames intersect", two.c_str(), "", "hostnames: ['*.example'], ", {"api api.example", "http *.example"}, ""},
      {"case",
       two.c_str(),
       "",
       "parentRefs: [{name: front, sectionName: api}], hostnames: [API.example], ",
       {"api api.example"},
       ""},
      {"no hostname",
       two.c_str(),
       "",
       "parentRefs: [{name: front, sectionName: api}], hostnames: [other.example], ",
       {},
       "no hostname is both"},
      {"other namespace",
       http.c_str(),
       ", namespace: team",
       "parentRefs: [{name: front, namespace: default}], ",
       {},
       "does not admit"},
      {"other namespace allowed",
       all.c_str(),
       ", namespace: team",
       "parentRefs: [{name: front, namespace: default}], ",
       {"http "},
       ""},
      {"default stays in the namespace", all.c_str(), ", namespace: team", "", {}, ""},
      {"same name elsewhere", all.c_str(), ", namespace: team", "parentRefs: [{name: front}], ", {}, ""},
      {"none allowed", none.c_str(), "", "", {}, "does not admit"},
  };
  for (const AttachRow& row : rows) {
    SCOPED_TRACE(row.name);
    const ResolvedGateway gateway = ResolveText(base::Concat(
        "kind: Gateway\nmetadata: {name: front}\nspec: {listeners: [", row.listeners,
        "]}\n---\nkind: Route\nmetadata: {name: r", row.metadata, "}\nspec: {", row.spec, "rules: [{}]}\n"));
    std::vector<std::string> on;
    for (const ResolvedListener& listener : gateway.listeners) {
      for (const auto& [match, same] : listener.matches)
        on.push_back(base::Concat(listener.name, " ", match->hostname));
    }
    std::sort(on.begin(), on.end());
    EXPECT_EQ(on, row.on);
    const std::vector<std::string> notices = NoticeTexts(gateway);
    if (*row.notice == '\0') {
      EXPECT_THAT(notices, IsEmpty());
    } else {
      EXPECT_THAT(notices, ElementsAre(HasSubstr(row.notice)));
    }
  }
}

TEST(Resolve, DefaultWithTwoGateways) {
  const ResolvedGateway gateway = ResolveText(base::Concat(kFront, R"(
---
kind: Gateway
metadata: {name: back}
spec: {listeners: [{name: http, port: 81, protocol: HTTP}]}
---
kind: Route
metadata: {name: r}
spec: {rules: [{}]}
)"));
  EXPECT_TRUE(Rules(gateway).empty());
  EXPECT_THAT(NoticeTexts(gateway), ElementsAre(HasSubstr("its namespace has 2")));
}

const char kBackends[] = R"(
---
kind: Cluster
metadata: {name: here}
spec: {endpoints: [{address: 127.0.0.1, port: 9001}]}
---
kind: Cluster
metadata: {name: there, namespace: team}
spec: {endpoints: [{address: 127.0.0.1, port: 9001}]}
---
kind: Cluster
metadata: {name: secretive, namespace: team}
spec: {endpoints: [{address: 127.0.0.1, port: 9001}]}
---
kind: Secret
metadata: {name: keys}
spec: {jwks: {inline: "{}"}}
---
kind: ReferenceGrant
metadata: {name: let-in, namespace: team}
spec: {from: [{kind: HTTPRoute, namespace: default}], to: [{kind: Cluster, name: there}]}
---
kind: ReferenceGrant
metadata: {name: unused, namespace: team}
spec: {from: [{kind: AuthPolicy, namespace: default}], to: [{kind: Cluster}]}
)";

TEST(Resolve, Backends) {
  const ResourceKey grant{"ReferenceGrant", "team", "let-in"};
  const struct {
    const char* name;
    const char* backend;
    const char* fault;  // part of it; "" good
    std::vector<ResourceKey> reach;
  } kRows[] = {
      {"here", "{name: here}", "", {{"Cluster", "default", "here"}}},
      {"port", "{name: here, port: 9001}", "", {{"Cluster", "default", "here"}}},
      {"wrong port", "{name: here, port: 9009}", "no endpoint with port 9009", {{"Cluster", "default", "here"}}},
      {"unknown", "{name: nowhere}", "does not exist", {}},
      {"another kind", "{kind: Composition, name: here}", "does not exist", {}},
      {"no backend kind", "{kind: Secret, name: keys}", "can't be sent", {}},
      {"granted", "{name: there, namespace: team}", "", {{"Cluster", "team", "there"}, grant}},
      {"not granted", "{name: secretive, namespace: team}", "ReferenceGrant", {}},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const ResolvedGateway gateway = ResolveText(
        base::Concat(kFront, kBackends, "---\nkind: Route\nmetadata: {name: r}\nspec: {rules: [{backendRefs: [",
                     row.backend, "]}]}\n"));
    ASSERT_EQ(Rules(gateway).size(), 1);
    ASSERT_EQ(Rules(gateway)[0]->backends.size(), 1);
    const std::string fault = Rules(gateway)[0]->backends[0].fault;
    if (*row.fault == '\0') {
      EXPECT_EQ(fault, "");
    } else {
      EXPECT_THAT(fault, HasSubstr(row.fault));
    }
    std::set<ResourceKey> expected(row.reach.begin(), row.reach.end());
    expected.insert(kGateway);
    expected.insert({"Route", "default", "r"});
    EXPECT_EQ(Keys(gateway), expected);
  }
}

const char kEverything[] = R"(
kind: Gateway
metadata: {name: front}
spec: {listeners: [{name: s, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}, {name: far, namespace: team}]}}]}
---
{kind: Secret, metadata: {name: cert}, spec: {tls: {certificate: {inline: a}, privateKey: {inline: b}}}}
---
{kind: Secret, metadata: {name: far, namespace: team}, spec: {tls: {certificate: {inline: a}, privateKey: {inline: b}}}}
---
{kind: Secret, metadata: {name: jwks}, spec: {jwks: {inline: "{}"}}}
---
{kind: Secret, metadata: {name: ca}, spec: {caCertificates: {inline: a}}}
---
{kind: Secret, metadata: {name: not-ours}, spec: {jwks: {inline: "{}"}}}
---
{kind: Cluster, metadata: {name: c}, spec: {endpoints: [{address: 1.2.3.4, port: 1}], tls: {hostname: h, caCertificateRefs: [{name: ca}]}}}
---
{kind: Cluster, metadata: {name: moving}, spec: {endpointsFrom: {name: list}}}
---
{kind: Endpoints, metadata: {name: list}, spec: {endpoints: [{address: 1.2.3.4, port: 1}]}}
---
{kind: Endpoints, metadata: {name: not-ours}, spec: {endpoints: [{address: 1.2.3.4, port: 1}]}}
---
{kind: Cluster, metadata: {name: not-ours}, spec: {endpoints: [{address: 1.2.3.4, port: 1}]}}
---
{kind: Composition, metadata: {name: m}, spec: {steps: [{name: a, call: {backendRef: {name: c}, path: /}}], answer: {body: "1"}}}
---
{kind: Route, metadata: {name: r}, spec: {rules: [{backendRefs: [{kind: Composition, name: m}, {name: moving, port: 7}]}]}}
---
{kind: Route, metadata: {name: not-ours}, spec: {parentRefs: [{name: other}], rules: [{backendRefs: [{name: not-ours}]}]}}
---
kind: AuthPolicy
metadata: {name: p}
spec:
  targetRefs: [{kind: Gateway, name: front}]
  authentication: {anyOf: [{jwt: {issuer: us, audiences: [a], jwks: {secretRef: {name: jwks}}}}]}
  authorization: {defaultAction: Deny, rules: [{name: a, action: Allow, principal: {consumers: [team/named]}}]}
---
{kind: AuthPolicy, metadata: {name: not-ours}, spec: {targetRefs: [{kind: Route, name: not-ours}], authorization: {defaultAction: Deny}}}
---
{kind: RateLimitPolicy, metadata: {name: limits}, spec: {targetRefs: [{kind: Gateway, name: front}]}}
---
{kind: RateLimitPolicy, metadata: {name: limits-too}, spec: {targetRefs: [{kind: Gateway, name: front}]}}
---
{kind: RateLimitPolicy, metadata: {name: not-ours}, spec: {targetRefs: [{kind: Route, name: not-ours}]}}
---
{kind: CachePolicy, metadata: {name: cache}, spec: {targetRefs: [{kind: Route, name: r}]}}
---
{kind: CachePurge, metadata: {name: purge}, spec: {targetRef: {kind: Gateway, name: front}}}
---
{kind: CachePurge, metadata: {name: not-ours}, spec: {targetRef: {kind: Gateway, name: other}}}
---
{kind: CachePurge, metadata: {name: not-granted, namespace: team}, spec: {targetRef: {kind: Gateway, name: front, namespace: default}}}
---
{kind: Consumer, metadata: {name: ours}, spec: {credentials: [{jwt: {issuer: us, claims: {azp: a}}}]}}
---
{kind: Consumer, metadata: {name: other-issuer}, spec: {credentials: [{jwt: {issuer: them, claims: {azp: a}}}]}}
---
{kind: Consumer, metadata: {name: named, namespace: team}, spec: {credentials: [{jwt: {issuer: us, claims: {azp: a}}}]}}
---
{kind: Consumer, metadata: {name: intruder, namespace: team}, spec: {groups: [admin], credentials: [{jwt: {issuer: us, claims: {azp: b}}}]}}
)";

TEST(Resolve, KeysBringTheConsumersOfTheirNamespace) {
  const auto reached = [](const std::string& method) {
    const ResolvedGateway gateway = ResolveText(base::Concat(R"(
kind: Gateway
metadata: {name: front}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
---
{kind: Consumer, metadata: {name: by-key}, spec: {credentials: [{jwt: {issuer: us, claims: {azp: a}}}, {apiKey: {sha256: d}}]}}
---
{kind: Consumer, metadata: {name: by-token}, spec: {credentials: [{jwt: {issuer: them, claims: {azp: a}}}]}}
---
{kind: Consumer, metadata: {name: elsewhere, namespace: team}, spec: {credentials: [{apiKey: {sha256: d}}]}}
---
kind: AuthPolicy
metadata: {name: p}
spec:
  targetRefs: [{kind: Gateway, name: front}]
  authentication: {anyOf: [{)",
                                                             method, "}]}\n"));
    std::string out;
    for (const auto& [key, value] : gateway.reach)
      if (key.kind == "Consumer") out += key.ToString() + " ";
    return out;
  };
  EXPECT_EQ(reached("apiKey: {extractFrom: {headers: [{name: k}]}}"), "Consumer by-key ");
  EXPECT_EQ(reached("anonymous: {}"), "");
}

TEST(Resolve, PagesThatMayDoAllAreToldOf) {
  const auto notices = [](const std::string& cors) {
    const auto gateway = ResolveText(base::Concat(R"(
kind: Gateway
metadata: {name: front}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: Cluster
metadata: {name: c}
spec: {endpoints: [{address: 127.0.0.1, port: 1}]}
---
kind: Route
metadata: {name: r}
spec:
  parentRefs: [{name: front}]
  rules: [{filters: [{type: CORS, cors: {)",
                                                  cors, "}}], backendRefs: [{name: c}]}]\n"));
    return base::Join(NoticeTexts(gateway), "\n");
  };
  EXPECT_EQ(
      notices("allowOrigins: ['*'], allowCredentials: true"),
      "Route r: spec.rules[0].filters[0].cors.allowCredentials: beside allowOrigins `*`: every page on the web may "
      "read what its visitor may; name the origins");
  EXPECT_EQ(notices("allowOrigins: ['*']"), "");
  EXPECT_EQ(notices("allowOrigins: ['https://a.example'], allowCredentials: true"), "");
}

TEST(Resolve, KeysInAQueryAreToldOf) {
  const auto notices = [](const std::string& places) {
    std::string out;
    for (const auto& [notice, none] : ResolveText(base::Concat(R"(
kind: Gateway
metadata: {name: front}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: AuthPolicy
metadata: {name: keys}
spec:
  targetRefs: [{kind: Gateway, name: front}]
  authentication: {anyOf: [{anonymous: {}}, {apiKey: {extractFrom: {)",
                                                               places, "}}}]}\n"))
                                          .notices) {
      out += base::Concat(notice.resource.ToString(), ": ", notice.path, " ", notice.message, "\n");
    }
    return out;
  };
  EXPECT_THAT(notices("queryParams: [{name: key}]"),
              HasSubstr("AuthPolicy keys: spec.authentication.anyOf[1].apiKey.extractFrom.queryParams keys in a query "
                        "end up in logs"));
  EXPECT_EQ(notices("headers: [{name: key}], cookies: [{name: key}]"), "");
}

TEST(Resolve, Reach) {
  const ResolvedGateway gateway = ResolveText(kEverything);
  std::vector<std::string> reach;
  for (const ResourceKey& key : Keys(gateway))
    reach.push_back(key.ToString());
  EXPECT_THAT(reach, ElementsAre("AuthPolicy p", "CachePolicy cache", "CachePurge purge", "Cluster c", "Cluster moving",
                                 "Composition m", "Consumer ours", "Consumer team/named", "Endpoints list",
                                 "Gateway front", "RateLimitPolicy limits", "RateLimitPolicy limits-too", "Route r",
                                 "Secret ca", "Secret cert", "Secret jwks"));
  EXPECT_THAT(gateway.listeners[0].certificates, ElementsAre(ResourceKey{"Secret", "default", "cert"}));
  EXPECT_THAT(NoticeTexts(gateway), Contains(HasSubstr("spec.listeners[0].tls.certificateRefs[1]: Secret team/far")));
}

// A proxy has only what its gateway reaches, and must come to the same result.
TEST(Resolve, ReachIsEnough) {
  const std::vector<v1::Resource> all = Read(kEverything);
  const ResolvedGateway whole = MustResolve(Configure(all));
  std::vector<v1::Resource> reached;
  for (const v1::Resource& resource : all) {
    if (whole.reach.contains(check::KeyOf(resource))) reached.push_back(resource);
  }
  ASSERT_LT(reached.size(), all.size());
  const ResolvedGateway part = MustResolve(Configure(reached));
  EXPECT_EQ(Keys(part), Keys(whole));
  EXPECT_EQ(Order(part), Order(whole));
  const EffectivePolicies &few = Rules(part)[0]->policies, &all_of_them = Rules(whole)[0]->policies;
  EXPECT_EQ(few.auth.authentication->key, all_of_them.auth.authentication->key);
  ASSERT_EQ(few.limits.size(), 2u);
  EXPECT_EQ(few.limits[0].key, all_of_them.limits.at(0).key);
  EXPECT_EQ(few.limits[1].key, all_of_them.limits.at(1).key);
  EXPECT_EQ(few.cache->key, all_of_them.cache->key);
}

TEST(Resolve, ShadowsOnlyIfEverywhere) {
  const ResolvedGateway gateway = ResolveText(base::Concat(kFront, R"(
---
kind: Route
metadata: {name: a}
spec: {hostnames: [a.example], rules: [{matches: [{path: {value: /x}, headers: [{name: H, value: "1"}, {name: i, value: "2"}]}]}]}
---
kind: Route
metadata: {name: b}
spec: {hostnames: [a.example, b.example], rules: [{matches: [{path: {value: /x}, headers: [{name: i, value: "2"}, {name: h, value: "1"}, {name: H, value: "3"}]}]}]}
---
kind: Route
metadata: {name: c}
spec: {hostnames: [b.example], rules: [{matches: [{path: {value: /x/}, headers: [{name: h, value: "1"}, {name: i, value: "2"}]}, {path: {value: /y}}]}]}
)"));
  EXPECT_THAT(NoticeTexts(gateway),
              ElementsAre("Route c: spec.rules[0].matches[0]: can never win: Route b, rule 0, match 0 "
                          "takes every such request first"));
}

}  // namespace
}  // namespace portico::resolve
