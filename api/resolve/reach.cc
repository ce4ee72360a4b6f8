#include "api/resolve/reach.h"

#include <algorithm>
#include <string>

#include "api/check/references/outgoing.h"
#include "api/resolve/grants.h"

namespace portico::resolve {
namespace {

using check::ResourceKey;

class Collector {
 public:
  Collector(const check::Configuration& configuration, Grants& grants, std::set<ResourceKey>& reach)
      : configuration_(configuration), grants_(grants), reach_(reach) {}

  void AddRule(const ResolvedRule& rule) {
    reach_.insert(rule.route);
    for (const ResolvedBackend& backend : rule.backends) {
      // By kind: a backendRef that says Secret must not hand one out.
      if (backend.key.kind != "Cluster" && backend.key.kind != "Composition") continue;
      if (grants_.Permit(rule.route, backend.key)) AddBackend(backend.key);
    }
  }

  void AddCertificate(const ResourceKey& gateway, const ResourceKey& key) {
    if (grants_.Permit(gateway, key)) AddIfThere(key);
  }

  // Also policies that lose everywhere: whoever looks at this gateway's proxies sees why.
  void AddPolicy(const ResourceKey& key, const v1::AuthPolicySpec& spec) {
    if (!Targets(key, spec)) return;
    reach_.insert(key);
    std::set<std::string> issuers;
    for (const v1::AuthenticationMethod& method : spec.authentication().any_of()) {
      if (!method.has_jwt()) continue;
      issuers.insert(method.jwt().issuer());
      AddReference(key, "Secret", method.jwt().jwks().secret_ref());
    }
    for (const auto& [consumer_key, resource] : configuration_.resources()) {
      if (resource->has_consumer() && Recognises(key, issuers, consumer_key, resource->consumer().spec())) {
        reach_.insert(consumer_key);
      }
    }
    for (const v1::AuthorizationRule& rule : spec.authorization().rules()) {
      for (const std::string& name : rule.principal().consumers())
        AddIfThere(check::ConsumerKey(name, key));
    }
  }

 private:
  bool Targets(const ResourceKey& key, const v1::AuthPolicySpec& spec) {
    return std::any_of(spec.target_refs().begin(), spec.target_refs().end(), [&](const v1::TargetReference& target) {
      const ResourceKey to{target.kind() == "HTTPRoute" ? "Route" : target.kind(),
                           check::ReferredNamespace(target.namespace_(), key), target.name()};
      return reach_.contains(to) && grants_.Permit(key, to);
    });
  }

  static bool Recognises(const ResourceKey& policy, const std::set<std::string>& issuers, const ResourceKey& consumer,
                         const v1::ConsumerSpec& spec) {
    return consumer.name_space == policy.name_space &&
           std::any_of(spec.credentials().begin(), spec.credentials().end(), [&issuers](const v1::Credential& item) {
             return item.has_jwt() && issuers.contains(item.jwt().issuer());
           });
  }

  void AddBackend(const ResourceKey& key) {
    const v1::Resource* resource = configuration_.Find(key);
    if (resource == nullptr || !reach_.insert(key).second) return;
    for (const v1::ObjectReference& reference : resource->cluster().spec().tls().ca_certificate_refs()) {
      AddReference(key, "Secret", reference);
    }
    for (const v1::CompositionStep& step : resource->composition().spec().steps()) {
      const v1::BackendObjectReference& reference = step.call().backend_ref();
      const ResourceKey to{"Cluster", check::ReferredNamespace(reference.namespace_(), key), reference.name()};
      if (grants_.Permit(key, to)) AddBackend(to);
    }
  }

  void AddReference(const ResourceKey& from, const char* kind, const v1::ObjectReference& reference) {
    const ResourceKey to{kind, check::ReferredNamespace(reference.namespace_(), from), reference.name()};
    if (grants_.Permit(from, to)) AddIfThere(to);
  }

  void AddIfThere(const ResourceKey& key) {
    if (configuration_.Find(key) != nullptr) reach_.insert(key);
  }

  const check::Configuration& configuration_;
  Grants& grants_;
  std::set<ResourceKey>& reach_;
};

}  // namespace

void CollectReach(const check::Configuration& configuration, ResolvedGateway& gateway) {
  Grants grants(configuration);  // its own: what others asked about is not all within reach
  gateway.reach.insert(gateway.key);
  Collector collector(configuration, grants, gateway.reach);
  for (const ResolvedListener& listener : gateway.listeners) {
    for (const ResourceKey& certificate : listener.certificates) {
      collector.AddCertificate(gateway.key, certificate);
    }
  }
  for (const ResolvedRule& rule : gateway.rules)
    collector.AddRule(rule);
  for (const auto& [key, resource] : configuration.resources()) {
    if (resource->has_auth_policy()) collector.AddPolicy(key, resource->auth_policy().spec());
  }
  gateway.reach.insert(grants.used().begin(), grants.used().end());
}

}  // namespace portico::resolve
