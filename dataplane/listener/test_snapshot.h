#ifndef PORTICO_DATAPLANE_LISTENER_TEST_SNAPSHOT_H_
#define PORTICO_DATAPLANE_LISTENER_TEST_SNAPSHOT_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/cache/policy.h"
#include "dataplane/snapshot/snapshot.h"

namespace portico::test {

// Snapshots by hand, for tests of what stands on them.

// Everything below `path` is answered with `answer`, or comes from `cluster`.
struct TestRule {
  std::string path = "";  // a prefix: "" is all
  std::string answer = "hello";
  std::string cluster = "";
  std::string route = "default/shop";
  filter::Chain chain = {};
  std::shared_ptr<const cache::CachePolicy> cache = nullptr;
};

inline std::shared_ptr<const snapshot::Port> MakePort(uint16_t number, std::vector<std::string> listeners,
                                                      const std::vector<TestRule>& rules,
                                                      const snapshot::ClientConfig& client = {},
                                                      std::shared_ptr<const tls::ServerContext> tls = nullptr) {
  route::Matches matches;
  for (const TestRule& row : rules) {
    auto rule = std::make_shared<snapshot::BoundRule>();
    rule->index = matches.size();
    rule->route = row.route;
    rule->listener = listeners.front();
    rule->listener_port = number;
    if (row.cluster.empty()) {
      rule->direct_response = route::DirectResponse{200, {}, row.answer};
    } else {
      rule->backends.emplace_back().name = row.cluster;
      rule->weight_sum = 1;
      rule->bound_backends.push_back(
          std::make_shared<const snapshot::BoundBackend>(snapshot::BoundBackend{"", row.cluster, nullptr, {}}));
    }
    rule->chain = row.chain;
    rule->cache = row.cache;
    route::RuleMatch match;
    match.path = row.path;
    match.rule = rule;
    const auto shared = std::make_shared<const route::RuleMatch>(std::move(match));
    matches.Put(shared, shared);
  }
  auto port = std::make_shared<snapshot::Port>();
  port->number = number;
  port->tls = std::move(tls);
  port->routes = std::make_shared<const route::RouteTable>(
      std::vector<route::ListenerRoutes>{{listeners.front(), "", std::move(matches)}});
  port->client = std::make_shared<const snapshot::ClientConfig>(client);
  port->listeners = std::move(listeners);
  return port;
}

inline std::shared_ptr<snapshot::Snapshot> MakeSnapshot(
    std::vector<std::shared_ptr<const snapshot::Port>> ports,
    std::vector<std::shared_ptr<const upstream::ClusterConfig>> clusters = {}) {
  auto made = std::make_shared<snapshot::Snapshot>();
  made->gateway = "default/test";
  made->revision = 1;
  made->ports = std::move(ports);
  for (const std::shared_ptr<const upstream::ClusterConfig>& cluster : clusters)
    made->clusters.Put(cluster->name, cluster);
  for (const auto& port : made->ports)
    for (const route::ListenerRoutes& listener : port->routes->listeners())
      for (const auto& [match, same] : listener.matches)
        made->routes.Put(match->rule->route, std::make_shared<const snapshot::BoundRoute>());
  made->access_log.kind = snapshot::AccessLogTarget::Kind::kNone;
  return made;
}

inline std::shared_ptr<const upstream::ClusterConfig> MakeCluster(std::string name,
                                                                  const std::vector<net::Address>& endpoints) {
  auto config = std::make_shared<upstream::ClusterConfig>();
  config->name = std::move(name);
  config->endpoints.assign(endpoints.begin(), endpoints.end());
  return config;
}

}  // namespace portico::test

#endif  // PORTICO_DATAPLANE_LISTENER_TEST_SNAPSHOT_H_
