#include <random>
#include <set>
#include <string>
#include <vector>

#include "api/base/shared_map.h"
#include "api/base/text.h"
#include "api/resolve/resolve.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"

// Resolve with what was resolved before. Its oracle is Resolve without.

namespace portico::resolve {
namespace {

using base::Concat;
using check::ResourceKey;

const ResourceKey kGateway{"Gateway", "default", "front"};

v1::Resource Parse(const std::string& text) {
  yaml::Problems problems(10);
  std::vector<yaml::Document> documents = yaml::ReadText(text, "f", yaml::Limits(), problems);
  EXPECT_EQ(problems.ToString(), "") << text;
  return std::move(documents.at(0).resource);
}

std::string PolicyText(const std::optional<BoundPolicy>& policy) {
  return policy ? Concat(policy->key.ToString(), " of ", policy->target, " from ",
                         check::MetadataOf(*policy->resource).revision())
                : "nobody";
}

std::string RuleText(const ResolvedRule& rule) {
  std::string text = Concat(rule.route.ToString(), " rule ", rule.index, " on ", rule.listener, ": ",
                            PolicyText(rule.policies.auth.authentication), ", ",
                            PolicyText(rule.policies.auth.authorization), ", ", PolicyText(rule.policies.cache));
  for (const BoundPolicy& limits : rule.policies.limits)
    text += Concat(", and ", PolicyText(limits));
  for (const ResolvedBackend& backend : rule.backends)
    text += Concat("; ", backend.key.ToString(), " x", backend.weight, " ", backend.fault);
  return text;
}

// All of it, each piece on a line.
std::string Text(const ResolvedGateway& gateway) {
  std::string text = gateway.resource->gateway().ShortDebugString() + "\n";
  for (const ResolvedListener& listener : gateway.listeners) {
    text += Concat("listener ", listener.name, " ", listener.hostname, " ", listener.port, "\n");
    for (const ResourceKey& certificate : listener.certificates)
      text += Concat("  certificate ", certificate.ToString(), "\n");
    for (const auto& [match, same] : listener.matches) {
      text += Concat("  ", match->hostname, " ", match->match.ShortDebugString(), " -> ", RuleText(*match->rule), "\n");
    }
  }
  for (const auto& [key, route] : gateway.routes) {
    text += Concat(key.ToString(), " from ", route->resource->route().metadata().revision(), "\n");
    for (const SharedRule& rule : route->rules)
      text += Concat("  ", RuleText(*rule), "\n");
  }
  for (const auto& [key, reached] : gateway.reach) {
    text += Concat("reached ", key.ToString(), " by ", reached.needed_by);
    for (const ResourceKey& needed : *reached.needs)
      text += Concat(", ", needed.ToString());
    text += "\n";
  }
  for (const auto& [notice, none] : gateway.notices)
    text += Concat(static_cast<int>(notice.kind), " ", notice.resource.ToString(), " ", notice.path, " ",
                   notice.message, "\n");
  return text;
}

// Random resources that have much to do with each other: few names, and many ways to be wrong.
class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  size_t Below(size_t bound) { return random_() % bound; }

  v1::Resource Next(uint64_t revision) {
    std::string text;
    switch (Below(25)) {
      case 0:
        text = Gateway();
        break;
      case 1:
        text = Grant();
        break;
      case 2:
      case 3:
        text = Resource("Cluster", Name("c", 3), ClusterSpec());
        break;
      case 16:
        text =
            Resource("Endpoints", Name("e", 2), Concat("{endpoints: [{address: 1.2.3.4, port: ", 1 + Below(2), "}]}"));
        break;
      case 4:
        text =
            Resource("Composition", Name("m", 2),
                     Concat("{steps: [{name: a, call: {backendRef: ", Backend(), ", path: /}}], answer: {body: '1'}}"));
        break;
      case 5:
        text = Resource("Secret", Name("s", 3), Pick({"{jwks: {inline: '{}'}}", "{caCertificates: {inline: a}}"}));
        break;
      case 6:
      case 7:
        text = Resource("Consumer", Name("k", 3),
                        Below(2) == 0 ? Concat("{credentials: [{jwt: {issuer: ", Name("i", 2), "}}]}")
                                      : Concat("{credentials: [{apiKey: {sha256: ", Name("d", 2), "}}]}"));
        break;
      case 8:
      case 9:
      case 10:
      case 11:
        text = Resource("AuthPolicy", Name("p", 4), PolicySpec());
        break;
      case 12:
      case 13:
        text = Resource("RateLimitPolicy", Name("p", 4), Concat("{targetRefs: [", Targets(), "]}"));
        break;
      case 14:
        text = Resource("CachePurge", Name("p", 3),
                        Concat("{targetRef: {kind: Gateway, name: ", Pick({"front", "back"}),
                               ", namespace: ", Pick({"team", "default"}), "}}"));
        break;
      case 15:
        text = Resource("CachePolicy", Name("p", 3), Concat("{targetRefs: [", Targets(), "]}"));
        break;
      default:
        text = Resource("Route", Name("r", 8), RouteSpec());
    }
    v1::Resource resource = Parse(text);
    Stamp(resource, revision);
    return resource;
  }

 private:
  std::string Pick(const std::vector<std::string>& from) { return from[Below(from.size())]; }
  std::string Name(const char* stem, size_t many) { return Concat(stem, Below(many)); }
  std::string NameSpace() { return Pick({"", "", ", namespace: team"}); }
  std::string Resource(std::string_view kind, const std::string& name, const std::string& spec) {
    return Concat("kind: ", kind, "\nmetadata: {name: ", name, NameSpace(), "}\nspec: ", spec, "\n");
  }

  static void Stamp(v1::Resource& resource, uint64_t revision) {
    v1::Metadata* metadata = resource.has_route()         ? resource.mutable_route()->mutable_metadata()
                             : resource.has_auth_policy() ? resource.mutable_auth_policy()->mutable_metadata()
                             : resource.has_rate_limit_policy()
                                 ? resource.mutable_rate_limit_policy()->mutable_metadata()
                             : resource.has_cache_policy() ? resource.mutable_cache_policy()->mutable_metadata()
                                                           : nullptr;
    if (metadata == nullptr) return;
    metadata->set_revision(revision);
    metadata->set_creation_revision(revision % 3);
  }

  std::string Gateway() {
    const std::string certificate =
        Pick({"", Concat(", tls: {certificateRefs: [{name: ", Name("s", 3), Pick({"", ", namespace: team"}), "}]}")});
    return Concat("kind: Gateway\nmetadata: {name: ", Pick({"front", "front", "back"}),
                  "}\nspec: {listeners: [{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: ",
                  Pick({"All", "Same"}), "}}", certificate, "}, {name: b, port: 81, protocol: HTTP, hostname: '",
                  Pick({"*.example", "a.example"}), "'}]}\n");
  }

  std::string Grant() {
    return Concat(
        "kind: ReferenceGrant\nmetadata: {name: ", Name("g", 2), ", namespace: ", Pick({"team", "default"}),
        "}\nspec: {from: [{kind: ",
        Pick({"Route", "AuthPolicy", "RateLimitPolicy", "CachePolicy", "CachePurge", "Gateway", "Composition"}),
        ", namespace: ", Pick({"team", "default"}),
        "}], to: [{kind: ", Pick({"Cluster", "Route", "Secret", "Endpoints", "Gateway"}), "}]}\n");
  }

  std::string ClusterSpec() {
    if (Below(3) == 0) return Concat("{endpointsFrom: {name: ", Name("e", 2), NameSpace(), "}}");
    if (Below(4) == 0) return Concat("{dns: {hostname: a, port: ", 1 + Below(2), "}}");
    return Concat("{endpoints: [{address: 1.2.3.4, port: ", 1 + Below(2), "}], tls: {hostname: h, caCertificateRefs: [",
                  Pick({"", Concat("{name: ", Name("s", 3), "}")}), "]}}");
  }

  std::string Backend() { return Concat("{name: ", Name("c", 3), Pick({"", "", ", port: 1"}), NameSpace(), "}"); }

  std::string Targets() {
    std::string targets;
    for (size_t i = 0; i <= Below(3); ++i) {
      targets +=
          Pick({Concat("{kind: Route, name: ", Name("r", 2), Pick({"", ", sectionName: one"}), NameSpace(), "}, "),
                Concat("{kind: Gateway, name: front", Pick({"", ", sectionName: b"}), "}, ")});
      if (Below(4) != 0) targets = targets.find("Gateway") == std::string::npos ? targets : "";
    }
    return targets;
  }

  std::string PolicySpec() {
    const std::string authentication = Concat(", authentication: {anyOf: [{jwt: {issuer: ", Name("i", 2),
                                              ", audiences: [a], jwks: {secretRef: {name: ", Name("s", 3), "}}}}]}");
    const std::string authorization =
        Concat(", authorization: {defaultAction: Deny, rules: [{name: a, action: Allow, principal: {consumers: [",
               Pick({"", "team/"}), Name("k", 3), "]}}]}");
    const std::string keys = ", authentication: {anyOf: [{apiKey: {extractFrom: {headers: [{name: k}]}}}]}";
    return Concat("{targetRefs: [", Targets(), "]", Pick({"", authentication, keys}), Pick({"", authorization}), "}");
  }

  std::string Match() {
    return Concat("{path: {type: ", Pick({"Exact", "PathPrefix", "PathPrefix", "RegularExpression"}),
                  ", value: ", Pick({"/", "/x", "/y"}), "}", Pick({"", "", ", method: GET"}),
                  Pick({"", "", ", headers: [{name: x, value: y}]"}), "}");
  }

  std::string RouteSpec() {
    const std::string parents =
        Pick({"", "parentRefs: [{name: front, namespace: default}], ", "parentRefs: [{name: back}], ",
              "parentRefs: [{name: front, namespace: default, sectionName: b}], "});
    const std::string hosts = Pick({"", "hostnames: [a.example], ", "hostnames: ['*.example', a.example], "});
    std::string rules;
    for (const char* name : {"one", "two"}) {
      rules += Concat("{name: ", name, ", matches: [", Pick({"", Match(), Concat(Match(), ", ", Match())}),
                      "], backendRefs: [",
                      Pick({"", Backend(), Concat("{kind: Composition, name: ", Name("m", 2), "}")}), "]}, ");
    }
    return Concat("{", parents, hosts, "rules: [", rules, "]}");
  }

  std::mt19937 random_;
};

TEST(ResolveAgain, IsAsIfResolvedAnew) {
  size_t again = 0, notices = 0;
  for (uint32_t seed = 0; seed < 12; ++seed) {
    Generator generator(seed);
    check::Configuration configuration;
    std::optional<ResolvedGateway> before;
    for (uint64_t revision = 1; revision < 150; ++revision) {
      for (size_t i = 0; i <= generator.Below(3); ++i) {
        v1::Resource resource = generator.Next(revision);
        if (generator.Below(4) == 0) {
          configuration.Remove(check::KeyOf(resource));
        } else {
          configuration.Put(std::move(resource));
        }
      }
      if (generator.Below(4) == 0) continue;  // some changes are seen together
      const absl::StatusOr<ResolvedGateway> anew = Resolve(configuration, kGateway);
      const absl::StatusOr<ResolvedGateway> patched = Resolve(configuration, kGateway, before ? &*before : nullptr);
      ASSERT_EQ(anew.ok(), patched.ok());
      if (!anew.ok()) continue;
      ASSERT_EQ(Text(*patched), Text(*anew)) << "seed " << seed << ", revision " << revision;
      again += before.has_value() ? 1 : 0;
      notices += anew->notices.size();
      before = *patched;
    }
  }
  EXPECT_GT(again, 500u);
  EXPECT_GT(notices, 500u);
}

// By what is shared, since time can't be tested.
TEST(ResolveAgain, TouchesWhatHangsOnTheChange) {
  check::Configuration configuration;
  configuration.Put(
      Parse("kind: Gateway\nmetadata: {name: front}\nspec: {listeners: [{name: a, port: 80, protocol: HTTP}]}"));
  configuration.Put(Parse("kind: Cluster\nmetadata: {name: all}\nspec: {endpoints: [{address: 1.2.3.4, port: 1}]}"));
  configuration.Put(Parse("kind: Cluster\nmetadata: {name: moving}\nspec: {endpointsFrom: {name: list}}"));
  configuration.Put(Parse("kind: Endpoints\nmetadata: {name: list}\nspec: {endpoints: []}"));
  const auto route = [](int number, std::string_view more) {
    return Parse(Concat("kind: Route\nmetadata: {name: r", number, "}\nspec: {rules: [{matches: [{path: {value: /r",
                        number, "}}], backendRefs: [{name: all}, {name: moving, port: 2}, {name: c", number, "}]", more,
                        "}]}"));
  };
  for (int i = 0; i < 1000; ++i)
    configuration.Put(route(i, ""));
  const auto before = Resolve(configuration, kGateway);
  const struct {
    const char* name;
    v1::Resource resource;
    size_t routes;  // resolved again
  } kRows[] = {
      {"a route", route(7, ", timeouts: {request: 1s}"), 1},
      {"a cluster of one",
       Parse("kind: Cluster\nmetadata: {name: c7}\nspec: {endpoints: [{address: 1.2.3.4, port: 1}]}"), 1},
      {"a policy over one",
       Parse("kind: AuthPolicy\nmetadata: {name: p}\nspec: {targetRefs: [{kind: Route, name: r7}], authorization: "
             "{defaultAction: Deny}}"),
       1},
      {"limits of one",
       Parse("kind: RateLimitPolicy\nmetadata: {name: p}\nspec: {targetRefs: [{kind: Route, name: r7}]}"), 1},
      {"a cache's policy over a rule that is not there",
       Parse("kind: CachePolicy\nmetadata: {name: p}\nspec: {targetRefs: [{kind: Route, name: r7, sectionName: a}]}"),
       1},
      {"other endpoints of a cluster of all",
       Parse("kind: Cluster\nmetadata: {name: all}\nspec: {endpoints: [{address: 4.3.2.1, port: 1}]}"), 0},
      {"other ports of a cluster of all",
       Parse("kind: Cluster\nmetadata: {name: all}\nspec: {endpoints: [{address: 1.2.3.4, port: 2}]}"), 1000},
      {"the endpoints of a cluster of all that lists them elsewhere",
       Parse("kind: Endpoints\nmetadata: {name: list}\nspec: {endpoints: [{address: 1.2.3.4, port: 2}]}"), 0},
      {"another gateway",
       Parse("kind: Gateway\nmetadata: {name: back, namespace: team}\nspec: {listeners: [{name: a, port: "
             "81, protocol: HTTP}]}"),
       0},
      {"a secret that nobody needs", Parse("kind: Secret\nmetadata: {name: s}\nspec: {jwks: {inline: '{}'}}"), 0},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    check::Configuration next = configuration;
    next.Put(row.resource);
    const auto after = Resolve(next, kGateway, &*before);
    EXPECT_EQ(Text(*after), Text(*Resolve(next, kGateway)));
    size_t routes = 0, matches = 0;
    base::Compare(before->routes, after->routes, [&routes](const auto&, const auto*, const auto*) { ++routes; });
    base::Compare(before->listeners[0].matches, after->listeners[0].matches,
                  [&matches](const auto&, const auto*, const auto*) { ++matches; });
    EXPECT_EQ(routes, row.routes);
    EXPECT_EQ(matches, row.routes);
  }
}

}  // namespace
}  // namespace portico::resolve
