#ifndef PORTICO_DATAPLANE_SNAPSHOT_SNAPSHOT_H_
#define PORTICO_DATAPLANE_SNAPSHOT_SNAPSHOT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "api/base/check.h"
#include "api/base/shared_map.h"
#include "api/check/violation.h"
#include "api/resolve/resolved.h"
#include "dataplane/base/time.h"
#include "dataplane/cache/policy.h"
#include "dataplane/compose/plan.h"
#include "dataplane/downstream/forwarding_config.h"
#include "dataplane/filter/filter.h"
#include "dataplane/filters/filters.h"
#include "dataplane/http/codec.h"
#include "dataplane/net/address.h"
#include "dataplane/route/match.h"
#include "dataplane/route/route_table.h"
#include "dataplane/route/rule.h"
#include "dataplane/snapshot/counted_map.h"
#include "dataplane/tls/server_context.h"
#include "dataplane/upstream/cluster_config.h"

namespace portico::route {
class RegexCache;  // of route_config.h
}  // namespace portico::route

namespace portico::snapshot {

// A whole configuration as the workers use it: immutable, without any state of the traffic, shared by all threads.
// snapshot_config.h builds it, out of the one before where there is one: what has not changed is the same object in
// both.

// What one backend of a rule is.
struct BoundBackend {
  std::string fault;                          // why requests for it are answered with 500; "" if it is good
  std::string cluster;                        // a name of Snapshot::clusters; "" for a Composition
  std::shared_ptr<const compose::Plan> plan;  // of a Composition, else nullptr
  std::vector<std::string> plan_clusters;     // names of Snapshot::clusters, as Plan::backends

  bool operator==(const BoundBackend&) const = default;
};

// All that an exchange needs once its rule is known. It holds its parts, so a long exchange pins its rule and no table.
struct BoundRule final : route::Rule {
  BoundRule() = default;
  explicit BoundRule(route::Rule rule) : route::Rule(std::move(rule)) {}

  filter::Chain chain;
  std::vector<std::shared_ptr<const BoundBackend>> bound_backends;  // as `backends`
  std::shared_ptr<const cache::CachePolicy> cache;                  // nullptr: its gateway caches nothing
};

// The rules of a snapshot's tables are bound.
inline std::shared_ptr<const BoundRule> BoundRuleOf(const route::RuleMatch& match) {
  std::shared_ptr<const BoundRule> rule = std::dynamic_pointer_cast<const BoundRule>(match.rule);
  PORTICO_CHECK(rule != nullptr, "a table without bound rules");
  return rule;
}

// What a Route is here.
struct BoundRoute {
  std::vector<std::shared_ptr<const BoundRule>> rules;  // as resolve::ResolvedRoute::rules
  std::vector<route::SharedMatch> matches;              // as resolve::ResolvedRoute::matches
};

// What is true of every client of the gateway.
struct ClientConfig {
  http::Limits limits;
  std::optional<uint64_t> request_content_bytes_max;  // then 413
  downstream::ForwardingConfig forwarding;
  std::vector<std::string> secret_parameters;  // filters::SecretParameters: no log shows their values
  base::Duration request_head_timeout = std::chrono::seconds(10);
  base::Duration connection_idle_timeout = std::chrono::hours(1);
  base::Duration stream_idle_timeout = std::chrono::minutes(5);
  std::optional<base::Duration> stream_duration_max;
  std::optional<size_t> connections_max;  // of the process, whichever workers hold them
};

// One port with all its listeners.
struct Port {
  uint16_t number = 0;
  std::vector<std::string> listeners;               // their names
  std::shared_ptr<const tls::ServerContext> tls;    // nullptr: in clear
  std::shared_ptr<const route::RouteTable> routes;  // of BoundRules
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

using Clusters = base::SharedMap<std::string, std::shared_ptr<const upstream::ClusterConfig>>;
using Routes = base::SharedMap<std::string, std::shared_ptr<const BoundRoute>>;

// What rules share, and how many of them: the next snapshot is built out of it.
struct SharedParts {
  using BackendKey = std::pair<check::ResourceKey, std::optional<uint32_t>>;  // and port
  using PolicyKey = std::optional<check::ResourceKey>;
  using AuthKey = std::pair<PolicyKey, PolicyKey>;  // authentication, authorization
  struct ChainKey {
    AuthKey auth;
    std::vector<check::ResourceKey> limits;
    auto operator<=>(const ChainKey&) const = default;
  };
  using FaultKey = std::tuple<check::ResourceKey, std::string, std::string>;  // path, message
  struct BuiltChain {
    filter::Chain chain;
    std::vector<FaultKey> faults;
  };

  CountedMap<BackendKey, std::shared_ptr<const BoundBackend>> backends;  // by rules
  CountedMap<std::string, std::monostate> cluster_names;                 // by backends
  CountedMap<AuthKey, filters::BuiltAuth> auths;                         // by chains
  CountedMap<ChainKey, BuiltChain> chains;                               // by rules
  CountedMap<FaultKey, std::monostate> faults;                           // by rules and chains
  std::shared_ptr<route::RegexCache> regexes;                            // of whoever builds, one at a time
};

struct Snapshot {
  std::string gateway;                  // "default/shop"
  uint64_t revision = 0;                // given by who puts it in force: the how many-th that came into force
  std::vector<net::Address> addresses;  // where every port is bound; their own port is 0. Empty: all, IPv4 and IPv6
  std::vector<std::shared_ptr<const Port>> ports;  // by number
  Clusters clusters;                               // by name: those that a rule uses
  Routes routes;                                   // by "namespace/name": those that a rule is of
  AccessLogTarget access_log;
  uint64_t cache_bytes_max = 64 << 20;         // of all that is stored in the process
  std::vector<cache::Purge> purges;            // by name
  std::vector<CertificateDates> certificates;  // by secret
  check::Violations faults;  // what fails closed, with the reason: 500 or 503 for whoever gets there. Each once
  resolve::ResolvedGateway resolved;  // what it was built of, with the configuration
  SharedParts parts;
};

}  // namespace portico::snapshot

#endif  // PORTICO_DATAPLANE_SNAPSHOT_SNAPSHOT_H_
