#include "api/check/references/references.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "api/base/text.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"

namespace portico::check {
namespace {

constexpr char kBase[] = R"(
kind: Gateway
metadata: {name: g}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}, {name: open, port: 81, allowedRoutes: {namespaces: {from: All}}}]}
---
kind: Cluster
metadata: {name: orders}
spec: {endpoints: [{address: 127.0.0.1, port: 9001}]}
---
kind: Secret
metadata: {name: keys}
spec: {jwks: {inline: '{}'}}
---
kind: Cluster
metadata: {name: away, namespace: other}
---
kind: Consumer
metadata: {name: acme}
---
kind: Consumer
metadata: {name: far, namespace: other}
---
kind: Composition
metadata: {name: c}
---
kind: Route
metadata: {name: r}
spec: {parentRefs: [{name: g}], rules: [{name: first, backendRefs: [{name: orders, port: 9001}]}]}
)";

std::string Check(const std::string& more) {
  yaml::Problems problems(10);
  Configuration configuration;
  for (const yaml::Document& document : yaml::ReadText(kBase + ("---\n" + more), "f", yaml::Limits(), problems)) {
    EXPECT_TRUE(configuration.Add(document.resource));
  }
  EXPECT_EQ(problems.ToString(), "");
  std::string all;
  for (const Violation& violation : CheckReferences(configuration)) {
    all += violation.key.ToString() + ": " + violation.path + " " + violation.message + "\n";
  }
  return all;
}

std::string Route(const std::string& spec) {
  return "kind: Route\nmetadata: {name: x}\nspec: {" + spec + "}\n";
}
std::string Backend(const std::string& reference) {
  return Route("rules: [{backendRefs: [{" + reference + "}]}]");
}
std::string Policy(const std::string& name, const std::string& spec) {
  return "kind: AuthPolicy\nmetadata: {name: " + name + "}\nspec: {" + spec + "}\n";
}
std::string PolicyOf(const std::string& kind, const std::string& name, const std::string& targets) {
  return "kind: " + kind + "\nmetadata: {name: " + name + "}\nspec: {targetRefs: [" + targets + "]}\n";
}
std::string Consumers(const std::string& names) {
  return Policy("x", "authorization: {rules: [{name: a}, {name: b, principal: {consumers: [" + names + "]}}]}");
}

// "k1, k2" stand for digests.
std::string Key(const std::string& name, const std::string& name_space, const std::string& keys) {
  std::string credentials;
  for (const std::string_view key : base::Split(keys, ','))
    credentials += "{apiKey: {sha256: " + std::string(base::TrimSpace(key)) + "}}, ";
  return "kind: Consumer\nmetadata: {name: " + name + ", namespace: " + name_space + "}\nspec: {credentials: [" +
         credentials + "]}\n";
}

TEST(CheckReferences, NamesFieldAndNearest) {
  const std::string grant =
      "---\nkind: ReferenceGrant\nmetadata: {name: g, namespace: other}\nspec: {from: [{kind: HTTPRoute, namespace: "
      "default}], to: [{kind: Cluster}]}\n";
  const std::string moving = "---\nkind: Cluster\nmetadata: {name: moving}\nspec: {endpointsFrom: {name: list}}\n";
  const std::string named = "---\nkind: Cluster\nmetadata: {name: named}\nspec: {dns: {hostname: a, port: 5}}\n";
  const std::string listed = "---\nkind: Endpoints\nmetadata: {name: list}\nspec: {endpoints: []}\n";
  const struct {
    const char* name;
    std::string text;
    std::string expected;  // the beginning; "": accepted
  } kRows[] = {
      {"good", Backend("name: orders"), ""},
      {"unknown cluster", Backend("name: order"),
       "Route x: spec.rules[0].backendRefs[0].name there is no Cluster order; did you mean `orders`?"},
      {"Service", Backend("kind: Service, name: a"),
       "Route x: spec.rules[0].backendRefs[0].kind must be Cluster or Composition, not Service"},
      {"port", Backend("name: orders, port: 1"),
       "Route x: spec.rules[0].backendRefs[0].port no endpoint of Cluster orders has port 1"},
      {"port of a composition", Backend("kind: Composition, name: c, port: 1"),
       "Route x: spec.rules[0].backendRefs[0].port a Composition has no port"},
      {"any port of endpoints that are listed elsewhere", Backend("name: moving, port: 1") + moving + listed, ""},
      {"the port of a name", Backend("name: named, port: 5") + named, ""},
      {"another port than the name's", Backend("name: named, port: 6") + named,
       "Route x: spec.rules[0].backendRefs[0].port no endpoint of Cluster named has port 6"},
      {"no such list", moving, "Cluster moving: spec.endpointsFrom.name there is no Endpoints list"},
      {"a list elsewhere",
       "---\nkind: Cluster\nmetadata: {name: x}\nspec: {endpointsFrom: {name: l, namespace: other}}\n",
       "Cluster x: spec.endpointsFrom refers to Endpoints other/l in another namespace; a ReferenceGrant"},
      {"other namespace", Backend("name: away, namespace: other"),
       "Route x: spec.rules[0].backendRefs[0] refers to Cluster other/away in another namespace; a ReferenceGrant"},
      {"other namespace, granted", Backend("name: away, namespace: other") + grant, ""},
      {"unknown gateway", Route("parentRefs: [{name: h}]"), "Route x: spec.parentRefs[0].name there is no Gateway h"},
      {"unknown listener", Route("parentRefs: [{name: g, sectionName: htp}]"),
       "Route x: spec.parentRefs[0].sectionName there is no listener htp; did you mean `http`?"},
      {"listener's port", Route("parentRefs: [{name: g, port: 82}]"),
       "Route x: spec.parentRefs[0].port no such listener has port 82"},
      {"not admitted",
       "kind: Route\nmetadata: {name: x, namespace: n}\nspec: {parentRefs: [{name: g, namespace: default, sectionName: "
       "http}]}\n",
       "Route n/x: spec.parentRefs[0] allowedRoutes of the listener does not admit namespace n"},
      {"admitted",
       "kind: Route\nmetadata: {name: x, namespace: n}\nspec: {parentRefs: [{name: g, namespace: default}]}\n", ""},
      {"composition in composition",
       "kind: Composition\nmetadata: {name: x}\nspec: {steps: [{name: a, call: {backendRef: {kind: Composition, name: "
       "c}}}]}\n",
       "Composition x: spec.steps[0].call.backendRef.kind must be Cluster, not Composition"},
      {"secret without keys", "kind: Cluster\nmetadata: {name: x}\nspec: {tls: {caCertificateRefs: [{name: keys}]}}\n",
       "Cluster x: spec.tls.caCertificateRefs[0] refers to a Secret without `caCertificates`"},
      {"unknown, and nearly one of another namespace", Consumers("acme, other/fat"),
       "AuthPolicy x: spec.authorization.rules[1].principal.consumers[1] there is no Consumer other/fat\n"},
      {"unknown gateway of another namespace",
       "kind: Route\nmetadata: {name: x, namespace: n}\nspec: {parentRefs: [{name: gg, namespace: default}], rules: "
       "[{filters: [{requestRedirect: {}}]}]}\n",
       "Route n/x: spec.parentRefs[0].name there is no Gateway gg\n"},
      {"unknown listener of another namespace's gateway",
       "kind: Route\nmetadata: {name: x, namespace: n}\nspec: {parentRefs: [{name: g, namespace: default, sectionName: "
       "htp}], rules: [{filters: [{requestRedirect: {}}]}]}\n",
       "Route n/x: spec.parentRefs[0].sectionName there is no listener htp\n"},
      {"unknown certificate",
       "kind: Gateway\nmetadata: {name: x}\nspec: {listeners: [{name: a, tls: {certificateRefs: [{name: key}]}}]}\n",
       "Gateway x: spec.listeners[0].tls.certificateRefs[0].name there is no Secret key; did you mean `keys`?"},
      {"same listener twice",
       "kind: Gateway\nmetadata: {name: x}\nspec: {listeners: [{name: a, port: 1}, {name: b, port: 1}]}\n",
       "Gateway x: spec.listeners[1] has the port and hostname of listener a"},
      {"unknown rule", Policy("x", "targetRefs: [{kind: Route, name: r, sectionName: frst}]"),
       "AuthPolicy x: spec.targetRefs[0].sectionName there is no rule frst; did you mean `first`?"},
      {"policy without a kind of target", Policy("x", "targetRefs: [{kind: Cluster, name: orders}]"),
       "AuthPolicy x: spec.targetRefs[0].kind must be Gateway or Route, not Cluster"},
      {"two policies",
       Policy("x", "targetRefs: [{kind: Route, name: r}]") + "---\n" +
           Policy("y", "targetRefs: [{kind: Route, name: r}]"),
       "AuthPolicy y: spec.targetRefs[0] AuthPolicy x and AuthPolicy y have the same target"},
      {"two policies with limits",
       PolicyOf("RateLimitPolicy", "x", "{kind: Route, name: r, sectionName: first}") + "---\n" +
           PolicyOf("RateLimitPolicy", "y", "{kind: Gateway, name: g}, {kind: Route, name: r, sectionName: first}"),
       "RateLimitPolicy y: spec.targetRefs[1] RateLimitPolicy x and RateLimitPolicy y have the same target"},
      {"two policies of the cache",
       PolicyOf("CachePolicy", "x", "{kind: Gateway, name: g}") + "---\n" +
           PolicyOf("CachePolicy", "y", "{kind: Gateway, name: g}"),
       "CachePolicy y: spec.targetRefs[0] CachePolicy x and CachePolicy y have the same target"},
      {"a purge", "kind: CachePurge\nmetadata: {name: x}\nspec: {targetRef: {kind: Gateway, name: g}}\n", ""},
      {"a purge of an unknown gateway",
       "kind: CachePurge\nmetadata: {name: x}\nspec: {targetRef: {kind: Gateway, name: gg}}\n",
       "CachePurge x: spec.targetRef.name there is no Gateway gg; did you mean `g`?"},
      {"the same target twice in one policy",
       PolicyOf("RateLimitPolicy", "x", "{kind: Route, name: r}, {kind: Route, name: r}"),
       "RateLimitPolicy x: spec.targetRefs[1] RateLimitPolicy x and RateLimitPolicy x have the same target"},
      {"policies of different kinds, and of different targets",
       PolicyOf("CachePolicy", "x", "{kind: Route, name: r}") + "---\n" +
           PolicyOf("RateLimitPolicy", "x", "{kind: Route, name: r}, {kind: Gateway, name: g}") + "---\n" +
           PolicyOf("RateLimitPolicy", "y", "{kind: Route, name: r, sectionName: first}") + "---\n" +
           Policy("x", "targetRefs: [{kind: Route, name: r}]"),
       ""},
      {"limits of an unknown listener", PolicyOf("RateLimitPolicy", "x", "{kind: Gateway, name: g, sectionName: htp}"),
       "RateLimitPolicy x: spec.targetRefs[0].sectionName there is no listener htp; did you mean `http`?"},
      {"limits of another namespace's route",
       "kind: RateLimitPolicy\nmetadata: {name: x, namespace: n}\nspec: {targetRefs: [{kind: Route, name: r, "
       "namespace: "
       "default}]}\n",
       "RateLimitPolicy n/x: spec.targetRefs[0] refers to Route r in another namespace; a ReferenceGrant in default"},
      {"consumers", Consumers("acme, default/acme, other/far"), ""},
      {"unknown consumer", Consumers("acme, acne"),
       "AuthPolicy x: spec.authorization.rules[1].principal.consumers[1] there is no Consumer acne; did you mean "
       "`acme`?"},
      {"consumer of another namespace", Consumers("far"),
       "AuthPolicy x: spec.authorization.rules[1].principal.consumers[0] there is no Consumer far\n"},
      {"unknown consumer of another namespace", Consumers("other/acme"),
       "AuthPolicy x: spec.authorization.rules[1].principal.consumers[0] there is no Consumer other/acme\n"},
      {"one key of two Consumers", Key("x", "default", "k1, k2") + "---\n" + Key("y", "default", "k3, k2"),
       "Consumer x: spec.credentials[1].apiKey.sha256 Consumer y and Consumer x have the same key\n"
       "Consumer y: spec.credentials[1].apiKey.sha256 Consumer x and Consumer y have the same key\n"},
      {"of two namespaces", Key("x", "default", "k1") + "---\n" + Key("y", "other", "k1"), ""},
      {"different keys", Key("x", "default", "k1, k2") + "---\n" + Key("y", "default", "k3"), ""},
      {"unknown keys", Policy("x", "authentication: {anyOf: [{jwt: {jwks: {secretRef: {name: none}}}}]}"),
       "AuthPolicy x: spec.authentication.anyOf[0].jwt.jwks.secretRef.name there is no Secret none"},
  };
  for (const auto& row : kRows) {
    const std::string found = Check(row.text);
    EXPECT_EQ(found.substr(0, row.expected.size()), row.expected) << row.name;
    EXPECT_EQ(found.empty(), row.expected.empty()) << row.name << ": " << found;
  }
}

std::string Text(const Violations& violations) {
  std::string text;
  for (const Violation& one : violations)
    text += one.key.ToString() + ": " + one.path + " " + one.message + "\n";
  return text;
}

// A step against the whole before and after: what is wrong now and was not, or belongs to whoever was touched.
TEST(CheckReferences, OfAStepIsWhatItHasMadeWrong) {
  const std::vector<std::string> texts = {
      "kind: Gateway\nmetadata: {name: g}\nspec: {listeners: [{name: a, port: 1}]}",
      "kind: Gateway\nmetadata: {name: g}\nspec: {listeners: [{name: b, port: 1, tls: {certificateRefs: [{name: "
      "s}]}}]}",
      "kind: Cluster\nmetadata: {name: c}\nspec: {endpoints: [{port: 1}]}",
      "kind: Cluster\nmetadata: {name: c}\nspec: {endpoints: [{port: 2}], tls: {caCertificateRefs: [{name: s}]}}",
      "kind: Cluster\nmetadata: {name: c}\nspec: {endpointsFrom: {name: e}}",
      "kind: Cluster\nmetadata: {name: c}\nspec: {endpointsFrom: {name: e, namespace: n}}",
      "kind: Endpoints\nmetadata: {name: e}\nspec: {endpoints: [{port: 1}]}",
      "kind: Endpoints\nmetadata: {name: e}\nspec: {endpoints: [{port: 2}]}",
      "kind: Endpoints\nmetadata: {name: e, namespace: n}\nspec: {endpoints: [{port: 2}]}",
      "kind: ReferenceGrant\nmetadata: {name: u, namespace: n}\nspec: {from: [{kind: Cluster, namespace: default}], "
      "to: "
      "[{kind: Endpoints}]}",
      "kind: Cluster\nmetadata: {name: c, namespace: n}\nspec: {endpoints: [{port: 1}]}",
      "kind: Composition\nmetadata: {name: m}\nspec: {steps: [{name: s, call: {backendRef: {name: c}}}]}",
      "kind: Secret\nmetadata: {name: s}\nspec: {jwks: {inline: '{}'}}",
      "kind: Secret\nmetadata: {name: s}\nspec: {caCertificates: {inline: a}}",
      "kind: Consumer\nmetadata: {name: k}\nspec: {}",
      "kind: Consumer\nmetadata: {name: k}\nspec: {credentials: [{apiKey: {sha256: a}}, {apiKey: {sha256: b}}]}",
      "kind: Consumer\nmetadata: {name: l}\nspec: {credentials: [{apiKey: {sha256: b}}]}",
      "kind: Consumer\nmetadata: {name: j}\nspec: {credentials: [{apiKey: {sha256: a}}, {apiKey: {sha256: c}}]}",
      "kind: ReferenceGrant\nmetadata: {name: t, namespace: n}\nspec: {from: [{kind: Route, namespace: default}], to: "
      "[{kind: Cluster}]}",
      "kind: Route\nmetadata: {name: r}\nspec: {parentRefs: [{name: g, sectionName: a}], rules: [{name: one, "
      "backendRefs: "
      "[{name: c, port: 1}, {name: c, namespace: n}]}]}",
      "kind: Route\nmetadata: {name: r}\nspec: {rules: [{name: two, backendRefs: [{kind: Composition, name: m}]}]}",
      Policy("p", "targetRefs: [{kind: Route, name: r, sectionName: one}, {kind: Gateway, name: g}]"),
      Policy("p",
             "targetRefs: [{kind: Gateway, name: g, sectionName: a}], authentication: {anyOf: [{jwt: {jwks: "
             "{secretRef: {name: s}}}}]}"),
      Policy("q",
             "targetRefs: [{kind: Gateway, name: g}, {kind: Route, name: r, sectionName: one}], authorization: "
             "{rules: [{principal: {consumers: [k]}}]}"),
      PolicyOf("RateLimitPolicy", "p", "{kind: Route, name: r, sectionName: one}, {kind: Gateway, name: g}"),
      PolicyOf("RateLimitPolicy", "p", "{kind: Gateway, name: g, sectionName: a}"),
      PolicyOf("RateLimitPolicy", "q", "{kind: Gateway, name: g}, {kind: Gateway, name: g, sectionName: b}"),
      PolicyOf("CachePolicy", "p", "{kind: Route, name: r}"),
      PolicyOf("CachePolicy", "q", "{kind: Route, name: r}, {kind: Route, name: r, sectionName: two}"),
  };
  std::vector<portico::v1::Resource> resources;
  for (const std::string& text : texts) {
    yaml::Problems problems(10);
    resources.push_back(yaml::ReadText(text, "f", yaml::Limits(), problems).at(0).resource);
    ASSERT_EQ(problems.ToString(), "") << text;
  }
  std::mt19937 random(7);
  Configuration before;
  size_t wrong = 0;
  for (int step = 0; step < 5000; ++step) {
    Configuration after = before;
    std::set<ResourceKey> touched;
    for (size_t i = 0; i <= random() % 2; ++i) {
      const portico::v1::Resource& resource = resources[random() % resources.size()];
      touched.insert(KeyOf(resource));
      if (random() % 3 == 0) {
        after.Remove(KeyOf(resource));
      } else {
        after.Put(resource);
      }
    }
    Violations expected = CheckReferences(after);
    const Violations known = CheckReferences(before);
    std::erase_if(expected, [&](const Violation& one) {
      return !touched.contains(one.key) && std::any_of(known.begin(), known.end(), [&one](const Violation& other) {
        return other.key == one.key && other.path == one.path;
      });
    });
    ASSERT_EQ(Text(CheckReferences(before, after, touched)), Text(expected)) << step;
    wrong += expected.empty() ? 0 : 1;
    before = after;
  }
  EXPECT_GT(wrong, 1000u);
}

// What was wrong stays the fault of whoever wrote it, though the words change.
TEST(CheckReferences, OfAStepLeavesAloneWhatWasWrongBefore) {
  const struct {
    const char* name;
    std::vector<std::string> before;
    ResourceKey deleted;  // or
    std::string put;
  } kRows[] = {
      {"a nearer name",
       {"kind: Route\nmetadata: {name: r}\nspec: {rules: [{backendRefs: [{name: ap}]}]}"},
       {},
       "kind: ReferenceGrant\nmetadata: {name: api}\nspec: {}"},
      {"another first policy",
       {"kind: Route\nmetadata: {name: r}\nspec: {}", Policy("p1", "targetRefs: [{kind: Route, name: r}]"),
        Policy("p2", "targetRefs: [{kind: Route, name: r}]"), Policy("p3", "targetRefs: [{kind: Route, name: r}]")},
       {"AuthPolicy", "default", "p1"},
       ""},
  };
  for (const auto& row : kRows) {
    const auto parse = [](const std::string& text) {
      yaml::Problems problems(10);
      return yaml::ReadText(text, "f", yaml::Limits(), problems).at(0).resource;
    };
    Configuration before;
    for (const std::string& text : row.before)
      before.Put(parse(text));
    EXPECT_NE(Text(CheckReferences(before)), "") << row.name;
    Configuration after = before;
    if (row.put.empty()) {
      EXPECT_TRUE(after.Remove(row.deleted));
    } else {
      after.Put(parse(row.put));
      after.Put(parse("kind: Cluster\nmetadata: {name: api}\nspec: {}"));
    }
    EXPECT_EQ(Text(CheckReferences(before, after, {})), "") << row.name;
  }
}

}  // namespace
}  // namespace portico::check
