#ifndef PORTICO_DATAPLANE_SNAPSHOT_BACKENDS_CONFIG_H_
#define PORTICO_DATAPLANE_SNAPSHOT_BACKENDS_CONFIG_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/resolve/grants.h"
#include "api/resolve/resolved.h"
#include "dataplane/base/time.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/upstream/cluster_config.h"

namespace portico::snapshot {

// Binds backends of rules to clusters and plans, each built once however many rules want it, and gathers the clusters
// that are in use. A backend that can't be built gets a fault that says why; nothing is refused as a whole.
//
// A port that only some endpoints of a Cluster have makes a cluster of its own, "namespace/name:port": its pools and
// verdicts are apart. Where all endpoints have it, it is the plain cluster.
class BackendBinder {
 public:
  struct Timeouts {  // the Gateway's; clusters have none of their own
    base::Duration response_head;
    base::Duration stream_idle;
  };

  // `configuration` outlives it.
  BackendBinder(const check::Configuration& configuration, Timeouts timeouts);

  BoundBackend Bind(const resolve::ResolvedBackend& backend);
  // Of all that was bound, by name.
  std::vector<std::shared_ptr<const upstream::ClusterConfig>> clusters() const;

 private:
  using Cluster = std::shared_ptr<const upstream::ClusterConfig>;

  // The name in clusters(), or why there is none.
  absl::StatusOr<std::string> BindCluster(const check::ResourceKey& key, std::optional<uint32_t> port);
  absl::StatusOr<Cluster> BuildWhole(const check::ResourceKey& key);
  BoundBackend BindComposition(const check::ResourceKey& key);

  const check::Configuration& configuration_;
  const Timeouts timeouts_;
  resolve::Grants grants_;
  std::map<check::ResourceKey, absl::StatusOr<Cluster>> whole_;  // built, not necessarily in use
  std::map<check::ResourceKey, BoundBackend> compositions_;
  std::map<std::string, Cluster> clusters_;
};

}  // namespace portico::snapshot

#endif  // PORTICO_DATAPLANE_SNAPSHOT_BACKENDS_CONFIG_H_
