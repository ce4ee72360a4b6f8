#include "dataplane/snapshot/snapshot_config.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/load/load.h"
#include "api/load/memory_files.h"
#include "dataplane/crypto/boring_key_pair.h"
#include "dataplane/crypto/key_pair.h"
#include "dataplane/crypto/test_signer.h"
#include "dataplane/tls/client_context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/support/key_material.h"

namespace portico::snapshot {
namespace {

using base::Concat;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Result = absl::StatusOr<std::shared_ptr<const Snapshot>>;

const check::ResourceKey kGatewayKey{"Gateway", "default", "front"};

BuildOptions Options() {
  return {.bind_address = std::nullopt, .ticket_keys = tls::TicketKeys::Generate()};
}

std::map<std::string, std::string> Files(std::string_view text) {
  const std::string chain = std::string(test::k_leaf_certificate) + test::k_intermediate_certificate;
  static const auto* const kJwks =
      new std::string(Concat("{\"keys\":[", crypto::TestSigner(crypto::SignatureAlgorithm::kEs256).Jwk("k"), "]}"));
  return {{"test.yaml", std::string(text)},
          {"leaf.crt", chain},
          {"leaf.key", test::k_leaf_key},
          {"other.crt", std::string(test::k_other_certificate) + test::k_intermediate_certificate},
          {"other.key", test::k_other_key},
          {"rsa.crt", test::k_rsa2048_certificate},
          {"rsa.key", test::k_rsa2048_key},
          {"root.crt", test::k_root_certificate},
          {"jwks.json", *kJwks},
          {"rubbish", "rubbish"}};
}

// As a file, but what the references or the checks say is passed over: a stream may bring that.
Result Build(std::string_view text, const BuildOptions& options = Options(),
             const check::ResourceKey& key = kGatewayKey) {
  load::MemoryFiles files(Files(text));
  const load::Loaded loaded = load::Load({"test.yaml"}, files, crypto::BoringKeyPairChecker());
  return BuildSnapshot(loaded.configuration, key, options);
}

std::shared_ptr<const Snapshot> MustBuild(std::string_view text, const BuildOptions& options = Options()) {
  Result result = Build(text, options);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : std::make_shared<const Snapshot>();
}

using BoundRules = std::vector<std::shared_ptr<const BoundRule>>;
const BoundRules& Rules(const Snapshot& snapshot, const std::string& route = "default/r") {
  static const BoundRules kNone;
  const std::shared_ptr<const BoundRoute>* found = snapshot.routes.Find(route);
  EXPECT_NE(found, nullptr) << route;
  return found == nullptr ? kNone : (*found)->rules;
}

std::vector<std::string> Names(const Routes& routes) {
  std::vector<std::string> out;
  for (const auto& [name, route] : routes)
    out.push_back(name);
  return out;
}

// A Gateway with one listener and what else its spec says, a line each.
std::string Gateway(std::string_view more = "") {
  return Concat(
      "kind: Gateway\nmetadata: {name: front}\nspec:\n  listeners: [{name: http, port: 80, protocol: HTTP}]\n",
      more.empty() ? "" : Concat("  ", more, "\n"));
}
std::string Resource(std::string_view kind, std::string_view name, std::string_view spec) {
  return Concat("---\nkind: ", kind, "\nmetadata: {name: ", name, "}\nspec: {", spec, "}\n");
}
std::string Route(std::string_view backends) {
  return Resource("Route", "r", Concat("rules: [{backendRefs: [", backends, "]}]"));
}
std::string Cluster(std::string_view name, std::string_view endpoints, std::string_view more = "") {
  return Resource("Cluster", name, Concat("endpoints: [", endpoints, "]", more));
}
std::string Moving(std::string_view more = "") {
  return Resource("Cluster", "c", Concat("endpointsFrom: {name: e", more, "}"));
}
std::string Named() {
  return Resource("Cluster", "c", "dns: {hostname: a.test, port: 7}");
}
const std::string kTwoPorts =
    "{address: 127.0.0.1, port: 1}, {address: 127.0.0.1, port: 2}, {address: 127.0.0.2, port: 1}";

TEST(Snapshot, Gateway) {
  const auto address = [](std::string_view ip) { return *net::Address::Parse(ip, 0); };
  BuildOptions bound = Options();
  bound.bind_address = net::Address::Parse("127.0.0.9", 99).value();
  const struct {
    const char* name;
    std::string spec;
    BuildOptions options;
    std::function<void(const Snapshot&)> expect;
  } kRows[] = {
      {"defaults", "", Options(),
       [](const Snapshot& got) {
         const ClientConfig& client = *got.ports[0]->client;
         EXPECT_EQ(got.gateway, "default/front");
         EXPECT_THAT(got.addresses, IsEmpty());
         EXPECT_EQ(got.access_log, AccessLogTarget());
         EXPECT_EQ(client.limits.head_bytes_max, 65'536u);
         EXPECT_EQ(client.limits.field_count_max, 100u);
         EXPECT_EQ(client.limits.target_bytes_max, 8'192u);
         EXPECT_EQ(client.limits.streams_max, 100u);
         EXPECT_FALSE(client.request_content_bytes_max);
         EXPECT_FALSE(client.connections_max);
         EXPECT_EQ(got.cache_bytes_max, 67'108'864u);
         EXPECT_EQ(client.limits.upload_bytes_per_second_min, 240u);
         EXPECT_EQ(client.request_head_timeout, seconds(10));
         EXPECT_EQ(client.stream_idle_timeout, std::chrono::minutes(5));
         EXPECT_EQ(client.connection_idle_timeout, std::chrono::hours(1));
         EXPECT_FALSE(client.stream_duration_max);
         EXPECT_EQ(got.clusters.begin()->second->response_head_timeout, seconds(30));
         EXPECT_EQ(got.clusters.begin()->second->stream_idle_timeout, std::chrono::minutes(5));
         EXPECT_TRUE(client.forwarding.append_via);
         EXPECT_THAT(client.forwarding.trusted_networks, IsEmpty());
       }},
      {"limits",
       "limits: {requestHeadBytesMax: 1024, requestFieldsMax: 10000, requestTargetBytesMax: 64, "
       "requestContentBytesMax: "
       "0, concurrentStreamsMax: 1, connectionsMax: 10000000, requestContentBytesPerSecondMin: 0, cacheBytesMax: "
       "1048576}",
       Options(),
       [](const Snapshot& got) {
         const ClientConfig& client = *got.ports[0]->client;
         EXPECT_EQ(client.limits.head_bytes_max, 1024u);
         EXPECT_EQ(client.limits.field_count_max, 10'000u);
         EXPECT_EQ(client.limits.target_bytes_max, 64u);
         EXPECT_EQ(client.limits.streams_max, 1u);
         EXPECT_EQ(client.request_content_bytes_max, 0u);
         EXPECT_EQ(client.connections_max, 10'000'000u);
         EXPECT_EQ(got.cache_bytes_max, 1'048'576u);
         EXPECT_EQ(client.limits.upload_bytes_per_second_min, 0u);
       }},
      {"timeouts",
       "timeouts: {requestHead: 1ms, responseHead: 24h, streamIdle: 2h, connectionIdle: 1500ms, streamDurationMax: 1h}",
       Options(),
       [](const Snapshot& got) {
         const ClientConfig& client = *got.ports[0]->client;
         EXPECT_EQ(client.request_head_timeout, milliseconds(1));
         EXPECT_EQ(client.stream_idle_timeout, std::chrono::hours(2));
         EXPECT_EQ(client.connection_idle_timeout, milliseconds(1500));
         EXPECT_EQ(client.stream_duration_max, std::chrono::hours(1));
         EXPECT_EQ(got.clusters.begin()->second->response_head_timeout, std::chrono::hours(24));
         EXPECT_EQ(got.clusters.begin()->second->stream_idle_timeout, std::chrono::hours(2));
       }},
      {"addresses, each once", "addresses: [{value: 127.0.0.1}, {value: '::1'}, {value: '::ffff:127.0.0.1'}]", bound,
       [address](const Snapshot& got) {
         EXPECT_THAT(got.addresses, ElementsAre(address("127.0.0.1"), address("::1")));
       }},
      {"bind address", "", bound,
       [address](const Snapshot& got) { EXPECT_THAT(got.addresses, ElementsAre(address("127.0.0.9"))); }},
      {"access log", "accessLog: {file: /var/log/x}", Options(),
       [](const Snapshot& got) {
         EXPECT_EQ(got.access_log, (AccessLogTarget{AccessLogTarget::Kind::kFile, "/var/log/x"}));
       }},
      {"no access log", "accessLog: {disabled: true}", Options(),
       [](const Snapshot& got) { EXPECT_EQ(got.access_log.kind, AccessLogTarget::Kind::kNone); }},
      {"access log not disabled", "accessLog: {disabled: false}", Options(),
       [](const Snapshot& got) { EXPECT_EQ(got.access_log, AccessLogTarget()); }},
      {"forwarding", "clientAddress: {trustedNetworks: [10.0.0.0/8, '::1'], forwardedHops: 16}", Options(),
       [](const Snapshot& got) {
         EXPECT_EQ(got.ports[0]->client->forwarding.trusted_networks.size(), 2u);
         EXPECT_EQ(got.ports[0]->client->forwarding.forwarded_hops, 16u);
       }},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const Result got = Build(Gateway(row.spec) + Route("{name: c}") + Cluster("c", kTwoPorts), row.options);
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_THAT((*got)->faults, IsEmpty());
    row.expect(**got);
  }
}

TEST(Snapshot, RefusedAsAWhole) {
  const std::string https =
      "listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 443, protocol: HTTPS, tls: ";
  const auto gateway = [](std::string_view spec) {
    return Concat("kind: Gateway\nmetadata: {name: front}\nspec: {", spec, "}\n");
  };
  const struct {
    const char* name;
    std::string text;
    std::string error;
  } kRows[] = {
      {"no such gateway", Cluster("c", kTwoPorts), "front"},
      {"head bytes", Gateway("limits: {requestHeadBytesMax: 1023}"),
       "Gateway front: spec.limits.requestHeadBytesMax: must be 1024 to 1048576"},
      {"fields", Gateway("limits: {requestFieldsMax: 0}"), "spec.limits.requestFieldsMax: must be 1 to 10000"},
      {"target bytes", Gateway("limits: {requestTargetBytesMax: 65537}"), "requestTargetBytesMax: must be 64 to 65536"},
      {"streams", Gateway("limits: {concurrentStreamsMax: 10001}"), "concurrentStreamsMax: must be 1 to 10000"},
      {"connections", Gateway("limits: {connectionsMax: 0}"), "connectionsMax: must be 1 to 10000000"},
      {"pace of content", Gateway("limits: {requestContentBytesPerSecondMin: 1048577}"),
       "requestContentBytesPerSecondMin: must be 0 to 1048576"},
      {"memory of the cache", Gateway("limits: {cacheBytesMax: 1048575}"),
       "cacheBytesMax: must be 1048576 to 1099511627776"},
      {"request head", Gateway("timeouts: {requestHead: 0s}"), "spec.timeouts.requestHead: must be 1ms to 1h"},
      {"response head", Gateway("timeouts: {responseHead: 25h}"), "responseHead: must be 1ms to 24h"},
      {"stream idle", Gateway("timeouts: {streamIdle: 25h}"), "streamIdle: must be 1ms to 24h"},
      {"connection idle", Gateway("timeouts: {connectionIdle: 25h}"), "connectionIdle: must be 1ms to 24h"},
      {"stream duration", Gateway("timeouts: {streamDurationMax: 25h}"), "streamDurationMax: must be 1ms to 24h"},
      {"the first is named", Gateway("timeouts: {requestHead: 0s, responseHead: 25h}"), "requestHead"},
      {"address", Gateway("addresses: [{value: 127.0.0.1}, {value: here}]"),
       "spec.addresses[1].value: must be an IPv4 or IPv6 address"},
      {"trusted network", Gateway("clientAddress: {trustedNetworks: [10.0.0.1/8]}"), "trustedNetworks[0]: must be"},
      {"hops", Gateway("clientAddress: {forwardedHops: 17}"), "forwardedHops: must be 1 to 16"},
      {"access log", Gateway("accessLog: {file: log}"), "spec.accessLog.file: must be an absolute path"},
      {"expression",
       Gateway() + Resource("Route", "r", "rules: [{matches: [{path: {type: RegularExpression, value: '/('}}]}]"),
       "Route r: spec.rules[0].matches[0]: "},
      {"no certificate", gateway(https + "{certificateRefs: [{name: gone}]}}]"),
       "Gateway front: spec.listeners[1].tls.certificateRefs: listener b has no certificate that can be used: Secret "
       "gone "
       "does not exist"},
      {"certificate of another kind",
       gateway(https + "{certificateRefs: [{name: s}]}}]") + Resource("Secret", "s", "jwks: {file: jwks.json}"),
       "listener b has no certificate that can be used: Secret s has no `tls`"},
      {"certificate and key do not fit",
       gateway(https + "{certificateRefs: [{name: s}]}}]") +
           Resource("Secret", "s", "tls: {certificate: {file: leaf.crt}, privateKey: {file: other.key}}"),
       "Secret s: the private key does not belong to the certificate"},
      {"not granted",
       gateway(https + "{certificateRefs: [{name: s, namespace: vault}]}}]") +
           "---\nkind: Secret\nmetadata: {name: s, namespace: vault}\nspec: {tls: {certificate: {file: leaf.crt}, "
           "privateKey: {file: leaf.key}}}\n",
       "listener b has no certificate that can be used: none is there that the Gateway may refer to"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const Result got = Build(row.text);
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.status().code(), row.name == std::string_view("no such gateway")
                                       ? absl::StatusCode::kNotFound
                                       : absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(got.status().message()), HasSubstr(row.error));
  }
}

std::string Describe(const BoundBackend& backend) {
  if (!backend.fault.empty()) return "fault: " + backend.fault;
  return backend.plan == nullptr ? backend.cluster : Concat("plan of ", base::Join(backend.plan_clusters, "+"));
}

TEST(Snapshot, Backends) {
  const std::string composition = Resource("Composition", "m",
                                           "steps: [{name: a, call: {backendRef: {name: c}, path: /}}, {name: b, call: "
                                           "{backendRef: {name: c, port: 2}, path: "
                                           "/}}], answer: {body: '{a: $a.body, b: $b.body}'}");
  const std::string tls = ", tls: {hostname: o.example, caCertificateRefs: [{name: ca}]}";
  const struct {
    const char* name;
    std::string text;
    std::vector<std::string> backends;
    std::vector<std::string> clusters;  // name and number of endpoints
  } kRows[] = {
      {"plain", Route("{name: c}") + Cluster("c", kTwoPorts), {"default/c"}, {"default/c 3"}},
      {"unused clusters are left out",
       Route("{name: c}") + Cluster("c", kTwoPorts) + Cluster("d", kTwoPorts),
       {"default/c"},
       {"default/c 3"}},
      {"weighted, one twice",
       Route("{name: d}, {name: c}, {name: d}") + Cluster("c", kTwoPorts) + Cluster("d", kTwoPorts),
       {"default/d", "default/c", "default/d"},
       {"default/c 3", "default/d 3"}},
      {"a port of some endpoints",
       Route("{name: c, port: 1}") + Cluster("c", kTwoPorts),
       {"default/c:1"},
       {"default/c:1 2"}},
      {"with and without a port",
       Route("{name: c}, {name: c, port: 2}, {name: c, port: 1}") + Cluster("c", kTwoPorts),
       {"default/c", "default/c:2", "default/c:1"},
       {"default/c 3", "default/c:1 2", "default/c:2 1"}},
      {"a port of all endpoints",
       Route("{name: c, port: 9}") + Cluster("c", "{address: 127.0.0.1, port: 9}"),
       {"default/c"},
       {"default/c 1"}},
      {"a port of no endpoint",
       Route("{name: c, port: 9}, {name: c}") + Cluster("c", kTwoPorts),
       {"fault: Cluster c has no endpoint with port 9", "default/c"},
       {"default/c 3"}},
      {"a name",
       Route("{name: c}, {name: c, port: 7}") + Named(),
       {"default/c", "default/c"},
       {"default/c 0 a.test:7"}},
      {"another port than the name's",
       Route("{name: c, port: 8}") + Named(),
       {"fault: Cluster c has no endpoint with port 8"},
       {}},
      {"endpoints that are listed elsewhere",
       Route("{name: c}") + Moving() + Resource("Endpoints", "e", Concat("endpoints: [", kTwoPorts, "]")),
       {"default/c"},
       {"default/c 3"}},
      {"a port selects among them, also if all have it",
       Route("{name: c, port: 2}, {name: c, port: 9}") + Moving() +
           Resource("Endpoints", "e", "endpoints: [{address: 127.0.0.1, port: 2}]"),
       {"default/c:2", "default/c:9"},
       {"default/c:2 1", "default/c:9 0"}},
      {"none are listed",
       Route("{name: c}") + Moving() + Resource("Endpoints", "e", ""),
       {"default/c"},
       {"default/c 0"}},
      {"there is no list", Route("{name: c}") + Moving(), {"default/c"}, {"default/c 0"}},
      {"a list that nobody grants",
       Route("{name: c}") + Moving(", namespace: far"),
       {"fault: Cluster c: spec.endpointsFrom: Endpoints far/e is in another namespace"},
       {}},
      {"a list with an endpoint that is no address",
       Route("{name: c}") + Moving() + Resource("Endpoints", "e", "endpoints: [{address: here, port: 1}]"),
       {"fault: Cluster c: "},
       {}},
      {"not there", Route("{name: gone}"), {"fault: Cluster gone does not exist"}, {}},
      {"endpoint that is no address",
       Route("{name: c}") + Cluster("c", "{address: here, port: 1}"),
       {"fault: Cluster c: "},
       {}},
      {"composition",
       Route("{kind: Composition, name: m}") + composition + Cluster("c", kTwoPorts),
       {"plan of default/c+default/c:2"},
       {"default/c 3", "default/c:2 1"}},
      {"composition without its cluster",
       Route("{kind: Composition, name: m}") + composition,
       {"fault: Composition m: Cluster c does not exist"},
       {}},
      {"composition with a port that is not there",
       Route("{kind: Composition, name: m}") + composition + Cluster("c", "{address: 127.0.0.1, port: 1}"),
       {"fault: Composition m: Cluster c has no endpoint with port 2"},
       {}},
      {"composition that can't be planned",
       Route("{kind: Composition, name: m}") +
           Resource(
               "Composition", "m",
               "steps: [{name: a, call: {backendRef: {name: c}, path: '/${b.body}'}}, {name: b, call: {backendRef: "
               "{name: c}, path: '/${a.body}'}}], answer: {body: '1'}") +
           Cluster("c", kTwoPorts),
       {"fault: Composition m: steps depend on each other"},
       {}},
      {"authorities",
       Route("{name: c}") + Cluster("c", kTwoPorts, tls) + Resource("Secret", "ca", "caCertificates: {file: root.crt}"),
       {"default/c"},
       {"default/c 3"}},
      {"authorities that are not there",
       Route("{name: c}") + Cluster("c", kTwoPorts, tls),
       {"fault: Cluster c: spec.tls.caCertificateRefs[0]: Secret ca"},
       {}},
      {"authorities that are none",
       Route("{name: c}") + Cluster("c", kTwoPorts, tls) + Resource("Secret", "ca", "caCertificates: {file: rubbish}"),
       {"fault: Cluster c: spec.tls.caCertificateRefs: "},
       {}},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const std::shared_ptr<const Snapshot> got = MustBuild(Gateway() + row.text);
    ASSERT_EQ(got->ports.size(), 1u);
    const BoundRule& rule = *Rules(*got)[0];
    ASSERT_EQ(rule.bound_backends.size(), row.backends.size());
    ASSERT_EQ(rule.backends.size(), row.backends.size());
    size_t faults = 0;
    for (size_t i = 0; i < row.backends.size(); ++i) {
      const std::string text = Describe(*rule.bound_backends[i]);
      EXPECT_TRUE(text == row.backends[i] || (text.starts_with("fault") && text.starts_with(row.backends[i]))) << text;
      if (rule.bound_backends[i]->fault.empty()) continue;
      ASSERT_LT(faults, got->faults.size());
      EXPECT_EQ(got->faults[faults].key.ToString(), "Route r");
      EXPECT_EQ(got->faults[faults].path, Concat("spec.rules[0].backendRefs[", i, "]"));
      EXPECT_EQ(got->faults[faults++].message, rule.bound_backends[i]->fault);
    }
    EXPECT_EQ(got->faults.size(), faults);
    std::vector<std::string> clusters;
    for (const auto& [name, cluster] : got->clusters) {
      clusters.push_back(Concat(name, " ", cluster->endpoints.size()));
      if (cluster->named) clusters.back() += Concat(" ", cluster->named->hostname, ":", cluster->named->port);
    }
    EXPECT_EQ(clusters, row.clusters);
  }
}

// A Composition may be granted to nobody while a Route of its target's namespace is.
TEST(Snapshot, CompositionNeedsAGrantOfItsOwn) {
  const std::string text =
      Gateway() +
      "---\nkind: Cluster\nmetadata: {name: c, namespace: far}\nspec: {endpoints: [{address: "
      "127.0.0.1, port: 1}]}\n---\nkind: ReferenceGrant\nmetadata: {name: g, namespace: far}\nspec: "
      "{from: [{kind: Route, namespace: default}], to: [{kind: Cluster}]}\n" +
      Route("{name: c, namespace: far}, {kind: Composition, name: m}") +
      Resource("Composition", "m",
               "steps: [{name: a, call: {backendRef: {name: c, namespace: far}, path: /}}], answer: "
               "{body: '$a.body'}");
  const std::shared_ptr<const Snapshot> got = MustBuild(text);
  const BoundRule& rule = *Rules(*got)[0];
  EXPECT_EQ(Describe(*rule.bound_backends[0]), "far/c");
  EXPECT_THAT(Describe(*rule.bound_backends[1]), HasSubstr("no ReferenceGrant there permits it"));
}

TEST(Snapshot, Policies) {
  const std::string jwt =
      "authentication: {anyOf: [{jwt: {issuer: 'https://i', audiences: [a], jwks: {secretRef: {name: s}}}}]}";
  const std::string rules = Resource("Route", "r",
                                     "rules: [{name: a, backendRefs: [{name: c}]}, {name: b, backendRefs: "
                                     "[{name: c}]}]") +
                            Cluster("c", kTwoPorts);
  const auto policy = [&](std::string_view target) {
    return Resource("AuthPolicy", "p", Concat("targetRefs: [", target, "], ", jwt));
  };
  const struct {
    const char* name;
    std::string text;
    std::vector<bool> guarded;  // the rules, in order
    std::string fault;
  } kRows[] = {
      {"none", rules, {false, false}, ""},
      {"all",
       rules + policy("{kind: Gateway, name: front}") + Resource("Secret", "s", "jwks: {file: jwks.json}"),
       {true, true},
       ""},
      {"one rule",
       rules + policy("{kind: Route, name: r, sectionName: b}") + Resource("Secret", "s", "jwks: {file: jwks.json}"),
       {false, true},
       ""},
      {"without its keys it is still there",
       rules + policy("{kind: Gateway, name: front}"),
       {true, true},
       "Secret s is missing, or no ReferenceGrant permits it"},
      {"with rubbish for keys",
       rules + policy("{kind: Gateway, name: front}") + Resource("Secret", "s", "jwks: {file: rubbish}"),
       {true, true},
       "Secret s: "},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const std::shared_ptr<const Snapshot> got = MustBuild(Gateway() + row.text);
    const auto& bound = Rules(*got);
    ASSERT_EQ(bound.size(), row.guarded.size());
    for (size_t i = 0; i < bound.size(); ++i)
      EXPECT_EQ(!bound[i]->chain.empty(), row.guarded[i]) << i;
    if (row.guarded[0]) EXPECT_EQ(bound[0]->chain.configs(), bound[1]->chain.configs()) << "built once, shared";
    ASSERT_EQ(got->faults.size(), row.fault.empty() ? 0u : 1u);
    if (row.fault.empty()) continue;
    EXPECT_EQ(got->faults[0].key.ToString(), "AuthPolicy p");
    EXPECT_THAT(got->faults[0].message, HasSubstr(row.fault));
  }
}

TEST(Snapshot, Ports) {
  const std::string text =
      "kind: Gateway\nmetadata: {name: front}\nspec:\n  listeners:\n  - {name: late, port: 8081, protocol: HTTP}\n"
      "  - {name: a, port: 8080, protocol: HTTP, hostname: a.example}\n  - {name: b, port: 8080, protocol: HTTP}\n" +
      Resource("Route", "z", "rules: [{filters: [{directResponse: {status: 200}}]}]") +
      Resource("Route", "r", "parentRefs: [{name: front, sectionName: b}], rules: [{backendRefs: [{name: c}]}]") +
      Resource("Route", "nowhere",
               "parentRefs: [{name: front, sectionName: b}], hostnames: [], rules: [{backendRefs: "
               "[{name: c}]}]") +
      Cluster("c", kTwoPorts);
  const std::shared_ptr<const Snapshot> got = MustBuild(text);
  ASSERT_EQ(got->ports.size(), 2u);
  EXPECT_EQ(got->ports[0]->number, 8080);
  EXPECT_THAT(got->ports[0]->listeners, ElementsAre("a", "b"));
  EXPECT_EQ(got->ports[0]->routes->listeners().size(), 2u);
  EXPECT_EQ(got->ports[0]->tls, nullptr);
  EXPECT_THAT(got->ports[1]->listeners, ElementsAre("late"));
  EXPECT_EQ(got->ports[0]->client, got->ports[1]->client);
  EXPECT_THAT(Names(got->routes), ElementsAre("default/nowhere", "default/r", "default/z"));
  EXPECT_EQ(got->resolved.configuration.resources().size(), 5u);
  // A table's rules are the bound ones.
  const auto& matches = got->ports[1]->routes->listeners()[0].matches;
  ASSERT_EQ(matches.size(), 1u);
  EXPECT_EQ(BoundRuleOf(*matches.begin()->first), Rules(*got, "default/z").front());
}

// One handshake in memory. "": the client trusts what it was shown for the host.
std::string Shake(const tls::ServerContext& context, const std::string& host, std::string* alpn) {
  const auto client_context = tls::ClientContext::Create({.ca_certificates_pem = test::k_root_certificate});
  const base::WallTime now =
      crypto::KeyPair::Parse(test::k_leaf_certificate, test::k_leaf_key)->not_before() + std::chrono::hours(1);
  const auto client = (*client_context)->NewSession({.host = host, .alpn = {"http/1.1", "h2"}}, now);
  const auto server = context.NewSession();
  client->Handshake();
  for (int flights = 0; flights < 10; ++flights) {
    for (const auto& [from, to] : {std::pair(client.get(), server.get()), std::pair(server.get(), client.get())}) {
      const std::string bytes(from->output());
      from->ConsumeOutput(bytes.size());
      char buffer[256];
      to->Feed(bytes);
      to->Read(buffer, sizeof buffer);
      to->KeepInput();
    }
  }
  *alpn = client->alpn();
  return client->error().ok() ? "" : std::string(client->error().message());
}

TEST(Snapshot, CertificatesByName) {
  const auto secret = [](const std::string& name) {
    return Resource("Secret", name,
                    Concat("tls: {certificate: {file: ", name, ".crt}, privateKey: {file: ", name, ".key}}"));
  };
  const std::string text =
      "kind: Gateway\nmetadata: {name: front}\nspec:\n  listeners:\n"
      "  - {name: shop, port: 443, protocol: HTTPS, hostname: api.shop.example, tls: {certificateRefs: [{name: "
      "leaf}]}}\n"
      "  - {name: any, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: gone}, {name: rsa}, {name: "
      "other}]}}\n"
      "  - {name: more, port: 444, protocol: HTTPS, tls: {certificateRefs: [{name: other}]}}\n" +
      secret("leaf") + secret("other") + secret("rsa");
  const std::shared_ptr<const Snapshot> got = MustBuild(text);
  ASSERT_EQ(got->ports.size(), 2u);
  const struct {
    const char* host;
    size_t port;
    bool trusted;
  } kRows[] = {
      {"api.shop.example", 0, true},  {"rsa.example", 0, true},       {"other.example", 0, true},
      {"www.shop.example", 0, false},  // the shop's certificate has that name, but its listener has not
      {"127.0.0.1", 0, false},         // no SNI: the listener for any host, though the shop's comes before it
      {"other.example", 1, true},     {"api.shop.example", 1, false},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.host);
    std::string alpn;
    const std::string error = Shake(*got->ports[row.port]->tls, row.host, &alpn);
    EXPECT_EQ(error.empty(), row.trusted) << error;
    if (row.trusted) EXPECT_EQ(alpn, "h2");
  }
}

TEST(Snapshot, Shop) {
  std::ifstream stream("examples/shop/shop.yaml");
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  ASSERT_NE(text, "");
  std::map<std::string, std::string> all = Files("");
  load::MemoryFiles files({{"shop.yaml", text},
                           {"tls/api.crt", all["leaf.crt"]},
                           {"tls/api.key", all["leaf.key"]},
                           {"tls/jwks.json", all["jwks.json"]}});
  const load::Loaded loaded = load::Load({"shop.yaml"}, files, crypto::BoringKeyPairChecker());
  for (const load::Finding& finding : loaded.findings)
    ADD_FAILURE() << finding.ToString();
  const Result got = BuildSnapshot(loaded.configuration, {"Gateway", "default", "shop"}, Options());
  ASSERT_TRUE(got.ok()) << got.status();
  const Snapshot& shop = **got;
  EXPECT_THAT(shop.faults, IsEmpty());
  EXPECT_THAT(Names(shop.routes), ElementsAre("default/shop", "default/to-https"));
  ASSERT_EQ(shop.ports.size(), 2u);
  EXPECT_EQ(shop.ports[0]->tls, nullptr);
  EXPECT_NE(shop.ports[1]->tls, nullptr);
  ASSERT_EQ(shop.clusters.size(), 5u);
  EXPECT_EQ(shop.clusters.begin()->first, "default/inventory");
  EXPECT_EQ(shop.clusters.begin()->second->protocol, upstream::ClusterConfig::Protocol::kHttp2);
  for (const auto& rule : Rules(shop, "default/shop")) {
    SCOPED_TRACE(rule->name);
    EXPECT_FALSE(rule->chain.empty());  // identity fields are taken from every client
    if (rule->name != "order-history") continue;
    ASSERT_NE(rule->bound_backends[0]->plan, nullptr);
    EXPECT_THAT(rule->bound_backends[0]->plan_clusters,
                ElementsAre("default/order", "default/product", "default/inventory"));
  }
}

}  // namespace
}  // namespace portico::snapshot
