#ifndef PORTICO_DATAPLANE_WORKER_CLUSTER_NAMES_H_
#define PORTICO_DATAPLANE_WORKER_CLUSTER_NAMES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "dataplane/base/random.h"
#include "dataplane/event/loop.h"
#include "dataplane/net/lookup_queue.h"
#include "dataplane/net/resolver.h"
#include "dataplane/observe/metrics.h"
#include "dataplane/observe/process_log.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/upstream/cluster_config.h"

namespace portico::worker {

// The names of the clusters in force, followed on the main thread once for all workers: so they agree, and no loop that
// serves clients asks or reads a file for it. It outlives configurations: a name that is there again is not asked for
// anew. Without such a cluster it does nothing.
//
//   names.Swap(snapshot->clusters)   → tell(cluster, addresses), now and with each change
//   → portico_dns_lookups_total, and a line of the log when the addresses are others, lookups fail, or no longer fail
class ClusterNames {
 public:
  using Tell = std::function<void(const std::string& cluster, std::shared_ptr<const upstream::ResolvedName> resolved)>;

  // All outlive it. `tell` does nothing to it.
  ClusterNames(event::Loop& loop, net::Resolver& resolver, uint64_t seed, observe::Metrics& metrics,
               observe::ProcessLog& log, Tell tell);
  ~ClusterNames();

  // When every worker has these clusters: who hears of an address has the cluster that it is of. Looks at nothing but
  // what differs from the last ones.
  void Swap(const snapshot::Clusters& next);

 private:
  class Entry;

  event::Loop& loop_;
  net::LookupQueue lookups_;  // of all names
  base::Random random_;
  observe::Metrics& metrics_;
  observe::ProcessLog& log_;
  const Tell tell_;
  snapshot::Clusters kept_;
  std::map<std::string, std::unique_ptr<Entry>> entries_;  // by the cluster's name
};

}  // namespace portico::worker

#endif  // PORTICO_DATAPLANE_WORKER_CLUSTER_NAMES_H_
