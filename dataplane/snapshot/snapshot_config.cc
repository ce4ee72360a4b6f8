#include "dataplane/snapshot/snapshot_config.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/resolve/resolve.h"
#include "dataplane/filters/filters.h"
#include "dataplane/route/route_config.h"
#include "dataplane/snapshot/backends_config.h"
#include "dataplane/snapshot/gateway_config.h"
#include "dataplane/snapshot/tls_config.h"

namespace portico::snapshot {
namespace {

using base::Concat;
using check::ResourceKey;

class Builder {
 public:
  Builder(const check::Configuration& configuration, const resolve::ResolvedGateway& gateway,
          const BuildOptions& options, const GatewayConfig& config)
      : configuration_(configuration),
        gateway_(gateway),
        options_(options),
        client_(std::make_shared<const ClientConfig>(config.client)),
        binder_(configuration, {config.response_head_timeout, config.client.stream_idle_timeout}) {
    out_->gateway = Concat(gateway.key.name_space, "/", gateway.key.name);
    out_->addresses = config.addresses;
    out_->access_log = config.access_log;
    out_->configuration = configuration;
  }

  absl::StatusOr<std::shared_ptr<Snapshot>> Build() {
    BindRules();
    for (const uint16_t number : route::PortsOf(gateway_)) {
      if (absl::Status status = AddPort(number); !status.ok()) return status;
    }
    out_->clusters = binder_.clusters();
    out_->routes.assign(routes_.begin(), routes_.end());
    for (const auto& [key, path, message] : faults_)
      out_->faults.push_back({key, path, message});
    for (const auto& [key, dates] : certificates_)
      out_->certificates.push_back(dates);
    return std::move(out_);
  }

 private:
  void BindRules() {
    auto bound = std::make_shared<std::vector<std::shared_ptr<const BoundRule>>>();
    for (size_t id = 0; id < gateway_.rules.size(); ++id) {
      const resolve::ResolvedRule& resolved = gateway_.rules[id];
      auto rule = std::make_shared<BoundRule>();
      rule->rule = route::BuildRule(gateway_, id);
      rule->chain = ChainFor(resolved.auth);
      for (const resolve::ResolvedBackend& backend : resolved.backends) {
        const std::string path = Concat("spec.rules[", resolved.index, "].backendRefs[", rule->backends.size(), "]");
        rule->backends.push_back(binder_.Bind(backend));
        const std::string& fault = rule->backends.back().fault;
        if (!fault.empty()) faults_.emplace(resolved.route, path, fault);
      }
      rules_.push_back(rule->rule);
      routes_.insert(rule->rule->route);
      bound->push_back(std::move(rule));
    }
    bound_rules_ = std::move(bound);
  }

  // Built once for all rules with the same policies: keys of ten thousand rules are not parsed ten thousand times.
  filter::Chain ChainFor(const resolve::EffectiveAuth& auth) {
    const auto key = [](const std::optional<resolve::BoundPolicy>& policy) {
      return policy ? std::optional(policy->key) : std::nullopt;
    };
    const auto [chain, added] = chains_.try_emplace({key(auth.authentication), key(auth.authorization)});
    if (added) {
      filters::BuiltChain built = filters::BuildChain(auth, configuration_, gateway_.reach);
      chain->second = std::move(built.chain);
      if (!built.fault.empty()) {
        faults_.emplace(auth.authentication ? auth.authentication->key : auth.authorization->key, "spec", built.fault);
      }
    }
    return chain->second;
  }

  absl::Status AddPort(uint16_t number) {
    auto port = std::make_shared<Port>();
    port->number = number;
    for (const resolve::ResolvedListener& listener : gateway_.listeners) {
      if (listener.port == number) port->listeners.push_back(listener.name);
    }
    absl::StatusOr<PortTls> tls = BuildPortTls(gateway_, number, configuration_, options_.ticket_keys);
    if (!tls.ok()) {
      return absl::InvalidArgumentError(
          base::ToAbsl(Concat(gateway_.key.ToString(), ": ", base::ToStd(tls.status().message()))));
    }
    for (const CertificateDates& dates : tls->certificates)
      certificates_.emplace(dates.secret, dates);
    auto table = route::BuildRouteTable(gateway_, number, rules_);
    if (!table.ok()) return table.status();
    port->tls = std::move(tls->context);
    port->routes = *std::move(table);
    port->rules = bound_rules_;
    port->client = client_;
    out_->ports.push_back(std::move(port));
    return absl::OkStatus();
  }

  using PolicyKey = std::optional<ResourceKey>;

  const check::Configuration& configuration_;
  const resolve::ResolvedGateway& gateway_;
  const BuildOptions& options_;
  const std::shared_ptr<const ClientConfig> client_;
  BackendBinder binder_;
  std::vector<std::shared_ptr<const route::Rule>> rules_;  // by id
  std::shared_ptr<const std::vector<std::shared_ptr<const BoundRule>>> bound_rules_;
  std::map<std::pair<PolicyKey, PolicyKey>, filter::Chain> chains_;
  std::map<ResourceKey, CertificateDates> certificates_;
  std::set<std::string> routes_;
  std::set<std::tuple<ResourceKey, std::string, std::string>> faults_;  // a rule has one per listener it is on
  std::shared_ptr<Snapshot> out_ = std::make_shared<Snapshot>();
};

}  // namespace

absl::StatusOr<std::shared_ptr<Snapshot>> BuildSnapshot(const check::Configuration& configuration,
                                                        const ResourceKey& gateway, const BuildOptions& options) {
  const absl::StatusOr<resolve::ResolvedGateway> resolved = resolve::Resolve(configuration, gateway);
  if (!resolved.ok()) return resolved.status();
  return BuildSnapshotOf(configuration, *resolved, options);
}

absl::StatusOr<std::shared_ptr<Snapshot>> BuildSnapshotOf(const check::Configuration& configuration,
                                                          const resolve::ResolvedGateway& gateway,
                                                          const BuildOptions& options) {
  const absl::StatusOr<GatewayConfig> config =
      BuildGatewayConfig(gateway.resource->gateway().spec(), options.bind_address);
  if (!config.ok()) {
    return absl::InvalidArgumentError(
        base::ToAbsl(Concat(gateway.key.ToString(), ": ", base::ToStd(config.status().message()))));
  }
  return Builder(configuration, gateway, options, *config).Build();
}

}  // namespace portico::snapshot
