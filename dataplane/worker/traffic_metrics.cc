#include "dataplane/worker/traffic_metrics.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/base/shared_map.h"
#include "api/base/text.h"
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

}  // namespace

void TrafficMetrics::OnExchangeEnd(const observe::ExchangeRecord& record) {
  const std::string_view name = record.route.empty() ? kNoRoute : record.route;
  Route& route = RouteOf(name);
  shared::Counter*& requests = route.requests[ClassIndex(record.status)];
  if (requests == nullptr) {
    const unsigned status = static_cast<unsigned>(std::max(record.status, 0));
    requests = &metrics_.CounterOf(observe::kRequests, {name, observe::CodeClass(status)});
  }
  requests->Add();
  if (route.duration == nullptr) route.duration = &metrics_.HistogramOf(observe::kRequestDuration, {name});
  route.duration->Record(record.duration);
  if (!record.steps.empty()) CountSteps(record);
  if (!record.cache.empty()) CountCache(record.cache);
}

void TrafficMetrics::CountSteps(const observe::ExchangeRecord& record) {
  TextMap<Step>& composition = FindOrAdd(compositions_, record.composition);
  for (const observe::StepRecord& step : record.steps) {
    Step& cells = FindOrAdd(composition, step.name);
    shared::Counter*& outcomes = FindOrAdd(cells.outcomes, step.outcome);
    if (outcomes == nullptr) {
      outcomes = &metrics_.CounterOf(observe::kCompositionSteps, {record.composition, step.name, step.outcome});
    }
    outcomes->Add();
    if (!step.HasBegun()) continue;
    if (cells.duration == nullptr) {
      cells.duration = &metrics_.HistogramOf(observe::kCompositionStepDuration, {record.composition, step.name});
    }
    cells.duration->Record(step.duration);
  }
}

void TrafficMetrics::CountCache(std::string_view outcome) {
  shared::Counter*& requests = FindOrAdd(cache_requests_, outcome);
  if (requests == nullptr) requests = &metrics_.CounterOf(observe::kCacheRequests, {outcome});
  requests->Add();
}

void TrafficMetrics::OnAttempt(std::string_view cluster, std::string_view outcome) {
  shared::Counter*& attempts = FindOrAdd(ClusterOf(cluster).attempts, outcome);
  if (attempts == nullptr) attempts = &metrics_.CounterOf(observe::kUpstreamRequests, {cluster, outcome});
  attempts->Add();
}

void TrafficMetrics::OnRetry(std::string_view cluster, std::string_view outcome) {
  shared::Counter*& retries = FindOrAdd(ClusterOf(cluster).retries, outcome);
  if (retries == nullptr) retries = &metrics_.CounterOf(observe::kRetries, {cluster, outcome});
  retries->Add();
}

void TrafficMetrics::OnConnections(std::string_view name, int64_t change) {
  Cluster& cluster = ClusterOf(name);
  if (cluster.connections == nullptr) cluster.connections = &metrics_.GaugeOf(observe::kUpstreamConnections, {name});
  cluster.connections->Add(change);
  RetireIfUnused(name, cluster);
}

void TrafficMetrics::OnEjected(std::string_view name, std::string_view endpoint, base::Duration time) {
  Cluster& cluster = ClusterOf(name);
  metrics_.CounterOf(observe::kEndpointEjections, {name}).Add();
  if (cluster.ejected == nullptr) cluster.ejected = &metrics_.GaugeOf(observe::kEndpointsEjected, {name});
  cluster.ejected->Add(1);
  if (log_ == nullptr) return;
  log_->Write(observe::Severity::kWarning,
              base::Concat("cluster ", name, ": ", endpoint, " fails and is ejected for ",
                           std::chrono::duration_cast<std::chrono::milliseconds>(time).count(), " ms"));
}

void TrafficMetrics::OnEjectionOver(std::string_view name, std::string_view endpoint, bool serves) {
  Cluster& cluster = ClusterOf(name);
  cluster.ejected->Add(-1);
  if (serves && log_ != nullptr) {
    log_->Write(observe::Severity::kInfo, base::Concat("cluster ", name, ": ", endpoint, " is asked again"));
  }
  RetireIfUnused(name, cluster);
}

// `name` may be the last one's own: it is looked for before it goes.
void TrafficMetrics::RetireIfUnused(std::string_view name, const Cluster& cluster) {
  if (!cluster.dropped || cluster.in_use()) return;
  metrics_.Retire("cluster", name);
  clusters_.erase(clusters_.find(name));
}

void TrafficMetrics::KeepOnly(const snapshot::Snapshot& next) {
  base::Compare(kept_routes_, next.routes, [&](const std::string& name, const auto*, const auto* after) {
    if (after == nullptr) JudgeRoute(name, next);
  });
  base::Compare(kept_clusters_, next.clusters, [&](const std::string& name, const auto* before, const auto* after) {
    if (before == nullptr || after == nullptr) JudgeCluster(name, next);
  });
  for (const std::string& name : std::exchange(new_routes_, {}))
    JudgeRoute(name, next);
  for (const std::string& name : std::exchange(new_clusters_, {}))
    JudgeCluster(name, next);
  std::erase_if(compositions_, [&](const auto& known) {
    const size_t slash = known.first.find('/');
    const check::ResourceKey key{"Composition", known.first.substr(0, slash), known.first.substr(slash + 1)};
    const bool dropped =
        next.parts.backends.map().Find(snapshot::SharedParts::BackendKey{key, std::nullopt}) == nullptr;
    if (dropped) metrics_.Retire("composition", known.first);
    return dropped;
  });
  kept_routes_ = next.routes;
  kept_clusters_ = next.clusters;
}

TrafficMetrics::Route& TrafficMetrics::RouteOf(std::string_view name) {
  const auto found = routes_.find(name);
  if (found != routes_.end()) return found->second;
  return routes_[new_routes_.emplace_back(name)];
}

TrafficMetrics::Cluster& TrafficMetrics::ClusterOf(std::string_view name) {
  const auto found = clusters_.find(name);
  if (found != clusters_.end()) return found->second;
  return clusters_[new_clusters_.emplace_back(name)];
}

void TrafficMetrics::JudgeRoute(const std::string& name, const snapshot::Snapshot& next) {
  if (name == kNoRoute || next.routes.contains(name) || routes_.erase(name) == 0) return;
  metrics_.Retire("route", name);
}

void TrafficMetrics::JudgeCluster(const std::string& name, const snapshot::Snapshot& next) {
  const auto found = clusters_.find(name);
  if (found == clusters_.end()) return;
  found->second.dropped = !next.clusters.contains(name);
  RetireIfUnused(name, found->second);
}

}  // namespace portico::worker
