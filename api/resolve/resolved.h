#ifndef PORTICO_API_RESOLVE_RESOLVED_H_
#define PORTICO_API_RESOLVE_RESOLVED_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "api/base/shared_map.h"
#include "api/check/configuration.h"
#include "api/portico/v1/resource.pb.h"

namespace portico::resolve {

// What one gateway is, once all references and precedences are settled. It is self-contained: pointers to messages are
// kept alive by the shared resources beside them. Immutable after Resolve, and made of pieces that the next one shares:
// base::Compare of two versions' routes, matches and reach finds what differs without looking at the rest.

using check::SharedResource;

// Where a policy came from, nearest last.
enum class Level : uint8_t { kGateway, kListener, kRoute, kRule };

struct BoundPolicy {
  check::ResourceKey key;
  SharedResource resource;
  Level level = Level::kGateway;
  std::string target;  // for people: "Route shop, rule order-history"
};

// The two halves of what AuthPolicies say about a rule; each is won whole by the nearest policy that has it. nullopt:
// no policy says anything, and nobody is asked who they are. identityToHeaders goes with `authentication`.
struct EffectiveAuth {
  std::optional<BoundPolicy> authentication;
  std::optional<BoundPolicy> authorization;
};

// All that policies say about a rule.
struct EffectivePolicies {
  EffectiveAuth auth;
  // RateLimitPolicies: those of all levels apply together. Outermost first, then the oldest, each once.
  std::vector<BoundPolicy> limits;
  // A CachePolicy: the nearest holds, whole. nullopt: nothing is stored.
  std::optional<BoundPolicy> cache;
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
  EffectivePolicies policies;

  const portico::v1::RouteRule& message() const { return resource->route().spec().rules(static_cast<int>(index)); }
};
using SharedRule = std::shared_ptr<const ResolvedRule>;

// One match of a rule, on one hostname.
struct ResolvedMatch {
  std::string hostname;  // lower case; "*.example.com" every name below, "" any
  SharedRule rule;
  size_t index = 0;               // place in the rule's `matches`; 0 also where it has none
  portico::v1::RouteMatch match;  // normalised: precedence.h
};
using SharedMatch = std::shared_ptr<const ResolvedMatch>;

// Gateway API's order of two matches on one listener: precedence.h has it, and the groups.
struct MatchGroup;
struct ComesBefore {
  bool operator()(const SharedMatch& a, const SharedMatch& b) const;
  bool operator()(const SharedMatch& match, const MatchGroup& group) const;
};
// Each under itself.
using Matches = base::SharedMap<SharedMatch, SharedMatch, ComesBefore>;

// What is allowed but surely not meant.
struct Notice {
  enum class Kind : uint8_t {
    kNotAttached,  // a Route that names the gateway but that no listener takes
    kNotBound,     // a policy (or a certificate) whose target is not there or not granted: it guards nothing
    kConflict,     // two policies say the same of one target; the older one holds, of limits both
    kNeverWins,    // a match in the shadow of another
    kExposed,      // what it says brings secrets where others read them
  };
  Kind kind;
  check::ResourceKey resource;
  std::string path;  // of the field, as in api/yaml: "spec.rules[2].matches[0]"
  std::string message;

  auto operator<=>(const Notice&) const = default;
};
using Notices = base::SharedMap<Notice, std::monostate>;

// All that one Route is at a gateway. Another pointer: something of it may have changed, be it a policy over it or a
// backend that is there now.
struct ResolvedRoute {
  SharedResource resource;
  std::vector<SharedRule> rules;       // by listener and place in spec.rules
  std::vector<SharedMatch> matches;    // of all rules
  std::set<check::ResourceKey> needs;  // what it reaches by itself: backends, and grants for them
};
using SharedRoute = std::shared_ptr<const ResolvedRoute>;

struct ResolvedListener {
  size_t index = 0;  // place in the Gateway's spec.listeners
  std::string name;
  std::string hostname;  // lower case
  uint32_t port = 0;
  std::vector<check::ResourceKey> certificates;  // Secrets; those that may not be referred to are left out
  // In order of precedence: the first that a request agrees with wins, hostname included.
  Matches matches;
};

// Everything that a proxy of a gateway needs. The value is how many others within reach need it, and what it needs.
struct Reached {
  size_t needed_by = 0;
  std::shared_ptr<const std::set<check::ResourceKey>> needs;
  bool operator==(const Reached&) const = default;
};
using Reach = base::SharedMap<check::ResourceKey, Reached>;

struct ResolvedGateway {
  check::Configuration configuration;  // what it was made of
  check::ResourceKey key;
  SharedResource resource;  // the Gateway
  std::vector<ResolvedListener> listeners;
  // Those that are attached.
  base::SharedMap<check::ResourceKey, SharedRoute> routes;
  // Itself included: with this alone Resolve gives the same result.
  Reach reach;
  Notices notices;
};

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_RESOLVED_H_
