#include "dataplane/snapshot/snapshot_config.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "api/base/shared_map.h"
#include "api/base/text.h"
#include "api/check/targets.h"
#include "api/resolve/resolve.h"
#include "dataplane/cache/cache_config.h"
#include "dataplane/filters/filters.h"
#include "dataplane/route/route_config.h"
#include "dataplane/snapshot/backends_config.h"
#include "dataplane/snapshot/gateway_config.h"
#include "dataplane/snapshot/tls_config.h"

namespace portico::snapshot {
namespace {

using base::Concat;
using check::ResourceKey;

std::string NameOf(const ResourceKey& key) {
  return Concat(key.name_space, "/", key.name);
}

// What a rule may have for a backend.
bool IsBackend(const ResourceKey& key) {
  return key.kind == "Cluster" || key.kind == "Composition";
}

// What is about rules and their backends alone, by the kind, or about none of them: purges are read each time.
bool IsLocal(const ResourceKey& key) {
  return key.kind == "Route" || IsBackend(key) || key.kind == "Endpoints" || key.kind == "CachePurge";
}

bool HasPolicies(const resolve::Reach& reach) {
  return std::any_of(check::kPolicyKinds.begin(), check::kPolicyKinds.end(), [&reach](std::string_view kind) {
    const auto first = reach.lower_bound(ResourceKey{std::string(kind), "", ""});
    return first != reach.end() && first->first.kind == kind;
  });
}

// What has to be built, given what was.
struct Work {
  std::set<ResourceKey> backends;  // Clusters and Compositions that are not what they were
  std::set<ResourceKey> routes;
};

// nullopt: everything. Chains, certificates and what a gateway says of itself hang on other kinds, and a chain on what
// of them is within reach (BuildChain).
std::optional<Work> CompareWith(const resolve::ResolvedGateway& before, const resolve::ResolvedGateway& now) {
  if (before.key != now.key) return std::nullopt;
  Work work;
  bool everything = false;
  base::Compare(before.configuration.resources(), now.configuration.resources(),
                [&](const ResourceKey& key, const auto*, const auto*) {
                  if (!before.reach.contains(key) && !now.reach.contains(key)) return;
                  if (!IsLocal(key)) everything = true;
                  if (IsBackend(key)) work.backends.insert(key);
                  // What they are is the Clusters'.
                  if (key.kind != "Endpoints") return;
                  for (ResourceKey& cluster : now.configuration.Referrers(key, "Cluster"))
                    work.backends.insert(std::move(cluster));
                });
  const bool has_policies = HasPolicies(before.reach) || HasPolicies(now.reach);
  base::Compare(before.reach, now.reach, [&](const ResourceKey& key, const auto* was, const auto* is) {
    if (has_policies && !IsLocal(key) && (was == nullptr || is == nullptr)) everything = true;
  });
  if (everything) return std::nullopt;
  base::Compare(before.routes, now.routes,
                [&](const ResourceKey& key, const auto*, const auto*) { work.routes.insert(key); });
  return work;
}

class Builder {
 public:
  // Anew if `before` is nullptr.
  Builder(resolve::ResolvedGateway gateway, const BuildOptions& options, const GatewayConfig& config,
          const Snapshot* before)
      : options_(options),
        before_(before),
        out_(before == nullptr ? std::make_shared<Snapshot>() : std::make_shared<Snapshot>(*before)),
        client_(std::make_shared<const ClientConfig>(config.client)) {
    out_->gateway = NameOf(gateway.key);
    out_->revision = 0;
    out_->addresses = config.addresses;
    out_->access_log = config.access_log;
    out_->cache_bytes_max = config.cache_bytes_max;
    out_->purges = cache::BuildPurges(gateway);
    gateway_stores_ = cache::GatewayStores(gateway);
    out_->resolved = std::move(gateway);
    if (out_->parts.regexes == nullptr) out_->parts.regexes = std::make_shared<route::RegexCache>();
    binder_.emplace(BackendBinder::Timeouts{config.response_head_timeout, config.client.stream_idle_timeout}, *out_);
  }

  absl::StatusOr<std::shared_ptr<Snapshot>> Build(Work work) {
    if (absl::Status status = OpenPorts(); !status.ok()) return status;
    for (const ResourceKey& key : binder_->Refresh(work.backends)) {
      for (const ResourceKey& referrer : now().configuration.Referrers(key))
        if (now().routes.contains(referrer)) work.routes.insert(referrer);
    }
    // What is new first: what several have in common is not dropped between.
    std::vector<std::pair<ResourceKey, std::shared_ptr<const BoundRoute>>> gone;
    for (const ResourceKey& key : work.routes) {
      const std::shared_ptr<const BoundRoute>* old = out_->routes.Find(NameOf(key));
      if (old != nullptr) gone.emplace_back(key, *old);
      if (absl::Status status = AddRoute(key); !status.ok()) return status;
    }
    for (const auto& [key, bound] : gone)
      DropRoute(key, *bound);
    ChangeTables();
    out_->faults.clear();
    for (const auto& [fault, counted] : out_->parts.faults.map())
      out_->faults.push_back({std::get<0>(fault), std::get<1>(fault), std::get<2>(fault)});
    return std::move(out_);
  }

 private:
  // Where a listener of the gateway is.
  struct Place {
    size_t port;      // in Snapshot::ports
    size_t listener;  // in the port's table
  };

  const resolve::ResolvedGateway& now() const { return out_->resolved; }

  absl::Status OpenPorts() {
    const std::vector<uint16_t> numbers = route::PortsOf(now());
    std::map<uint16_t, size_t> count;
    for (const resolve::ResolvedListener& listener : now().listeners) {
      const uint16_t number = static_cast<uint16_t>(listener.port);
      const auto port = std::lower_bound(numbers.begin(), numbers.end(), number);
      places_.push_back({static_cast<size_t>(port - numbers.begin()), count[number]++});
    }
    for (const uint16_t number : numbers) {
      changes_.emplace_back(count[number]);
      if (before_ != nullptr) continue;
      if (absl::Status status = OpenPort(number); !status.ok()) return status;
    }
    for (const auto& [key, dates] : certificates_)
      out_->certificates.push_back(dates);
    return absl::OkStatus();
  }

  absl::Status OpenPort(uint16_t number) {
    auto port = std::make_shared<Port>();
    port->number = number;
    std::vector<route::ListenerRoutes> listeners = route::ListenersOf(now(), number);
    for (const route::ListenerRoutes& listener : listeners)
      port->listeners.push_back(listener.name);
    absl::StatusOr<PortTls> tls = BuildPortTls(now(), number, now().configuration, options_.ticket_keys);
    if (!tls.ok()) {
      return absl::InvalidArgumentError(
          base::ToAbsl(Concat(now().key.ToString(), ": ", base::ToStd(tls.status().message()))));
    }
    for (const CertificateDates& dates : tls->certificates)
      certificates_.emplace(dates.secret, dates);
    port->tls = std::move(tls->context);
    port->routes = std::make_shared<const route::RouteTable>(std::move(listeners));
    port->client = client_;
    out_->ports.push_back(std::move(port));
    return absl::OkStatus();
  }

  // As it is now, if it is still there.
  absl::Status AddRoute(const ResourceKey& key) {
    const resolve::SharedRoute* route = now().routes.Find(key);
    if (route == nullptr || (*route)->rules.empty()) {
      out_->routes.Erase(NameOf(key));
      return absl::OkStatus();
    }
    auto bound = std::make_shared<BoundRoute>();
    std::vector<std::shared_ptr<const route::Rule>> rules;
    for (const resolve::SharedRule& rule : (*route)->rules) {
      bound->rules.push_back(BindRule(*rule));
      rules.push_back(bound->rules.back());
    }
    absl::StatusOr<std::vector<route::SharedMatch>> matches = route::BuildMatches(**route, rules, *out_->parts.regexes);
    if (!matches.ok()) return matches.status();
    bound->matches = *std::move(matches);
    for (size_t i = 0; i < bound->matches.size(); ++i)
      ChangeOf(*(*route)->matches[i]).added.push_back(bound->matches[i]);
    out_->routes.Put(NameOf(key), std::move(bound));
    return absl::OkStatus();
  }

  void DropRoute(const ResourceKey& key, const BoundRoute& bound) {
    const resolve::ResolvedRoute& route = **before_->resolved.routes.Find(key);
    for (size_t i = 0; i < bound.matches.size(); ++i)
      ChangeOf(*route.matches[i]).removed.push_back(bound.matches[i]);
    for (size_t i = 0; i < bound.rules.size(); ++i)
      DropRule(*route.rules[i], *bound.rules[i]);
  }

  route::RouteTable::Change& ChangeOf(const resolve::ResolvedMatch& match) {
    const Place place = places_[match.rule->listener];
    return changes_[place.port][place.listener];
  }

  std::shared_ptr<const BoundRule> BindRule(const resolve::ResolvedRule& resolved) {
    auto rule = std::make_shared<BoundRule>(route::BuildRule(now(), resolved));
    rule->chain = filters::ChainOf(resolved.message(), TakeChain(resolved.policies));
    rule->cache = cache::BuildCachePolicy(resolved, gateway_stores_);
    for (const resolve::ResolvedBackend& backend : resolved.backends) {
      rule->bound_backends.push_back(binder_->Take(backend));
      const FaultKey fault = FaultOf(resolved, *rule, rule->bound_backends.size() - 1);
      if (!std::get<2>(fault).empty()) out_->parts.faults.Take(fault, [] { return std::monostate(); });
    }
    return rule;
  }

  void DropRule(const resolve::ResolvedRule& resolved, const BoundRule& rule) {
    for (size_t i = 0; i < rule.bound_backends.size(); ++i) {
      const FaultKey fault = FaultOf(resolved, rule, i);
      if (!std::get<2>(fault).empty()) out_->parts.faults.Drop(fault);
      binder_->Drop(resolved.backends[i]);
    }
    DropChain(ChainKeyOf(resolved.policies));
  }

  using ChainKey = SharedParts::ChainKey;
  using FaultKey = SharedParts::FaultKey;

  // Its message is "" if that backend is good.
  static FaultKey FaultOf(const resolve::ResolvedRule& resolved, const BoundRule& rule, size_t backend) {
    return {resolved.route, Concat("spec.rules[", resolved.index, "].backendRefs[", backend, "]"),
            rule.bound_backends[backend]->fault};
  }

  static ChainKey ChainKeyOf(const resolve::EffectivePolicies& policies) {
    const auto key = [](const std::optional<resolve::BoundPolicy>& policy) {
      return policy ? std::optional(policy->key) : std::nullopt;
    };
    ChainKey out{{key(policies.auth.authentication), key(policies.auth.authorization)}, {}};
    for (const resolve::BoundPolicy& limits : policies.limits)
      out.limits.push_back(limits.key);
    return out;
  }

  // Built once for all rules with the same policies: keys of ten thousand rules are not parsed ten thousand times, not
  // even if each has limits of its own.
  filter::Chain TakeChain(const resolve::EffectivePolicies& policies) {
    const ChainKey key = ChainKeyOf(policies);
    const auto make_auth = [&] { return filters::BuildAuth(policies.auth, now().configuration, now().reach); };
    const auto make = [&] {
      filters::BuiltChain built =
          filters::BuildChain(policies, out_->parts.auths.Take(key.auth, make_auth), options_.filters);
      SharedParts::BuiltChain out{std::move(built.chain), {}};
      for (const check::Violation& fault : built.faults) {
        out.faults.emplace_back(fault.key, fault.path, fault.message);
        out_->parts.faults.Take(out.faults.back(), [] { return std::monostate(); });
      }
      return out;
    };
    return out_->parts.chains.Take(key, make).chain;
  }

  void DropChain(const ChainKey& key) {
    const std::vector<FaultKey> faults = out_->parts.chains.map().Find(key)->value.faults;
    if (!out_->parts.chains.Drop(key)) return;
    out_->parts.auths.Drop(key.auth);
    for (const FaultKey& fault : faults)
      out_->parts.faults.Drop(fault);
  }

  void ChangeTables() {
    for (size_t i = 0; i < changes_.size(); ++i) {
      const auto is_none = [](const auto& change) { return change.removed.empty() && change.added.empty(); };
      if (std::all_of(changes_[i].begin(), changes_[i].end(), is_none)) continue;
      auto port = std::make_shared<Port>(*out_->ports[i]);
      port->routes = std::make_shared<const route::RouteTable>(*port->routes, changes_[i]);
      out_->ports[i] = std::move(port);
    }
  }

  const BuildOptions& options_;
  const Snapshot* const before_;
  std::shared_ptr<Snapshot> out_;
  const std::shared_ptr<const ClientConfig> client_;
  bool gateway_stores_ = false;
  std::optional<BackendBinder> binder_;
  std::vector<Place> places_;                                    // as ResolvedGateway::listeners
  std::vector<std::vector<route::RouteTable::Change>> changes_;  // of each port, of each listener
  std::map<ResourceKey, CertificateDates> certificates_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<Snapshot>> BuildSnapshot(const check::Configuration& configuration,
                                                        const ResourceKey& gateway, const BuildOptions& options,
                                                        const Snapshot* before) {
  absl::StatusOr<resolve::ResolvedGateway> resolved =
      resolve::Resolve(configuration, gateway, before == nullptr ? nullptr : &before->resolved);
  if (!resolved.ok()) return resolved.status();
  return BuildSnapshotOf(*std::move(resolved), options, before);
}

absl::StatusOr<std::shared_ptr<Snapshot>> BuildSnapshotOf(resolve::ResolvedGateway gateway, const BuildOptions& options,
                                                          const Snapshot* before) {
  absl::StatusOr<GatewayConfig> config = BuildGatewayConfig(gateway.resource->gateway().spec(), options.bind_address);
  if (!config.ok()) {
    return absl::InvalidArgumentError(
        base::ToAbsl(Concat(gateway.key.ToString(), ": ", base::ToStd(config.status().message()))));
  }
  config->client.secret_parameters = filters::SecretParameters(gateway.configuration, gateway.reach);
  std::optional<Work> work = before == nullptr ? std::nullopt : CompareWith(before->resolved, gateway);
  if (work) return Builder(std::move(gateway), options, *config, before).Build(*std::move(work));
  Work everything;
  for (const auto& [key, route] : gateway.routes)
    everything.routes.insert(key);
  return Builder(std::move(gateway), options, *config, nullptr).Build(std::move(everything));
}

}  // namespace portico::snapshot
