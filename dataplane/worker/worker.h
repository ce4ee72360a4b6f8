#ifndef PORTICO_DATAPLANE_WORKER_WORKER_H_
#define PORTICO_DATAPLANE_WORKER_WORKER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/random.h"
#include "dataplane/cache/worker_cache.h"
#include "dataplane/call/retry.h"
#include "dataplane/compose/budget.h"
#include "dataplane/downstream/site.h"
#include "dataplane/event/loop.h"
#include "dataplane/export/log_file.h"
#include "dataplane/filter/worker_slots.h"
#include "dataplane/listener/connection_budget.h"
#include "dataplane/listener/listener.h"
#include "dataplane/net/network.h"
#include "dataplane/observe/metrics.h"
#include "dataplane/observe/process_log.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/tls/tls_stream.h"
#include "dataplane/upstream/cluster_config.h"
#include "dataplane/worker/access_log_buffer.h"
#include "dataplane/worker/cluster_registry.h"
#include "dataplane/worker/cluster_state.h"
#include "dataplane/worker/shared_limits.h"
#include "dataplane/worker/traffic_metrics.h"

namespace portico::worker {

// The world of one worker. All of it outlives the worker.
struct WorkerParts {
  event::Loop& loop;
  net::Network& network;
  uint64_t seed;                   // of the random numbers
  observe::Metrics& metrics;       // this worker's own
  exporting::LogFile* access_log;  // nullptr: none
  SharedLimits* limits = nullptr;  // of the process; nullptr: this is its only worker
  // Clients' connections of the process where the configuration does not say; nullopt: no limit.
  std::optional<size_t> connections_max = std::nullopt;
  observe::ProcessLog* log = nullptr;  // nullptr: none
};

// One thread's share of the proxy: its ports, clusters, slots and numbers. It has no thread and no socket of its own,
// so it runs in the simulation too. Everything is called on its loop's thread, never from inside its own callbacks
// (post it).
//
//   worker.Prepare(next)  → ok: worker.Swap(next)
//                         → another worker could not: worker.Abandon()
//   worker.Drain(false) → worker.Drain(true) → worker.Close() → one turn of the loop → destroy it
//
// What outlives a configuration (connections, pools, slots, numbers) is found again by its name; what the new one does
// not name ends when its last exchange does.
class Worker final : private downstream::Host, private listener::Listener::Owner {
 public:
  explicit Worker(const WorkerParts& parts);
  ~Worker();

  // Binds what `next` has and we have not. On an error ("listener http, port 8080: 0.0.0.0:8080: address in use")
  // everything newly bound is closed again, and all is as before.
  absl::Status Prepare(const std::shared_ptr<const snapshot::Snapshot>& next);
  void Abandon();
  // The snapshot that was prepared last. Between two events of the loop: every exchange sees one of the two.
  void Swap(std::shared_ptr<const snapshot::Snapshot> next);
  // Forgets the slots that no snapshot needs. Swap does it too, but whoever else holds the old snapshot (the main
  // thread, which frees it) keeps them.
  void SweepSlots() { slots_.Sweep(); }

  // Where the name of a cluster leads (ClusterNames).
  void SetAddresses(const std::string& cluster, std::shared_ptr<const upstream::ResolvedName> resolved) {
    clusters_.SetAddresses(cluster, std::move(resolved));
  }

  // See Listener: a warning; then no new connections, and idle ones are closed.
  void Drain(bool final);
  // Cuts what is still there.
  void Close();
  bool idle() const { return budget_.connections() == 0; }  // no client is connected

  std::vector<ClusterState> Clusters() const { return clusters_.States(); }
  size_t slot_count() const { return slots_.size(); }

 private:
  using Listeners = std::map<uint16_t, std::unique_ptr<listener::Listener>>;

  // downstream::Host
  event::Loop& loop() override { return parts_.loop; }
  base::Random& random() override { return random_; }
  filter::WorkerSlots& slots() override { return slots_; }
  compose::Budget& composition_budget() override { return compositions_; }
  cache::WorkerCache& cache() override { return cache_; }
  call::ReplayBudget& replay_budget() override { return replays_; }
  std::shared_ptr<call::Backend> FindBackend(std::string_view name) override { return clusters_.Find(name); }
  void OnExchangeEnd(const observe::ExchangeRecord& record) override;
  // listener::Listener::Owner
  void OnEmpty(listener::Listener& listener) override;

  SharedLimits& limits() { return parts_.limits != nullptr ? *parts_.limits : own_limits_; }
  AccessLogBuffer::Sink LogSink() const;
  void SwapListeners(const snapshot::Snapshot& next);
  void Leave(std::unique_ptr<listener::Listener> listener);
  void Bury(std::unique_ptr<listener::Listener> listener);
  void RetireLabels();
  template <typename Act>
  void ForEachListener(Act act);

  const WorkerParts parts_;
  base::BlockPool pool_;
  tls::Scratch scratch_;
  base::Random random_;
  filter::WorkerSlots slots_;
  compose::Budget compositions_;
  call::ReplayBudget replays_;
  SharedLimits own_limits_;  // if the parts have none
  cache::WorkerCache cache_;
  TrafficMetrics traffic_;
  AccessLogBuffer log_;
  ClusterRegistry clusters_;
  listener::ConnectionBudget budget_;
  std::shared_ptr<const snapshot::Snapshot> snapshot_;  // nullptr before the first Swap
  Listeners listeners_;                                 // by port
  Listeners prepared_;                                  // new ports between Prepare and Swap
  std::vector<std::unique_ptr<listener::Listener>> leaving_;
  std::set<std::string, std::less<>> labels_;  // of listeners, that have series
};

}  // namespace portico::worker

#endif  // PORTICO_DATAPLANE_WORKER_WORKER_H_
