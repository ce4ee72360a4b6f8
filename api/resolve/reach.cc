#include "api/resolve/reach.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "api/check/outgoing.h"
#include "api/check/targets.h"

namespace portico::resolve {
namespace {

using check::ResourceKey;

// What one resource needs.
class Collector {
 public:
  Collector(const check::Configuration& configuration, const Grants& grants, const ResourceKey& key)
      : configuration_(configuration), grants_(grants), key_(key) {}

  void Visit(const ResolvedGateway& gateway) {
    for (const ResolvedListener& listener : gateway.listeners) {
      for (const ResourceKey& certificate : listener.certificates)
        Refer(certificate);
    }
    for (const ResourceKey& purge : configuration_.Referrers(key_, "CachePurge"))
      if (grants_.Permit(purge, key_, &out_)) out_.insert(purge);
    VisitPolicies();
  }

  void Visit(const ResolvedRoute& route) {
    out_ = route.needs;
    VisitPolicies();
  }

  void Visit(const v1::ClusterSpec& spec) {
    if (spec.has_endpoints_from()) Refer("Endpoints", spec.endpoints_from());
    for (const v1::ObjectReference& reference : spec.tls().ca_certificate_refs())
      Refer("Secret", reference);
  }

  void Visit(const v1::CompositionSpec& spec) {
    for (const v1::CompositionStep& step : spec.steps())
      Refer("Cluster", step.call().backend_ref());
  }

  void Visit(const v1::AuthPolicySpec& spec) {
    for (const v1::AuthenticationMethod& method : spec.authentication().any_of()) {
      if (method.has_jwt()) Refer("Secret", method.jwt().jwks().secret_ref());
    }
    configuration_.ForEach("Consumer", key_.name_space, [&](const ResourceKey& consumer, const auto& resource) {
      if (Recognises(key_, spec, consumer, resource->consumer().spec())) out_.insert(consumer);
    });
    for (const v1::AuthorizationRule& rule : spec.authorization().rules()) {
      for (const std::string& name : rule.principal().consumers())
        AddIfThere(check::ConsumerKey(name, key_));
    }
  }

  std::set<ResourceKey> Take() { return std::move(out_); }

 private:
  void VisitPolicies() {
    for (const std::string_view kind : check::kPolicyKinds) {
      for (const ResourceKey& policy : configuration_.Referrers(key_, kind))
        if (grants_.Permit(policy, key_, &out_)) out_.insert(policy);
    }
  }

  template <typename Reference>
  void Refer(const char* kind, const Reference& reference) {
    Refer({kind, check::ReferredNamespace(reference.namespace_(), key_), reference.name()});
  }
  void Refer(const ResourceKey& to) {
    if (grants_.Permit(key_, to, &out_)) AddIfThere(to);
  }

  void AddIfThere(const ResourceKey& key) {
    if (configuration_.Find(key) != nullptr) out_.insert(key);
  }

  const check::Configuration& configuration_;
  const Grants& grants_;
  const ResourceKey& key_;
  std::set<ResourceKey> out_;
};

}  // namespace

bool Recognises(const ResourceKey& policy, const v1::AuthPolicySpec& spec, const ResourceKey& consumer,
                const v1::ConsumerSpec& consumer_spec) {
  if (consumer.name_space != policy.name_space) return false;
  const auto is_ours = [&spec](const v1::Credential& credential) {
    const auto& methods = spec.authentication().any_of();
    return std::any_of(methods.begin(), methods.end(), [&](const auto& method) {
      if (credential.has_api_key()) return method.has_api_key();
      return credential.has_jwt() && method.has_jwt() && method.jwt().issuer() == credential.jwt().issuer();
    });
  };
  return std::any_of(consumer_spec.credentials().begin(), consumer_spec.credentials().end(), is_ours);
}

void ReachKeeper::Need(const ResourceKey& key) {
  if (const Reached* reached = gateway_.reach.Find(key)) {
    return gateway_.reach.Put(key, {reached->needed_by + 1, reached->needs});
  }
  auto needs = std::make_shared<const std::set<ResourceKey>>(NeedsOf(key));
  gateway_.reach.Put(key, {1, needs});
  for (const ResourceKey& needed : *needs)
    Need(needed);
}

void ReachKeeper::Drop(const ResourceKey& key) {
  const Reached* found = gateway_.reach.Find(key);
  if (found == nullptr) return;
  const Reached reached = *found;
  if (reached.needed_by > 1) return gateway_.reach.Put(key, {reached.needed_by - 1, reached.needs});
  gateway_.reach.Erase(key);
  for (const ResourceKey& needed : *reached.needs)
    Drop(needed);
}

void ReachKeeper::Recount(const ResourceKey& key) {
  const Reached* found = gateway_.reach.Find(key);
  if (found == nullptr) return;
  const Reached reached = *found;
  auto needs = std::make_shared<const std::set<ResourceKey>>(NeedsOf(key));
  if (*needs == *reached.needs) return;
  gateway_.reach.Put(key, {reached.needed_by, needs});
  for (const ResourceKey& needed : *needs)
    if (!reached.needs->contains(needed)) Need(needed);
  for (const ResourceKey& needed : *reached.needs)
    if (!needs->contains(needed)) Drop(needed);
}

std::set<ResourceKey> ReachKeeper::NeedsOf(const ResourceKey& key) const {
  Collector collector(configuration_, grants_, key);
  const v1::Resource* resource = configuration_.Find(key);
  if (resource == nullptr) return {};
  if (resource->has_gateway()) collector.Visit(gateway_);
  if (const SharedRoute* route = gateway_.routes.Find(key)) collector.Visit(**route);
  if (resource->has_cluster()) collector.Visit(resource->cluster().spec());
  if (resource->has_composition()) collector.Visit(resource->composition().spec());
  if (resource->has_auth_policy()) collector.Visit(resource->auth_policy().spec());
  return collector.Take();
}

}  // namespace portico::resolve
