#include "api/check/outgoing.h"

#include <string>
#include <string_view>

#include "api/check/qualified_name.h"
#include "api/check/targets.h"

namespace portico::check {
namespace {

class Collector {
 public:
  explicit Collector(const ResourceKey& owner) : owner_(owner) {}

  void Visit(const portico::v1::GatewaySpec& spec) {
    for (const auto& listener : spec.listeners()) {
      for (const auto& reference : listener.tls().certificate_refs())
        Need(reference, "Secret");
    }
  }

  void Visit(const portico::v1::RouteSpec& spec) {
    for (const auto& reference : spec.parent_refs())
      Need(reference, "Gateway");
    for (const auto& rule : spec.rules()) {
      for (const auto& reference : rule.backend_refs())
        Need(reference, "Cluster");
    }
  }

  void Visit(const portico::v1::CompositionSpec& spec) {
    for (const auto& step : spec.steps())
      Need(step.call().backend_ref(), "Cluster");
  }

  void Visit(const portico::v1::ClusterSpec& spec) {
    if (spec.has_endpoints_from()) Need(spec.endpoints_from(), "Endpoints");
    for (const auto& reference : spec.tls().ca_certificate_refs())
      Need(reference, "Secret");
  }

  void Visit(const portico::v1::AuthPolicySpec& spec) {
    for (const auto& method : spec.authentication().any_of()) {
      if (method.jwt().jwks().has_secret_ref()) Need(method.jwt().jwks().secret_ref(), "Secret");
    }
    for (const auto& rule : spec.authorization().rules()) {
      for (const std::string& name : rule.principal().consumers())
        out_.needs.insert(ConsumerKey(name, owner_));
    }
  }

  void Visit(const portico::v1::CachePurgeSpec& spec) { out_.needs.insert(TargetOf(owner_, spec.target_ref())); }

  void VisitTargets(const portico::v1::Resource& policy) {
    for (const auto& reference : TargetsOf(policy))
      out_.guards.insert(TargetOf(owner_, reference));
  }

  Outgoing Take() { return std::move(out_); }

 private:
  // `kind` if the reference names none.
  template <typename Reference>
  void Need(const Reference& reference, std::string_view kind) {
    out_.needs.insert({reference.kind().empty() ? std::string(kind) : reference.kind(),
                       ReferredNamespace(reference.namespace_(), owner_), reference.name()});
  }

  const ResourceKey& owner_;
  Outgoing out_;
};

}  // namespace

Outgoing OutgoingOf(const ResourceKey& key, const portico::v1::Resource& resource) {
  Collector collector(key);
  if (resource.has_gateway()) collector.Visit(resource.gateway().spec());
  if (resource.has_route()) collector.Visit(resource.route().spec());
  if (resource.has_composition()) collector.Visit(resource.composition().spec());
  if (resource.has_cluster()) collector.Visit(resource.cluster().spec());
  if (resource.has_auth_policy()) collector.Visit(resource.auth_policy().spec());
  if (resource.has_cache_purge()) collector.Visit(resource.cache_purge().spec());
  collector.VisitTargets(resource);
  return collector.Take();
}

ResourceKey ConsumerKey(const std::string& name, const ResourceKey& owner) {
  return ReadQualifiedName("Consumer", owner.name_space, name);
}

}  // namespace portico::check
