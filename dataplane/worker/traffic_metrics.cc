#include "dataplane/worker/traffic_metrics.h"

#include <algorithm>

#include "dataplane/observe/families.h"

namespace portico::worker {
namespace {

size_t ClassIndex(int status) {
  return status >= 100 && status <= 599 ? static_cast<size_t>(status / 100) : 0;
}

template <typename Map>
typename Map::mapped_type& FindOrAdd(Map& map, std::string_view key) {
  const auto found = map.find(key);
  return found != map.end() ? found->second : map[std::string(key)];
}

bool NamesCluster(const snapshot::Snapshot& snapshot, std::string_view name) {
  const auto place = std::lower_bound(snapshot.clusters.begin(), snapshot.clusters.end(), name,
                                      [](const auto& config, std::string_view key) { return config->name < key; });
  return place != snapshot.clusters.end() && (*place)->name == name;
}

}  // namespace

void TrafficMetrics::OnExchangeEnd(const observe::ExchangeRecord& record) {
  const std::string_view name = record.route.empty() ? kNoRoute : record.route;
  Route& route = FindOrAdd(routes_, name);
  shared::Counter*& requests = route.requests[ClassIndex(record.status)];
  if (requests == nullptr) {
    const unsigned status = static_cast<unsigned>(std::max(record.status, 0));
    requests = &metrics_.CounterOf(observe::kRequests, {name, observe::CodeClass(status)});
  }
  requests->Add();
  if (route.duration == nullptr) route.duration = &metrics_.HistogramOf(observe::kRequestDuration, {name});
  route.duration->Record(record.duration);
}

void TrafficMetrics::OnAttempt(std::string_view cluster, std::string_view outcome) {
  shared::Counter*& attempts = FindOrAdd(FindOrAdd(clusters_, cluster).attempts, outcome);
  if (attempts == nullptr) attempts = &metrics_.CounterOf(observe::kUpstreamRequests, {cluster, outcome});
  attempts->Add();
}

void TrafficMetrics::OnConnections(std::string_view name, int64_t change) {
  Cluster& cluster = FindOrAdd(clusters_, name);
  if (cluster.connections == nullptr) cluster.connections = &metrics_.GaugeOf(observe::kUpstreamConnections, {name});
  cluster.connections->Add(change);
  if (!cluster.dropped || cluster.connected()) return;
  metrics_.Retire("cluster", name);
  clusters_.erase(clusters_.find(name));
}

void TrafficMetrics::KeepOnly(const snapshot::Snapshot& next) {
  std::erase_if(routes_, [&](const auto& entry) {
    const std::string& name = entry.first;
    if (name == kNoRoute || std::binary_search(next.routes.begin(), next.routes.end(), name)) return false;
    metrics_.Retire("route", name);
    return true;
  });
  for (auto& [name, cluster] : clusters_)
    cluster.dropped = !NamesCluster(next, name);
  std::erase_if(clusters_, [&](const auto& entry) {
    const auto& [name, cluster] = entry;
    if (!cluster.dropped || cluster.connected()) return false;
    metrics_.Retire("cluster", name);
    return true;
  });
}

}  // namespace portico::worker
