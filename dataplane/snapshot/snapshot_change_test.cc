// A snapshot that was built out of the one before is the one that is built anew, and shares with the one before what
// has not changed.

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "api/base/shared_map.h"
#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "dataplane/route/sharded_map.h"
#include "dataplane/snapshot/snapshot_config.h"
#include "gtest/gtest.h"

namespace portico::snapshot {
namespace {

using base::Concat;

const check::ResourceKey kGatewayKey{"Gateway", "default", "front"};

const BuildOptions& Options() {
  static const auto* const kOptions =
      new BuildOptions{.bind_address = std::nullopt, .ticket_keys = tls::TicketKeys::Generate()};
  return *kOptions;
}

void Put(check::Configuration& configuration, std::string_view text) {
  yaml::Problems problems(10);
  for (yaml::Document& document : yaml::ReadText(text, "test.yaml", yaml::Limits(), problems))
    configuration.Put(std::move(document.resource));
  EXPECT_TRUE(problems.empty()) << problems.ToString() << text;
}

std::string Resource(std::string_view kind, std::string_view name, std::string_view spec) {
  return Concat("kind: ", kind, "\nmetadata: {name: ", name, "}\nspec: {", spec, "}\n");
}

std::string BackendText(const BoundBackend& backend) {
  return Concat(backend.fault, "|", backend.cluster, "|", base::Join(backend.plan_clusters, "+"), "|",
                backend.plan == nullptr ? "" : "plan");
}

std::string RuleText(const BoundRule& rule) {
  std::string out =
      Concat(rule.route, " ", rule.index, " ", rule.name, " on ", rule.listener, ":", rule.listener_port,
             rule.chain.empty() ? "" : " guarded",
             rule.cache == nullptr ? "" : Concat(" cache ", rule.cache->stores, rule.cache->authenticates),
             rule.direct_response ? Concat(" ", rule.direct_response->content) : "");
  for (size_t i = 0; i < rule.bound_backends.size(); ++i)
    out += Concat(" ", rule.backends[i].name, " ", rule.backends[i].weight, ": ", BackendText(*rule.bound_backends[i]));
  return out;
}

std::string AuthText(const SharedParts::AuthKey& key) {
  return Concat(key.first ? key.first->ToString() : "", " ", key.second ? key.second->ToString() : "", " ");
}

// All that a snapshot says, and all that it counts.
std::string TextOf(const Snapshot& snapshot) {
  std::string out = Concat(snapshot.gateway, " ", snapshot.revision, "\n");
  for (const std::shared_ptr<const Port>& port : snapshot.ports) {
    out += Concat("port ", port->number, " ", base::Join(port->listeners, "+"), "\n");
    for (const route::ListenerRoutes& listener : port->routes->listeners()) {
      out += Concat(" ", listener.name, " ", listener.hostname, "\n");
      for (const auto& [match, same] : listener.matches)
        out +=
            Concat("  ", match->hostname, " ", static_cast<int>(match->path_kind), " ", match->path, " ", match->method,
                   " ", match->headers.size(), " ", match->index, " -> ", RuleText(*BoundRuleOf(*match)), "\n");
    }
  }
  for (const auto& [name, cluster] : snapshot.clusters) {
    out += Concat("cluster ", name, " ", cluster->name, " uses ", snapshot.parts.cluster_names.map().Find(name)->uses,
                  " timeout ", cluster->response_head_timeout.count());
    for (const upstream::ConfiguredEndpoint& endpoint : cluster->endpoints)
      out += Concat(" ", endpoint.address.ToString(), " of weight ", endpoint.weight);
    out += "\n";
  }
  out += Concat(snapshot.parts.cluster_names.map().size(), " names of clusters\n");
  for (const auto& [name, route] : snapshot.routes)
    out += Concat("route ", name, " ", route->rules.size(), " ", route->matches.size(), "\n");
  for (const cache::Purge& purge : snapshot.purges)
    out += Concat("purge ", purge.name, " ", purge.at, " ", purge.scope.host, purge.scope.path_prefix, "\n");
  for (const check::Violation& fault : snapshot.faults)
    out += Concat("fault ", fault.key.ToString(), " ", fault.path, " ", fault.message, "\n");
  for (const auto& [key, counted] : snapshot.parts.backends.map())
    out += Concat("backend ", key.first.ToString(), " ", key.second.value_or(0), " ", BackendText(*counted.value),
                  " uses ", counted.uses, "\n");
  for (const auto& [key, counted] : snapshot.parts.auths.map())
    out += Concat("auth ", AuthText(key), counted.value.fault, " uses ", counted.uses, "\n");
  for (const auto& [key, counted] : snapshot.parts.chains.map()) {
    out += Concat("chain ", AuthText(key.auth), " uses ", counted.uses);
    for (const check::ResourceKey& limits : key.limits)
      out += Concat(" ", limits.ToString());
    out += "\n";
  }
  for (const auto& [key, counted] : snapshot.parts.faults.map())
    out += Concat(std::get<1>(key), " ", std::get<2>(key), " uses ", counted.uses, "\n");
  return out;
}

std::shared_ptr<const Snapshot> MustBuild(const check::Configuration& configuration, const Snapshot* before = nullptr) {
  auto built = BuildSnapshot(configuration, kGatewayKey, Options(), before);
  EXPECT_TRUE(built.ok()) << built.status();
  return built.ok() ? *std::move(built) : std::make_shared<Snapshot>();
}

constexpr char kGateway[] = R"(
kind: Gateway
metadata: {name: front}
spec:
  listeners:
  - {name: one, port: 80, protocol: HTTP}
  - {name: two, port: 80, protocol: HTTP, hostname: '*.two.example'}
  - {name: three, port: 81, protocol: HTTP}
)";

// Changes something at random: mostly what is built by pieces, at times what is about everything.
class RandomConfiguration {
 public:
  explicit RandomConfiguration(unsigned seed) : random_(seed) { Put(configuration_, kGateway); }

  const check::Configuration& configuration() const { return configuration_; }

  void Change() {
    const size_t draw = Below(28);
    if (draw < 9) return ChangeRoute();
    if (draw < 14) return ChangeCluster();
    if (draw < 17) return ChangeComposition();
    if (draw < 19) return ChangePolicy();
    if (draw < 21) return ChangeLimits();
    if (draw < 23) return ChangeCache();
    if (draw < 26) return ChangeEndpoints();
    if (draw < 27) return ChangePurge();
    Put(configuration_, Concat(kGateway, "  timeouts: {responseHead: ", 1 + Below(3), "s}\n"));
  }

 private:
  size_t Below(size_t end) { return random_() % end; }
  std::string Pick(const std::vector<std::string>& from) { return from[Below(from.size())]; }
  bool RemovesInstead(std::string_view kind, const std::string& name) {
    return Below(4) == 0 && configuration_.Remove({std::string(kind), "default", name});
  }

  void ChangeRoute() {
    const std::string name = Concat("r", Below(6));
    if (RemovesInstead("Route", name)) return;
    std::string rules;
    for (size_t i = Below(3) + 1; i > 0; --i) {
      rules +=
          Concat(rules.empty() ? "" : ", ", "{name: n", i, ", matches: [{path: {type: ", Pick({"Exact", "PathPrefix"}),
                 ", value: ", Pick({"/a", "/b", "/a/b"}), "}", Pick({"", ", method: GET"}),
                 "}, {path: {type: RegularExpression, value: ", Pick({"/r.*", "/s.*"}), "}}], ");
      if (Below(4) == 0) {
        rules += Concat("filters: [{directResponse: {status: 200, body: b", Below(100), "}}]}");
      } else {
        rules += Concat("backendRefs: [{name: c", Below(4), Pick({"", ", port: 1", ", port: 2"}), "}, ",
                        Pick({"{name: c1}", "{kind: Composition, name: m0}", "{kind: Composition, name: m1}"}), "]}");
      }
    }
    Put(configuration_,
        Resource("Route", name,
                 Concat(Pick({"", "hostnames: [a.two.example, '*.example'], ", "hostnames: ['*.two.example'], ",
                              "parentRefs: [{name: front, sectionName: two}], ", "parentRefs: [{name: other}], "}),
                        "rules: [", rules, "]")));
  }

  void ChangeCluster() {
    const std::string name = Concat("c", Below(4));
    if (RemovesInstead("Cluster", name)) return;
    if (Below(3) == 0) {
      return Put(configuration_, Resource("Cluster", name, Concat("endpointsFrom: {name: e", Below(2), "}")));
    }
    if (Below(4) == 0) {
      return Put(configuration_, Resource("Cluster", name, Concat("dns: {hostname: a, port: ", 1 + Below(2), "}")));
    }
    Put(configuration_, Resource("Cluster", name,
                                 Concat("endpoints: [",
                                        Pick({"{address: 127.0.0.1, port: 1}", "{address: 127.0.0.1, port: 2}",
                                              "{address: 127.0.0.1, port: 1}, {address: 127.0.0.2, port: 2}",
                                              "{address: here, port: 1}"}),
                                        "]")));
  }

  void ChangeEndpoints() {
    const std::string name = Concat("e", Below(2));
    if (RemovesInstead("Endpoints", name)) return;
    Put(configuration_, Resource("Endpoints", name,
                                 Pick({"", "endpoints: [{address: 127.0.0.3, port: 1}]",
                                       "endpoints: [{address: 127.0.0.3, port: 1}, {address: 127.0.0.4, port: 2}]",
                                       "endpoints: [{address: here, port: 1}]"})));
  }

  void ChangeComposition() {
    const std::string name = Concat("m", Below(2));
    if (RemovesInstead("Composition", name)) return;
    Put(configuration_, Resource("Composition", name,
                                 Concat("steps: [{name: a, call: {backendRef: {name: c", Below(4),
                                        Pick({"", ", port: 1"}), "}, path: /}}], answer: {body: '$a.body'}")));
  }

  void ChangePolicy() {
    const std::string name = Concat("p", Below(2));
    if (RemovesInstead("AuthPolicy", name)) return;
    Put(configuration_,
        Resource("AuthPolicy", name,
                 Concat("targetRefs: [",
                        Pick({"{kind: Route, name: r1}", "{kind: Route, name: r2, sectionName: n1}",
                              "{kind: Gateway, name: front, sectionName: two}"}),
                        "], authentication: {anyOf: [{jwt: {issuer: 'https://i', audiences: [a], jwks: {secretRef: "
                        "{name: ",
                        Pick({"s", "t"}), "}}}}]}",
                        Pick({"", ", identityToHeaders: [{identity: Subject, header: x-user}]"}))));
  }

  std::string Target() {
    return Pick({"{kind: Route, name: r1}", "{kind: Route, name: r2, sectionName: n1}", "{kind: Gateway, name: front}",
                 "{kind: Gateway, name: front, sectionName: two}"});
  }

  void ChangeLimits() {
    const std::string name = Concat("p", Below(3));
    if (RemovesInstead("RateLimitPolicy", name)) return;
    Put(configuration_, Resource("RateLimitPolicy", name,
                                 Concat("targetRefs: [", Target(),
                                        "], limits: [{name: all, limit: {requests: ", 1 + Below(2), ", per: 1s}}]")));
  }

  void ChangeCache() {
    const std::string name = Concat("p", Below(2));
    if (RemovesInstead("CachePolicy", name)) return;
    Put(configuration_,
        Resource("CachePolicy", name, Concat("targetRefs: [", Target(), "], disabled: ", Pick({"true", "false"}))));
  }

  void ChangePurge() {
    const std::string name = Concat("p", Below(2));
    if (RemovesInstead("CachePurge", name)) return;
    Put(configuration_, Resource("CachePurge", name,
                                 Concat("targetRef: {kind: Gateway, name: ", Pick({"front", "other"}),
                                        "}, at: '2026-01-01T00:00:0", Below(10), "Z'")));
  }

  std::mt19937 random_;
  check::Configuration configuration_;
};

TEST(SnapshotChange, IsAsIfBuiltAnew) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    RandomConfiguration random(seed);
    std::shared_ptr<const Snapshot> snapshot = MustBuild(random.configuration());
    for (int step = 0; step < 60; ++step) {
      for (int changes = step % 3; changes >= 0; --changes)
        random.Change();
      snapshot = MustBuild(random.configuration(), snapshot.get());
      ASSERT_EQ(TextOf(*snapshot), TextOf(*MustBuild(random.configuration()))) << "seed " << seed << " step " << step;
    }
  }
}

// Whether rules of different policies have one chain: what tells them apart as guards (downstream/exchange.cc).
TEST(SnapshotChange, RulesShareAChain) {
  const std::string rule = "targetRefs: [{kind: Route, name: r, sectionName: one}]";
  const std::string limits = ", limits: [{name: all, limit: {requests: 1, per: 1s}}]";
  const std::string wide =
      Resource("RateLimitPolicy", "wide", Concat("targetRefs: [{kind: Gateway, name: front}]", limits));
  const struct {
    const char* name;
    std::string policies;
    bool same;
  } kRows[] = {
      {"none", "", true},
      {"one for both", wide, true},
      {"limits of one", Resource("RateLimitPolicy", "near", rule + limits), false},
      {"authorization of one", Resource("AuthPolicy", "near", rule + ", authorization: {defaultAction: Deny}"), false},
      {"of what one stores", Resource("CachePolicy", "near", rule), true},
      {"and limits of both", wide + "---\n" + Resource("CachePolicy", "near", rule), true},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    check::Configuration configuration;
    Put(configuration, kGateway);
    Put(configuration, Resource("Route", "r", "rules: [{name: one}, {name: two, matches: [{path: {value: /2}}]}]"));
    if (!row.policies.empty()) Put(configuration, row.policies);
    const std::shared_ptr<const Snapshot> snapshot = MustBuild(configuration);
    const BoundRoute& route = **snapshot->routes.Find("default/r");
    ASSERT_GE(route.rules.size(), 2u);
    std::map<std::string, filter::Chain> chains;
    for (const auto& one : route.rules)
      chains[one->name] = one->chain;
    EXPECT_EQ(chains.at("one").configs() == chains.at("two").configs(), row.same);
  }
}

// A Gateway with a route to a cluster of its own for each number.
check::Configuration Many(int count) {
  check::Configuration configuration;
  Put(configuration, kGateway);
  for (int i = 0; i < count; ++i) {
    Put(configuration,
        Resource("Route", Concat("r", i),
                 Concat("rules: [{matches: [{path: {value: /r", i, "}}], backendRefs: [{name: c", i, "}]}]")));
    Put(configuration, Resource("Cluster", Concat("c", i), "endpoints: [{address: 127.0.0.1, port: 1}]"));
  }
  Put(configuration,
      Resource("Route", "moving", "rules: [{matches: [{path: {value: /moving}}], backendRefs: [{name: m}]}]"));
  Put(configuration, Resource("Cluster", "m", "endpointsFrom: {name: list}"));
  Put(configuration, Resource("Endpoints", "list", "endpoints: [{address: 127.0.0.1, port: 1}]"));
  return configuration;
}

struct Difference {
  std::vector<std::string> routes, clusters;
  bool operator==(const Difference&) const = default;
};

Difference Differ(const Snapshot& before, const Snapshot& after) {
  Difference out;
  base::Compare(before.routes, after.routes,
                [&](const std::string& name, const auto*, const auto*) { out.routes.push_back(name); });
  base::Compare(before.clusters, after.clusters,
                [&](const std::string& name, const auto*, const auto*) { out.clusters.push_back(name); });
  return out;
}

TEST(SnapshotChange, SharesWhatIsTheSame) {
  constexpr size_t kShard = route::ShardedMap<int>::kShardEntries;
  const check::Configuration configuration = Many(1'000);
  const std::shared_ptr<const Snapshot> before = MustBuild(configuration);
  const struct {
    const char* name;
    std::string change;
    Difference difference;
    bool changes_tables;
  } kRows[] = {
      {"nothing", "", {}, false},
      {"a route", Resource("Route", "r7", "rules: [{backendRefs: [{name: c7}]}]"), {{"default/r7"}, {}}, true},
      {"a route without its cluster",
       Resource("Route", "r7", "rules: [{filters: [{directResponse: {status: 200}}]}]"),
       {{"default/r7"}, {"default/c7"}},
       true},
      {"a new route", Resource("Route", "more", "rules: [{backendRefs: [{name: c7}]}]"), {{"default/more"}, {}}, true},
      {"endpoints that are listed elsewhere",
       Resource("Endpoints", "list", "endpoints: [{address: 127.0.0.1, port: 1}, {address: 127.0.0.2, port: 1}]"),
       {{}, {"default/m"}},
       false},
      {"endpoints that nobody uses",
       Resource("Endpoints", "unused", "endpoints: [{address: 127.0.0.1, port: 1}]"),
       {},
       false},
      {"endpoints",
       Resource("Cluster", "c7", "endpoints: [{address: 127.0.0.2, port: 1}]"),
       {{}, {"default/c7"}},
       false},
      {"a cluster that can't be built",
       Resource("Cluster", "c7", "endpoints: [{address: here, port: 1}]"),
       {{"default/r7"}, {"default/c7"}},
       true},
      {"a cluster that nobody uses",
       Resource("Cluster", "more", "endpoints: [{address: 127.0.0.2, port: 1}]"),
       {},
       false},
      {"another gateway's route",
       Resource("Route", "more", "parentRefs: [{name: other}], rules: [{backendRefs: [{name: c7}]}]"),
       {},
       false},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    check::Configuration next = configuration;
    if (!row.change.empty()) Put(next, row.change);
    const std::shared_ptr<const Snapshot> after = MustBuild(next, before.get());
    EXPECT_EQ(Differ(*before, *after), row.difference);
    ASSERT_EQ(after->ports.size(), 2u);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(after->ports[i] != before->ports[i], row.changes_tables);
      EXPECT_EQ(after->ports[i]->client, before->ports[i]->client);
      EXPECT_LT(after->ports[i]->routes->EntriesNotSharedWith(*before->ports[i]->routes), 4 * kShard);
    }
  }
}

// Ten thousand Routes of one template have one expression, however many snapshots they came by.
// At ten thousand routes an order to the cache must not cost as much as they do.
TEST(SnapshotChange, APurgeBuildsNothingElse) {
  check::Configuration configuration;
  Put(configuration, kGateway);
  Put(configuration, Resource("Route", "r", "rules: [{backendRefs: [{name: c}]}]"));
  Put(configuration, Resource("CachePolicy", "p", "targetRefs: [{kind: Route, name: r}]"));
  const auto before = MustBuild(configuration);
  Put(configuration,
      Resource("CachePurge", "x", "targetRef: {kind: Gateway, name: front}, at: '2026-01-01T00:00:00Z'"));
  const auto after = MustBuild(configuration, before.get());
  ASSERT_EQ(after->purges.size(), 2u);
  EXPECT_EQ(after->purges[1].name, "default/x");
  EXPECT_EQ(before->ports[0], after->ports[0]) << "the tables are the same objects";
  EXPECT_EQ(*before->routes.Find("default/r"), *after->routes.Find("default/r"));
}

TEST(SnapshotChange, OneExpressionIsCompiledOnce) {
  check::Configuration configuration;
  Put(configuration, kGateway);
  std::shared_ptr<const Snapshot> snapshot = MustBuild(configuration);
  for (const char* name : {"a", "b", "a"}) {
    Put(configuration, Concat("kind: Route\nmetadata: {name: ", name,
                              "}\nspec: {rules: [{matches: [{path: {type: "
                              "RegularExpression, value: '/x/[0-9]+'}}]}]}"));
    snapshot = MustBuild(configuration, snapshot.get());
  }
  std::set<const RE2*> compiled;
  for (const auto& [name, route] : snapshot->routes) {
    for (const route::SharedMatch& match : route->matches)
      compiled.insert(match->path_regex.get());
  }
  EXPECT_EQ(snapshot->routes.size(), 2u);
  EXPECT_EQ(compiled.size(), 1u);
}

// Who is asked for a token and how often may come is told by different policies: keys are parsed once for all of them.
TEST(SnapshotChange, RulesWithOneAuthPolicyShareItWhateverTheirLimits) {
  check::Configuration configuration = Many(3);
  Put(configuration,
      Resource("AuthPolicy", "p", "targetRefs: [{kind: Gateway, name: front}], authorization: {defaultAction: Deny}"));
  for (const char* route : {"r0", "r1"})
    Put(configuration, Resource("RateLimitPolicy", route,
                                Concat("targetRefs: [{kind: Route, name: ", route,
                                       "}], limits: [{name: all, limit: {requests: 1, per: "
                                       "1s}}]")));
  const std::shared_ptr<const Snapshot> snapshot = MustBuild(configuration);
  ASSERT_EQ(snapshot->parts.auths.map().size(), 1u);
  EXPECT_EQ(snapshot->parts.auths.map().begin()->second.uses, 3u);
  EXPECT_EQ(snapshot->parts.chains.map().size(), 3u);
  const std::shared_ptr<const filter::FilterConfig>& shared = snapshot->parts.auths.map().begin()->second.value.config;
  for (const auto& [key, counted] : snapshot->parts.chains.map()) {
    const auto& configs = counted.value.chain.configs();
    EXPECT_NE(std::find(configs.begin(), configs.end(), shared), configs.end());
  }
}

// Which is how a limit's counts outlive a configuration.
TEST(SnapshotChange, ALimitHasTheSameBucketsInTheNext) {
  const auto buckets = [] {
    const auto& tables = Options().filters.rate_limits->tables;
    return tables.Read().contains("default/kept/all");
  };
  check::Configuration configuration = Many(2);
  Put(configuration,
      Resource("RateLimitPolicy", "kept",
               "targetRefs: [{kind: Gateway, name: front}], limits: [{name: all, limit: {requests: 1, per: 1s}}]"));
  std::shared_ptr<const Snapshot> snapshot = MustBuild(configuration);
  const shared::Rate rate = shared::RateOf(1, 1'000'000'000, 1);
  EXPECT_TRUE(Options().filters.rate_limits->tables.Of("default/kept/all", "")->Take(1, rate, 0, {}).token);
  for (const char* change : {"route", "policy", "gateway"}) {
    SCOPED_TRACE(change);
    if (change == std::string_view("route")) Put(configuration, Resource("Route", "r1", "rules: [{name: other}]"));
    if (change == std::string_view("policy"))
      Put(configuration,
          Resource("AuthPolicy", "p", "targetRefs: [{kind: Route, name: r1}], authorization: {defaultAction: Deny}"));
    if (change == std::string_view("gateway")) Put(configuration, Concat(kGateway, "  timeouts: {responseHead: 7s}\n"));
    snapshot = MustBuild(configuration, snapshot.get());
    EXPECT_FALSE(Options().filters.rate_limits->tables.Of("default/kept/all", "")->Take(1, rate, 0, {}).token);
  }
  configuration.Remove({"RateLimitPolicy", "default", "kept"});
  snapshot = MustBuild(configuration, snapshot.get());
  EXPECT_FALSE(buckets());
}

TEST(SnapshotChange, OfAnotherGatewayIsNoHelp) {
  check::Configuration configuration = Many(3);
  const std::shared_ptr<const Snapshot> front = MustBuild(configuration);
  Put(configuration,
      "kind: Gateway\nmetadata: {name: back}\nspec: {listeners: [{name: l, port: 90, protocol: HTTP}]}\n");
  const check::ResourceKey key{"Gateway", "default", "back"};
  const auto with = BuildSnapshot(configuration, key, Options(), front.get());
  const auto without = BuildSnapshot(configuration, key, Options());
  ASSERT_TRUE(with.ok() && without.ok());
  EXPECT_EQ(TextOf(**with), TextOf(**without));
}

// What is refused as a whole leaves the one before as it is, and the next change is built on that.
TEST(SnapshotChange, ARefusedOneLeavesNoTrace) {
  check::Configuration configuration = Many(3);
  const std::shared_ptr<const Snapshot> before = MustBuild(configuration);
  const std::string text = TextOf(*before);
  Put(configuration, Resource("Route", "r1", "rules: [{matches: [{path: {type: RegularExpression, value: '/('}}]}]"));
  EXPECT_FALSE(BuildSnapshot(configuration, kGatewayKey, Options(), before.get()).ok());
  EXPECT_EQ(TextOf(*before), text);
  EXPECT_EQ(TextOf(*MustBuild(Many(3), before.get())), text);
}

}  // namespace
}  // namespace portico::snapshot
