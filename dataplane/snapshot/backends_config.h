#ifndef PORTICO_DATAPLANE_SNAPSHOT_BACKENDS_CONFIG_H_
#define PORTICO_DATAPLANE_SNAPSHOT_BACKENDS_CONFIG_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/resolve/grants.h"
#include "api/resolve/resolved.h"
#include "dataplane/base/time.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/upstream/cluster_config.h"

namespace portico::snapshot {

// Binds backends of rules to clusters and plans, each built once however many rules want it, and keeps a snapshot's
// clusters to those that are in use. A backend that can't be built gets a fault that says why; nothing is refused as a
// whole.
//
// A port that only some endpoints of a Cluster have makes a cluster of its own, "namespace/name:port": its pools and
// verdicts are apart. Where all endpoints have it, it is the plain cluster, unless they are listed elsewhere
// (endpointsFrom): those may change, and none of them may have the port for now.
//
//   BackendBinder binder(timeouts, snapshot);           // a new one, or a copy of the one before
//   for (key : binder.Refresh(changed)) …               // whoever refers to it must be bound anew
//   rule->bound_backends.push_back(binder.Take(backend));
//   binder.Drop(backend);                               // of a rule that is gone; last
class BackendBinder {
 public:
  struct Timeouts {  // the Gateway's; clusters have none of their own
    base::Duration response_head;
    base::Duration stream_idle;
  };

  // Outlives it; `clusters` and `parts` of it are kept here. Its configuration is the one to build of.
  BackendBinder(Timeouts timeouts, Snapshot& snapshot);

  // Clusters and Compositions that are not what they were: builds anew what stands on them. Those of them, and of the
  // Compositions over them, of which a BoundBackend has become another are returned; a Cluster with other endpoints is
  // none, since it still has its name.
  std::set<check::ResourceKey> Refresh(const std::set<check::ResourceKey>& changed);

  std::shared_ptr<const BoundBackend> Take(const resolve::ResolvedBackend& backend);
  void Drop(const resolve::ResolvedBackend& backend);

 private:
  using Cluster = std::shared_ptr<const upstream::ClusterConfig>;

  BoundBackend Build(const SharedParts::BackendKey& key, const BoundBackend* before);
  BoundBackend BuildComposition(const check::ResourceKey& key, const BoundBackend* before);
  // The name under which it is in built_, or why it is not.
  absl::StatusOr<std::string> BuildCluster(const check::ResourceKey& key, std::optional<uint32_t> port);
  absl::StatusOr<Cluster> BuildWhole(const check::ResourceKey& key);
  const std::string& Keep(const check::ResourceKey& key, Cluster cluster);
  void TakeClusters(const BoundBackend& backend);
  void DropClusters(const BoundBackend& backend);

  const Timeouts timeouts_;
  Snapshot& snapshot_;
  const check::Configuration& configuration_;
  resolve::Grants grants_;
  std::set<check::ResourceKey> changed_;
  std::map<check::ResourceKey, absl::StatusOr<Cluster>> whole_;  // built here, not necessarily in use
  struct Built {
    Cluster cluster;
    bool is_changed;
  };
  std::map<std::string, Built> built_;  // likewise, whole or a port's
};

}  // namespace portico::snapshot

#endif  // PORTICO_DATAPLANE_SNAPSHOT_BACKENDS_CONFIG_H_
