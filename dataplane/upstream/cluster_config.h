#ifndef PORTICO_DATAPLANE_UPSTREAM_CLUSTER_CONFIG_H_
#define PORTICO_DATAPLANE_UPSTREAM_CLUSTER_CONFIG_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/time.h"
#include "dataplane/net/address.h"
#include "dataplane/shared/retry_budget.h"
#include "dataplane/upstream/balancer/balancer.h"
#include "dataplane/upstream/outlier/ejection.h"

namespace portico::upstream {

class StreamSecurity;  // stream_security.h

// Where an origin server is, and its share of the requests. An address alone has the weight of every other.
struct ConfiguredEndpoint {
  ConfiguredEndpoint(const net::Address& its_address, uint32_t its_weight = 1)  // NOLINT: an address is one
      : address(its_address), weight(its_weight) {}
  bool operator==(const ConfiguredEndpoint&) const = default;

  net::Address address;
  uint32_t weight;  // 0: none
};

// Where a cluster is whose endpoints are the addresses of a name.
struct NamedOrigin {
  std::string hostname;
  uint16_t port = 0;
};

// Where such a name leads, as far as anybody knows.
struct ResolvedName {
  std::string hostname;
  std::vector<net::Address> addresses;  // each once, with port 0. None: nothing could be learnt
};

// What a Cluster resource says, valid by construction. Immutable and shared by all workers.
struct ClusterConfig {
  enum class Protocol : uint8_t { kHttp1, kHttp2 };

  std::string name;  // "namespace/name": the identity that runtime state is keyed by
  std::vector<ConfiguredEndpoint> endpoints;
  std::optional<NamedOrigin> named;  // instead of endpoints
  balancer::Kind balancer = balancer::Kind::kRoundRobin;
  Protocol protocol = Protocol::kHttp1;
  base::Duration connect_timeout = std::chrono::seconds(1);           // with the TLS handshake
  base::Duration response_head_timeout = std::chrono::seconds(60);    // refreshed while request content is being sent
  base::Duration stream_idle_timeout = std::chrono::minutes(5);       // no content in either direction
  base::Duration connection_idle_timeout = std::chrono::seconds(50);  // below the 60 s or more of most origin servers
  size_t idle_connections_max = 256;  // for each worker and endpoint; the oldest is closed
  // Of all workers together. Where the configuration does not say: what eight workers with the customary 1024 each
  // would have. An HTTP/1.1 origin that takes a second for an answer is asked 8192 times a second by so many.
  size_t connections_max = 8192;
  size_t pending_max = 8192;           // calls waiting for a connection that others have
  std::optional<size_t> requests_max;  // calls under way, those that wait among them
  std::optional<outlier::EjectionRules> ejection;
  shared::RetryConstraint retry_constraint;        // of all workers together as well
  std::shared_ptr<const StreamSecurity> security;  // nullptr: in clear
  // Everything that `security` was made of. Connections of one configuration serve a later one only if both have the
  // same: what is not verified as the newest one wants is not used.
  std::string security_identity;
};

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_CLUSTER_CONFIG_H_
