#ifndef PORTICO_API_RESOLVE_RESOLVED_H_
#define PORTICO_API_RESOLVE_RESOLVED_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/check/configuration.h"
#include "api/portico/v1/resource.pb.h"

namespace portico::resolve {

// What one gateway is, once all references and precedences are settled. It is self-contained: pointers to messages are
// kept alive by the shared resources beside them. Immutable after Resolve.

using SharedResource = std::shared_ptr<const portico::v1::Resource>;

// Where a policy came from, nearest last.
enum class Level : uint8_t { kGateway, kListener, kRoute, kRule };

struct BoundPolicy {
  check::ResourceKey key;
  SharedResource resource;  // an AuthPolicy
  Level level = Level::kGateway;
  std::string target;  // for people: "Route shop, rule order-history"
};

// The two halves of what AuthPolicies say about a rule; each is won whole by the nearest policy that has it. nullopt:
// no policy says anything, and nobody is asked who they are. identityToHeaders goes with `authentication`.
struct EffectiveAuth {
  std::optional<BoundPolicy> authentication;
  std::optional<BoundPolicy> authorization;
};

struct ResolvedBackend {
  check::ResourceKey key;  // a Cluster or a Composition
  uint32_t weight = 1;
  std::optional<uint32_t> port;
  std::string fault;  // why requests that it gets are answered with 500 (Gateway API); "" if it is good
};

// A rule of a Route on one listener: what a request gets that matches it.
struct ResolvedRule {
  check::ResourceKey route;
  SharedResource resource;  // the Route
  size_t index = 0;         // place in spec.rules
  size_t listener = 0;      // place in ResolvedGateway::listeners
  std::vector<ResolvedBackend> backends;
  EffectiveAuth auth;

  const portico::v1::RouteRule& message() const { return resource->route().spec().rules(static_cast<int>(index)); }
};

// One match of a rule, on one hostname.
struct ResolvedMatch {
  std::string hostname;  // lower case; "*.example.com" every name below, "" any
  size_t rule = 0;       // place in ResolvedGateway::rules
  size_t index = 0;      // place in the rule's `matches`; 0 also where it has none
  portico::v1::RouteMatch match;
};

struct ResolvedListener {
  size_t index = 0;  // place in the Gateway's spec.listeners
  std::string name;
  std::string hostname;  // lower case
  uint32_t port = 0;
  // In order of precedence: the first that a request agrees with wins, hostname included.
  std::vector<ResolvedMatch> matches;
  std::vector<check::ResourceKey> certificates;  // Secrets; those that may not be referred to are left out
};

// What is allowed but surely not meant.
struct Notice {
  enum class Kind : uint8_t {
    kNotAttached,  // a Route that names the gateway but that no listener takes
    kNotBound,     // a policy (or a certificate) whose target is not there or not granted: it guards nothing
    kConflict,     // two policies say the same of one target; the older one holds
    kNeverWins,    // a match in the shadow of another
  };
  Kind kind;
  check::ResourceKey resource;
  std::string path;  // of the field, as in api/yaml: "spec.rules[2].matches[0]"
  std::string message;

  auto operator<=>(const Notice&) const = default;
};

struct ResolvedGateway {
  check::ResourceKey key;
  SharedResource resource;  // the Gateway
  std::vector<ResolvedListener> listeners;
  std::vector<ResolvedRule> rules;  // of all listeners; a rule's place here is its id
  // Everything that a proxy of this gateway needs, itself included: with this alone Resolve gives the same result.
  std::set<check::ResourceKey> reach;
  std::vector<Notice> notices;  // sorted
};

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_RESOLVED_H_
