#ifndef PORTICO_DATAPLANE_WORKER_CLUSTER_REGISTRY_H_
#define PORTICO_DATAPLANE_WORKER_CLUSTER_REGISTRY_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/buffer.h"
#include "dataplane/base/random.h"
#include "dataplane/event/loop.h"
#include "dataplane/net/network.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/upstream/cluster.h"
#include "dataplane/upstream/cluster_config.h"
#include "dataplane/upstream/cluster_observer.h"
#include "dataplane/worker/cluster_state.h"
#include "dataplane/worker/shared_limits.h"

namespace portico::worker {

// One worker's clusters by name. They outlive configurations: a swap updates those that are named again, with their
// pools and verdicts. One that is dropped lives on while an exchange holds it.
class ClusterRegistry {
 public:
  // All outlive it.
  ClusterRegistry(event::Loop& loop, net::Network& network, base::BlockPool& pool, base::Random& random,
                  upstream::ClusterObserver& observer, SharedLimits& limits);

  // Looks at nothing but what differs from the last ones.
  void Swap(const snapshot::Clusters& next);
  // Of a cluster that names its origin; there need be none of the name any more.
  void SetAddresses(const std::string& cluster, std::shared_ptr<const upstream::ResolvedName> resolved);
  // Drops all, at the end of the turn.
  void Clear();

  // nullptr: there is none.
  std::shared_ptr<upstream::Cluster> Find(std::string_view name) const;
  std::vector<ClusterState> States() const;

 private:
  using Entries = std::map<std::string, std::shared_ptr<upstream::Cluster>, std::less<>>;

  void DropLater(std::vector<std::shared_ptr<upstream::Cluster>> clusters);

  event::Loop& loop_;
  net::Network& network_;
  base::BlockPool& pool_;
  base::Random& random_;
  upstream::ClusterObserver& observer_;
  SharedLimits& limits_;
  snapshot::Clusters configs_;
  Entries entries_;  // one for each
};

}  // namespace portico::worker

#endif  // PORTICO_DATAPLANE_WORKER_CLUSTER_REGISTRY_H_
