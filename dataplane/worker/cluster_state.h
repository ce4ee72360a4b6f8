#ifndef PORTICO_DATAPLANE_WORKER_CLUSTER_STATE_H_
#define PORTICO_DATAPLANE_WORKER_CLUSTER_STATE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "dataplane/upstream/endpoint.h"

namespace portico::worker {

// A cluster at work, for the admin's /clusters: in one worker, or in all of them together.
struct ClusterState {
  std::string name;  // "namespace/name"
  std::vector<upstream::EndpointState> endpoints;
  size_t connections = 0;
  size_t calls = 0;    // under way
  size_t pending = 0;  // of them waiting for a connection
};

// The sums over all workers, by name and address; an endpoint rests, or is ejected, if it does in any worker. Pure.
std::vector<ClusterState> MergeClusterStates(const std::vector<std::vector<ClusterState>>& workers);

}  // namespace portico::worker

#endif  // PORTICO_DATAPLANE_WORKER_CLUSTER_STATE_H_
