#ifndef PORTICO_DATAPLANE_PROXY_PAGES_H_
#define PORTICO_DATAPLANE_PROXY_PAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/snapshot/snapshot.h"
#include "dataplane/worker/cluster_state.h"

namespace portico::proxy {

// What the admin's pages show of values that main holds.

// The configuration in force as YAML, with gateway and revision in a comment. A Secret's texts are replaced by how long
// they are.
std::string SnapshotPage(const snapshot::Snapshot& snapshot);

// {"clusters": [{"name": …, "connections": …, "calls": …, "pending": …, "endpoints": [{"address": …, "resting": …,
// "connections": …, "waiting": …}]}]}
std::string ClustersPage(const std::vector<worker::ClusterState>& clusters);

// Memory of this process that is in RAM, from /proc; 0 if it can't be told.
int64_t ResidentBytes();

}  // namespace portico::proxy

#endif  // PORTICO_DATAPLANE_PROXY_PAGES_H_
