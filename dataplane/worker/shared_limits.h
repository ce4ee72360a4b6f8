#ifndef PORTICO_DATAPLANE_WORKER_SHARED_LIMITS_H_
#define PORTICO_DATAPLANE_WORKER_SHARED_LIMITS_H_

#include <memory>
#include <string_view>

#include "dataplane/cache/store.h"
#include "dataplane/shared/budget.h"
#include "dataplane/shared/keyed.h"
#include "dataplane/upstream/endpoint.h"

namespace portico::worker {

// What all workers of the process share and count together. Any thread; outlives them.
class SharedLimits {
 public:
  // By the cluster's name: as a cluster does, its budget outlives configurations, and goes with the last worker's.
  upstream::ClusterBudget OfCluster(std::string_view name) { return {connections_.Of(name), pending_.Of(name)}; }
  // Connections of clients.
  const std::shared_ptr<shared::Budget>& clients() const { return clients_; }
  cache::Store& responses() { return responses_; }

 private:
  shared::Keyed<shared::Budget> connections_;
  shared::Keyed<shared::Budget> pending_;
  cache::Store responses_;
  const std::shared_ptr<shared::Budget> clients_ = std::make_shared<shared::Budget>();
};

}  // namespace portico::worker

#endif  // PORTICO_DATAPLANE_WORKER_SHARED_LIMITS_H_
