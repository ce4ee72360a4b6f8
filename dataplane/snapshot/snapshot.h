#ifndef PORTICO_DATAPLANE_SNAPSHOT_SNAPSHOT_H_
#define PORTICO_DATAPLANE_SNAPSHOT_SNAPSHOT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/check/configuration.h"
#include "api/check/violation.h"
#include "dataplane/base/time.h"
#include "dataplane/compose/plan.h"
#include "dataplane/downstream/forwarding_config.h"
#include "dataplane/filter/filter.h"
#include "dataplane/http/codec.h"
#include "dataplane/net/address.h"
#include "dataplane/route/route_table.h"
#include "dataplane/route/rule.h"
#include "dataplane/tls/server_context.h"
#include "dataplane/upstream/cluster_config.h"

namespace portico::snapshot {

// A whole configuration as the workers use it: immutable, without any state of the traffic, shared by all threads.
// snapshot_config.h builds it.

// What one backend of a rule is.
struct BoundBackend {
  std::string fault;                          // why requests for it are answered with 500; "" if it is good
  std::string cluster;                        // a name of Snapshot::clusters; "" for a Composition
  std::shared_ptr<const compose::Plan> plan;  // of a Composition, else nullptr
  std::vector<std::string> plan_clusters;     // names of Snapshot::clusters, as Plan::backends
};

// All that an exchange needs once its rule is known. It holds its parts, so a long exchange pins its rule and no table.
struct BoundRule {
  std::shared_ptr<const route::Rule> rule;
  filter::Chain chain;
  std::vector<BoundBackend> backends;  // as rule->backends
};

// What is true of every client of the gateway.
struct ClientConfig {
  http::Limits limits;
  std::optional<uint64_t> request_content_bytes_max;  // then 413
  downstream::ForwardingConfig forwarding;
  base::Duration request_head_timeout = std::chrono::seconds(10);
  base::Duration connection_idle_timeout = std::chrono::hours(1);
  base::Duration stream_idle_timeout = std::chrono::minutes(5);
  std::optional<base::Duration> stream_duration_max;
  std::optional<size_t> connections_max;  // of the process, whichever workers hold them
};

// One port with all its listeners.
struct Port {
  uint16_t number = 0;
  std::vector<std::string> listeners;             // their names
  std::shared_ptr<const tls::ServerContext> tls;  // nullptr: in clear
  std::shared_ptr<const route::RouteTable> routes;
  std::shared_ptr<const std::vector<std::shared_ptr<const BoundRule>>> rules;  // by Rule::id
  std::shared_ptr<const ClientConfig> client;
};

struct AccessLogTarget {
  enum class Kind : uint8_t { kStandardOutput, kFile, kNone };
  Kind kind = Kind::kStandardOutput;
  std::string path;  // of kFile, absolute
  bool operator==(const AccessLogTarget&) const = default;
};

// When the certificate of a Secret that a listener shows is valid.
struct CertificateDates {
  check::ResourceKey secret;
  base::WallTime not_before, not_after;
};

struct Snapshot {
  std::string gateway;                  // "default/shop"
  uint64_t revision = 0;                // given by who puts it in force: the how many-th that came into force
  std::vector<net::Address> addresses;  // where every port is bound; their own port is 0. Empty: all, IPv4 and IPv6
  std::vector<std::shared_ptr<const Port>> ports;                        // by number
  std::vector<std::shared_ptr<const upstream::ClusterConfig>> clusters;  // by name
  std::vector<std::string> routes;  // "namespace/name" of every Route that a rule is of, sorted; for metrics
  AccessLogTarget access_log;
  std::vector<CertificateDates> certificates;  // by secret
  check::Violations faults;  // what fails closed, with the reason: 500 or 503 for whoever gets there. Each once
  check::Configuration configuration;  // what it was built of; for the admin's dump, which shows no secret
};

}  // namespace portico::snapshot

#endif  // PORTICO_DATAPLANE_SNAPSHOT_SNAPSHOT_H_
