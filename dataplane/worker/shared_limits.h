#ifndef PORTICO_DATAPLANE_WORKER_SHARED_LIMITS_H_
#define PORTICO_DATAPLANE_WORKER_SHARED_LIMITS_H_

#include <memory>
#include <string_view>

#include "dataplane/cache/store.h"
#include "dataplane/shared/budget.h"
#include "dataplane/shared/keyed.h"
#include "dataplane/shared/retry_budget.h"
#include "dataplane/upstream/endpoint.h"
#include "dataplane/upstream/outlier/verdicts.h"

namespace portico::worker {

// What all workers of the process share and count together, and what they think of endpoints. Any thread; outlives
// them.
class SharedLimits {
 public:
  // By the cluster's name: as a cluster does, this outlives configurations, and goes with the last worker's.
  upstream::ClusterShared OfCluster(std::string_view name) {
    return {connections_.Of(name), pending_.Of(name), requests_.Of(name), verdicts_.Of(name), retries_.Of(name)};
  }
  // Connections of clients.
  const std::shared_ptr<shared::Budget>& clients() const { return clients_; }
  cache::Store& responses() { return responses_; }
  const cache::Store& responses() const { return responses_; }

 private:
  shared::Keyed<shared::Budget> connections_;
  shared::Keyed<shared::Budget> pending_;
  shared::Keyed<shared::Budget> requests_;
  shared::Keyed<upstream::outlier::Verdicts> verdicts_;
  cache::Store responses_;
  shared::Keyed<shared::RetryBudget> retries_;
  const std::shared_ptr<shared::Budget> clients_ = std::make_shared<shared::Budget>();
};

}  // namespace portico::worker

#endif  // PORTICO_DATAPLANE_WORKER_SHARED_LIMITS_H_
