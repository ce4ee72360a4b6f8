#include "test/simulation/configuration.h"

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/check.h"
#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/load/load.h"
#include "api/load/memory_files.h"
#include "dataplane/crypto/boring_key_pair.h"
#include "dataplane/snapshot/snapshot_config.h"
#include "test/simulation/waiting_filter.h"

namespace portico::simulation {
namespace {

using std::chrono::seconds;

constexpr std::string_view kGateway = R"(
kind: Gateway
metadata: {name: sim}
spec:
  listeners: [{name: http, port: 8080, protocol: HTTP}]
  addresses: [{type: IPAddress, value: 10.0.0.1}]
  timeouts: {requestHead: 5s, streamIdle: 10s, connectionIdle: 20s}
  accessLog: {disabled: true}
---
kind: AuthPolicy
metadata: {name: nobody}
spec:
  targetRefs: [{kind: Route, name: sim, sectionName: denied}]
  authentication: {anyOf: [{anonymous: {}}]}
  authorization: {defaultAction: Deny}
---
kind: RateLimitPolicy
metadata: {name: few}
spec:
  targetRefs: [{kind: Route, name: sim, sectionName: limited}]
  limits: [{name: all, limit: {requests: 1, per: 1s}, burst: 2}]
---
kind: CachePolicy
metadata: {name: pages}
spec:
  targetRefs: [{kind: Route, name: sim, sectionName: cached}]
---
)";

constexpr std::string_view kRoute = R"(
kind: Route
metadata: {name: sim}
spec:
  parentRefs: [{name: sim}]
  rules:
  - {name: http1, matches: [{path: {value: /http1}}], filters: FILTERS, backendRefs: [{name: one}]}
  - {name: http2, matches: [{path: {value: /http2}}], filters: FILTERS, backendRefs: [{name: two}]}
  - {name: pair, matches: [{path: {value: /pair}}], filters: FILTERS, backendRefs: PAIR}
  - {name: waiting, matches: [{path: {value: /waiting}}], filters: FILTERS, backendRefs: [{name: one}], timeouts: {request: 40s}}
  - {name: denied, matches: [{path: {value: /denied}}], filters: FILTERS, backendRefs: [{name: one}]}
  - {name: retried, matches: [{path: {value: /retried}}], filters: FILTERS, backendRefs: [{name: one}], retry: {attempts: 2, codes: [503], backoff: 5ms}}
  - {name: limited, matches: [{path: {value: /limited}}], filters: FILTERS, backendRefs: [{name: two}]}
  - {name: cached, matches: [{path: {value: /cached}}], filters: FILTERS, backendRefs: [{name: one}]}
  - {name: deadline, matches: [{path: {value: /deadline}}], filters: FILTERS, backendRefs: [{name: two}], timeouts: {request: 200ms}}
  - name: composition
    matches: [{path: {value: /composition}}]
    filters: [ANSWERS]
    backendRefs: [{kind: Composition, name: whole}]
  - name: direct
    matches: [{path: {value: /direct}}]
    filters: [ANSWERS, {directResponse: {status: 418, headers: [{name: content-type, value: text/plain}], body: short and stout}}]
---
kind: Composition
metadata: {name: whole}
spec:
  steps:
  - {name: list, call: {backendRef: {name: one}, path: '/list/${request.query.token}', headers: HEADERS}}
  - name: item
    forEach: {items: '$list.body.items[]', parallel: 3}
    call: {backendRef: {name: two}, path: '/item/${each}', headers: HEADERS}
    onFailure: UseNull
  - name: stock
    call: {backendRef: {name: one}, path: '/stock/${list.body.token}', headers: HEADERS}
    onFailure: UseFallback
    fallback: {}
  answer:
    body: |
      {token: $list.body.token, revision: $list.body.revision, stock: $stock.body, incomplete: $failures,
       items: [$list.body.items[] | {id: ., got: $item[.].body}]}
)";

std::string Replaced(std::string text, std::string_view word, std::string_view by) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size()))
    text.replace(at, word.size(), by);
  return text;
}

std::string ClusterText(std::string_view name, std::string_view protocol, std::string_view endpoints) {
  return base::Concat("kind: Cluster\nmetadata: {name: ", name, "}\nspec: {protocol: ", protocol, ", endpoints: [",
                      endpoints, "], pool: {idleTimeout: 15s}, retryConstraint: {minPerSecond: 1000}}\n---\n");
}

std::string Text(uint64_t revision, const Variant& variant) {
  const std::string headers = base::Concat("[{name: x-revision, value: \"", revision, "\"}]");
  const std::string answers = base::Concat("{responseHeaderModifier: {set: ", headers, "}}");
  const std::string requests = base::Concat("{requestHeaderModifier: {set: ", headers, "}}");
  std::string route = Replaced(std::string(kRoute), "FILTERS", base::Concat("[", requests, ", ANSWERS]"));
  route = Replaced(route, "ANSWERS", answers);
  route = Replaced(route, "HEADERS", headers);
  route = Replaced(
      route, "PAIR",
      base::Concat("[{name: one, weight: ", variant.weight, "}, {name: two, weight: ", 100 - variant.weight, "}]"));
  const std::string_view second_one = variant.both_ones ? ", {address: 10.0.0.4, port: 9001}" : "";
  const std::string_view second_two = variant.both_twos ? ", {address: 10.0.0.6, port: 9002}" : "";
  return base::Concat(kGateway,
                      ClusterText("one", variant.ones_speak_http2 ? "HTTP2" : "HTTP1",
                                  base::Concat("{address: 10.0.0.3, port: 9001}", second_one)),
                      ClusterText("two", "HTTP2", base::Concat("{address: 10.0.0.5, port: 9002}", second_two)), route);
}

// Many seeds want the same one.
const check::Configuration& Load(const std::string& text) {
  static std::map<std::string, check::Configuration> loaded;
  if (const auto known = loaded.find(text); known != loaded.end()) return known->second;
  load::MemoryFiles files({{"sim.yaml", text}});
  load::Loaded read = load::Load({"sim.yaml"}, files, crypto::BoringKeyPairChecker());
  for (const load::Finding& finding : read.findings)
    if (finding.is_error) base::CheckFailed(__FILE__, __LINE__, "the file is good", finding.ToString().c_str());
  return loaded[text] = std::move(read.configuration);
}

// Each run has its own: what it has counted is of no other.
std::shared_ptr<const snapshot::Snapshot> Build(const std::string& text, const filters::SharedState& state) {
  const auto snapshot = snapshot::BuildSnapshot(
      Load(text), {"Gateway", "default", "sim"},
      {.bind_address = std::nullopt, .ticket_keys = tls::TicketKeys::Generate(), .filters = state});
  PORTICO_CHECK(snapshot.ok() && (*snapshot)->faults.empty());
  return *snapshot;
}

std::shared_ptr<const snapshot::Port> Adapted(const snapshot::Port& port, const Variant& variant,
                                              const filter::Chain& waiting) {
  auto adapted = std::make_shared<snapshot::Port>(port);
  auto client = std::make_shared<snapshot::ClientConfig>(*port.client);
  client->limits.stream_window_bytes = variant.stream_window_bytes;
  adapted->client = client;
  std::vector<route::RouteTable::Change> changes;
  for (const route::ListenerRoutes& listener : port.routes->listeners()) {
    route::RouteTable::Change& change = changes.emplace_back();
    for (const auto& [match, same] : listener.matches) {
      if (match->rule->name != "waiting") continue;
      auto rule = std::make_shared<snapshot::BoundRule>(*snapshot::BoundRuleOf(*match));
      rule->chain = waiting;
      auto replaced = std::make_shared<route::RuleMatch>(*match);
      replaced->rule = std::move(rule);
      change.removed.push_back(match);
      change.added.push_back(std::move(replaced));
    }
  }
  adapted->routes = std::make_shared<const route::RouteTable>(*port.routes, changes);
  return adapted;
}

}  // namespace

Variant RandomVariant(base::Random& random) {
  constexpr size_t kWindows[] = {16 * 1024, 64 * 1024, 256 * 1024};
  Variant variant;
  variant.both_ones = random.Below(2) == 0;
  variant.both_twos = random.Below(2) == 0;
  variant.ones_speak_http2 = random.Below(3) == 0;
  variant.weight = 10 + 40 * static_cast<uint32_t>(random.Below(3));
  if (random.Below(3) == 0) variant.connections_max = 2 + random.Below(3);
  variant.stream_window_bytes = kWindows[random.Below(3)];
  return variant;
}

std::shared_ptr<const snapshot::Snapshot> MakeSnapshot(uint64_t revision, const Variant& variant,
                                                       const filters::SharedState& state, event::Loop& loop,
                                                       Judge& judge) {
  auto snapshot = std::make_shared<snapshot::Snapshot>(*Build(Text(revision, variant), state));
  snapshot->revision = revision;
  const filter::Chain waiting({std::make_shared<const WaitingFilterConfig>(loop, judge)});
  for (std::shared_ptr<const snapshot::Port>& port : snapshot->ports)
    port = Adapted(*port, variant, waiting);
  const snapshot::Clusters clusters = snapshot->clusters;
  for (const auto& [name, cluster] : clusters) {
    auto adapted = std::make_shared<upstream::ClusterConfig>(*cluster);
    adapted->connections_max = variant.connections_max;
    adapted->response_head_timeout = seconds(6);
    adapted->stream_idle_timeout = seconds(8);
    snapshot->clusters.Put(name, adapted);
  }
  return snapshot;
}

}  // namespace portico::simulation
