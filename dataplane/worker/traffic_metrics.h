#ifndef PORTICO_DATAPLANE_WORKER_TRAFFIC_METRICS_H_
#define PORTICO_DATAPLANE_WORKER_TRAFFIC_METRICS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dataplane/base/time.h"
#include "dataplane/observe/access_log.h"
#include "dataplane/observe/metrics.h"
#include "dataplane/observe/process_log.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/upstream/cluster_observer.h"

namespace portico::worker {

// One worker's cells for what its exchanges do, by route and by cluster. A cell is looked for once (that takes a lock)
// and kept; counting costs a hash look-up and no lock.
//
//   traffic.OnExchangeEnd(record)      → portico_requests_total, portico_request_duration_seconds,
//                                        portico_composition_steps_total, portico_composition_step_duration_seconds,
//                                        portico_cache_requests_total
//   upstream::ClusterObserver          → portico_upstream_requests_total, portico_retries_total,
//                                        portico_upstream_connections,
//                                        portico_endpoint_ejections_total, portico_endpoints_ejected
//   traffic.KeepOnly(*next)            → after a swap: retires what `next` does not name
//
// What is gone may still be in use when the configuration is swapped. A cluster's series stay until its last connection
// is closed, and its last ejection is over. An exchange that ends later is counted under the name of its route, and
// that series goes with the next swap.
class TrafficMetrics final : public upstream::ClusterObserver {
 public:
  static constexpr std::string_view kNoRoute = "none";  // exchanges that no rule agreed with

  // `log` is told of ejections; nullptr: nobody is. Both outlive it.
  explicit TrafficMetrics(observe::Metrics& metrics, observe::ProcessLog* log = nullptr)
      : metrics_(metrics), log_(log) {}

  void OnExchangeEnd(const observe::ExchangeRecord& record);
  void OnAttempt(std::string_view cluster, std::string_view outcome) override;
  void OnRetry(std::string_view cluster, std::string_view outcome) override;
  void OnConnections(std::string_view cluster, int64_t change) override;
  void OnEjected(std::string_view cluster, std::string_view endpoint, base::Duration time) override;
  void OnEjectionOver(std::string_view cluster, std::string_view endpoint, bool serves) override;
  // Looks at nothing but what differs from the last snapshot, and at what has been counted since for the first time.
  void KeepOnly(const snapshot::Snapshot& next);

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <typename Value>
  using TextMap = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  struct Route {
    std::array<shared::Counter*, 6> requests{};  // by the status' first digit; 0: none was sent
    observe::Histogram* duration = nullptr;
  };
  struct Step {
    TextMap<shared::Counter*> outcomes;  // of a fixed list
    observe::Histogram* duration = nullptr;
  };
  struct Cluster {
    TextMap<shared::Counter*> attempts;  // by outcome, of a fixed list
    TextMap<shared::Counter*> retries;   // the same
    shared::Gauge* connections = nullptr;
    shared::Gauge* ejected = nullptr;
    bool dropped = false;  // no configuration names it any more

    bool in_use() const {
      return (connections != nullptr && connections->value() != 0) || (ejected != nullptr && ejected->value() != 0);
    }
  };

  void CountSteps(const observe::ExchangeRecord& record);
  void CountCache(std::string_view outcome);
  Route& RouteOf(std::string_view name);
  Cluster& ClusterOf(std::string_view name);
  void RetireIfUnused(std::string_view name, const Cluster& cluster);
  void JudgeRoute(const std::string& name, const snapshot::Snapshot& next);
  void JudgeCluster(const std::string& name, const snapshot::Snapshot& next);

  observe::Metrics& metrics_;
  observe::ProcessLog* const log_;
  TextMap<Route> routes_;
  TextMap<Cluster> clusters_;
  TextMap<TextMap<Step>> compositions_;
  TextMap<shared::Counter*> cache_requests_;  // by outcome, of a fixed list
  snapshot::Routes kept_routes_;              // of the last snapshot
  snapshot::Clusters kept_clusters_;
  std::vector<std::string> new_routes_, new_clusters_;  // since then
};

}  // namespace portico::worker

#endif  // PORTICO_DATAPLANE_WORKER_TRAFFIC_METRICS_H_
