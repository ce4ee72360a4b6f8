#ifndef PORTICO_DATAPLANE_UPSTREAM_BUILD_CLUSTER_CONFIG_H_
#define PORTICO_DATAPLANE_UPSTREAM_BUILD_CLUSTER_CONFIG_H_

#include <memory>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/resolve/grants.h"
#include "dataplane/upstream/cluster_config.h"

namespace portico::upstream {

// Message -> ClusterConfig: the only place of this folder that knows protobuf. On the main thread, while a snapshot is
// built. `key` is a Cluster of the configuration that has passed api/check.
//
// Endpoints that are not there (endpointsFrom) are none: whoever asks is answered 503.
//
// kFailedPrecondition, naming the field: Endpoints that `grants` (of the same configuration) do not let this Cluster
// refer to, a Secret of tls.caCertificateRefs that is missing, that they do not let it refer to, or that is no bundle
// of certificates. A cluster is never asked without the verification it wants.
absl::StatusOr<std::shared_ptr<const ClusterConfig>> BuildClusterConfig(const check::ResourceKey& key,
                                                                        const check::Configuration& configuration,
                                                                        resolve::Grants& grants);

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_BUILD_CLUSTER_CONFIG_H_
