#ifndef PORTICO_DATAPLANE_LISTENER_TEST_SNAPSHOT_H_
#define PORTICO_DATAPLANE_LISTENER_TEST_SNAPSHOT_H_

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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
};

inline std::shared_ptr<const snapshot::Port> MakePort(uint16_t number, std::vector<std::string> listeners,
                                                      const std::vector<TestRule>& rules,
                                                      const snapshot::ClientConfig& client = {},
                                                      std::shared_ptr<const tls::ServerContext> tls = nullptr) {
  auto bound_rules = std::make_shared<std::vector<std::shared_ptr<const snapshot::BoundRule>>>();
  std::vector<route::RuleMatch> matches;
  for (const TestRule& row : rules) {
    auto rule = std::make_shared<route::Rule>();
    rule->id = bound_rules->size();
    rule->route = row.route;
    rule->listener = listeners.front();
    rule->listener_port = number;
    auto bound = std::make_shared<snapshot::BoundRule>();
    if (row.cluster.empty()) {
      rule->direct_response = route::DirectResponse{200, {}, row.answer};
    } else {
      rule->backends.emplace_back().name = row.cluster;
      rule->weight_sum = 1;
      bound->backends.emplace_back().cluster = row.cluster;
    }
    bound->rule = rule;
    bound->chain = row.chain;
    bound_rules->push_back(std::move(bound));
    route::RuleMatch match;
    match.path = row.path;
    match.rule = rule;
    matches.push_back(std::move(match));
  }
  auto port = std::make_shared<snapshot::Port>();
  port->number = number;
  port->tls = std::move(tls);
  port->routes = std::make_shared<const route::RouteTable>(
      std::vector<route::ListenerRoutes>{{listeners.front(), "", std::move(matches)}});
  port->rules = std::move(bound_rules);
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
  made->clusters = std::move(clusters);
  for (const auto& port : made->ports)
    for (const auto& rule : *port->rules)
      made->routes.push_back(rule->rule->route);
  std::sort(made->routes.begin(), made->routes.end());
  made->routes.erase(std::unique(made->routes.begin(), made->routes.end()), made->routes.end());
  made->access_log.kind = snapshot::AccessLogTarget::Kind::kNone;
  return made;
}

inline std::shared_ptr<const upstream::ClusterConfig> MakeCluster(std::string name,
                                                                  std::vector<net::Address> endpoints) {
  auto config = std::make_shared<upstream::ClusterConfig>();
  config->name = std::move(name);
  config->endpoints = std::move(endpoints);
  return config;
}

}  // namespace portico::test

#endif  // PORTICO_DATAPLANE_LISTENER_TEST_SNAPSHOT_H_
