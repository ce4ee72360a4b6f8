#ifndef PORTICO_DATAPLANE_ADMIN_DUMP_H_
#define PORTICO_DATAPLANE_ADMIN_DUMP_H_

#include <string>
#include <vector>

#include "dataplane/snapshot/snapshot.h"
#include "dataplane/worker/cluster_state.h"

namespace portico::admin {

// What the pages show of values that main holds. Pure; the only place here that reads resources.

// The configuration in force as YAML, with gateway and revision in a comment. A Secret's texts are replaced by how long
// they are.
std::string SnapshotPage(const snapshot::Snapshot& snapshot);

// {"clusters": [{"name": …, "connections": …, "calls": …, "pending": …, "endpoints": [{"address": …, "resting": …,
// "ejected": …, "connections": …, "waiting": …}]}]}
std::string ClustersPage(const std::vector<worker::ClusterState>& clusters);

}  // namespace portico::admin

#endif  // PORTICO_DATAPLANE_ADMIN_DUMP_H_
