#include "dataplane/worker/cluster_state.h"

#include <map>

namespace portico::worker {

std::vector<ClusterState> MergeClusterStates(const std::vector<std::vector<ClusterState>>& workers) {
  struct Sum {
    ClusterState totals;
    std::map<std::string, upstream::EndpointState> endpoints;
  };
  std::map<std::string, Sum> sums;
  for (const std::vector<ClusterState>& worker : workers) {
    for (const ClusterState& cluster : worker) {
      Sum& sum = sums[cluster.name];
      sum.totals.name = cluster.name;
      sum.totals.connections += cluster.connections;
      sum.totals.calls += cluster.calls;
      sum.totals.pending += cluster.pending;
      for (const upstream::EndpointState& endpoint : cluster.endpoints) {
        upstream::EndpointState& total = sum.endpoints[endpoint.address];
        total.address = endpoint.address;
        total.resting = total.resting || endpoint.resting;
        total.ejected = total.ejected || endpoint.ejected;
        total.connections += endpoint.connections;
        total.waiting += endpoint.waiting;
      }
    }
  }
  std::vector<ClusterState> merged;
  for (auto& [name, sum] : sums) {
    for (auto& [address, endpoint] : sum.endpoints)
      sum.totals.endpoints.push_back(endpoint);
    merged.push_back(std::move(sum.totals));
  }
  return merged;
}

}  // namespace portico::worker
