#include "api/resolve/resolve.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "api/base/text.h"
#include "api/resolve/hostname.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portico::resolve {
namespace {

using check::ResourceKey;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const ResourceKey kGateway{"Gateway", "default", "front"};

std::vector<v1::Resource> Read(std::string_view text) {
  yaml::Problems problems(10);
  std::vector<v1::Resource> out;
  for (yaml::Document& document : yaml::ReadText(text, "test.yaml", yaml::Limits(), problems)) {
    out.push_back(std::move(document.resource));
  }
  EXPECT_TRUE(problems.empty()) << problems.ToString();
  return out;
}

check::Configuration Configure(const std::vector<v1::Resource>& resources) {
  check::Configuration configuration;
  for (const v1::Resource& resource : resources)
    EXPECT_TRUE(configuration.Add(resource));
  return configuration;
}

ResolvedGateway MustResolve(const check::Configuration& configuration) {
  absl::StatusOr<ResolvedGateway> gateway = Resolve(configuration, kGateway);
  EXPECT_TRUE(gateway.ok()) << gateway.status();
  return *std::move(gateway);
}

ResolvedGateway ResolveText(const std::string& text) {
  return MustResolve(Configure(Read(text)));
}

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

std::vector<std::string> Notices(const ResolvedGateway& gateway) {
  std::vector<std::string> out;
  for (const auto& [notice, none] : gateway.notices) {
    out.push_back(base::Concat(notice.resource.ToString(), ": ", notice.path, ": ", notice.message));
  }
  return out;
}

std::vector<SharedRule> Rules(const ResolvedGateway& gateway) {
  std::vector<SharedRule> rules;
  for (const auto& [key, route] : gateway.routes)
    rules.insert(rules.end(), route->rules.begin(), route->rules.end());
  return rules;
}

std::set<ResourceKey> Keys(const ResolvedGateway& gateway) {
  std::set<ResourceKey> keys;
  for (const auto& [key, reached] : gateway.reach)
    keys.insert(key);
  return keys;
}

const char kFront[] = R"(
kind: Gateway
metadata: {name: front}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
)";

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
  EXPECT_THAT(Notices(gateway), ElementsAre("Route r: spec.rules[1].matches[0]: can never win: Route r, rule "
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
    EXPECT_EQ(Notices(first), Notices(second));
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
    const std::vector<std::string> notices = Notices(gateway);
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
  EXPECT_THAT(Notices(gateway), ElementsAre(HasSubstr("its namespace has 2")));
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

std::string Policy(std::string_view name, std::string_view target, std::string_view halves) {
  return base::Concat("---\nkind: AuthPolicy\nmetadata: {name: ", name, "}\nspec: {targetRefs: [", target, "]", halves,
                      "}\n");
}

const char kAuthentication[] = ", authentication: {anyOf: [{anonymous: {}}]}";
const char kAuthorization[] = ", authorization: {defaultAction: Deny}";
const char kBoth[] = ", authentication: {anyOf: [{anonymous: {}}]}, authorization: {defaultAction: Deny}";

TEST(Resolve, NearestPolicyWinsByHalf) {
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
      const EffectiveAuth& auth = Rules(gateway)[rule]->auth;
      return base::Concat(auth.authentication ? auth.authentication->key.name : "-", " ",
                          auth.authorization ? auth.authorization->key.name : "-");
    };
    EXPECT_EQ(says(0), row.one);
    EXPECT_EQ(says(1), row.two);
    const std::vector<std::string> notices = Notices(gateway);
    ASSERT_EQ(notices.size(), row.notices.size()) << testing::PrintToString(notices);
    for (size_t i = 0; i < notices.size(); ++i)
      EXPECT_THAT(notices[i], HasSubstr(row.notices[i]));
  }
}

TEST(Resolve, PolicySaysWhereItComesFrom) {
  const ResolvedGateway gateway =
      ResolveText(base::Concat(kFront, "---\nkind: Route\nmetadata: {name: r}\nspec: {rules: [{name: one}]}\n",
                               Policy("p", "{kind: Route, name: r, sectionName: one}", kBoth)));
  EXPECT_EQ(Rules(gateway)[0]->auth.authentication->level, Level::kRule);
  EXPECT_EQ(Rules(gateway)[0]->auth.authentication->target, "Route r, rule one");
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
{kind: Cluster, metadata: {name: not-ours}, spec: {endpoints: [{address: 1.2.3.4, port: 1}]}}
---
{kind: Composition, metadata: {name: m}, spec: {steps: [{name: a, call: {backendRef: {name: c}, path: /}}], answer: {body: "1"}}}
---
{kind: Route, metadata: {name: r}, spec: {rules: [{backendRefs: [{kind: Composition, name: m}]}]}}
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
{kind: Consumer, metadata: {name: ours}, spec: {credentials: [{jwt: {issuer: us, claims: {azp: a}}}]}}
---
{kind: Consumer, metadata: {name: other-issuer}, spec: {credentials: [{jwt: {issuer: them, claims: {azp: a}}}]}}
---
{kind: Consumer, metadata: {name: named, namespace: team}, spec: {credentials: [{jwt: {issuer: us, claims: {azp: a}}}]}}
---
{kind: Consumer, metadata: {name: intruder, namespace: team}, spec: {groups: [admin], credentials: [{jwt: {issuer: us, claims: {azp: b}}}]}}
)";

TEST(Resolve, Reach) {
  const ResolvedGateway gateway = ResolveText(kEverything);
  std::vector<std::string> reach;
  for (const ResourceKey& key : Keys(gateway))
    reach.push_back(key.ToString());
  EXPECT_THAT(reach, ElementsAre("AuthPolicy p", "Cluster c", "Composition m", "Consumer ours", "Consumer team/named",
                                 "Gateway front", "Route r", "Secret ca", "Secret cert", "Secret jwks"));
  EXPECT_THAT(gateway.listeners[0].certificates, ElementsAre(ResourceKey{"Secret", "default", "cert"}));
  EXPECT_THAT(Notices(gateway), Contains(HasSubstr("spec.listeners[0].tls.certificateRefs[1]: Secret team/far")));
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
  EXPECT_EQ(Rules(part)[0]->auth.authentication->key, Rules(whole)[0]->auth.authentication->key);
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
  EXPECT_THAT(Notices(gateway),
              ElementsAre("Route c: spec.rules[0].matches[0]: can never win: Route b, rule 0, match 0 "
                          "takes every such request first"));
}

}  // namespace
}  // namespace portico::resolve
