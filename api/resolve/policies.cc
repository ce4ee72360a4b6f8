#include "api/resolve/policies.h"

#include <algorithm>
#include <tuple>

#include "api/base/text.h"

namespace portico::resolve {
namespace {

using check::ResourceKey;

bool HasSection(const v1::Resource& resource, const std::string& section) {
  if (section.empty()) return true;
  if (resource.has_gateway()) {
    const auto& listeners = resource.gateway().spec().listeners();
    return std::any_of(listeners.begin(), listeners.end(), [&](const auto& item) { return item.name() == section; });
  }
  const auto& rules = resource.route().spec().rules();
  return std::any_of(rules.begin(), rules.end(), [&](const auto& item) { return item.name() == section; });
}

std::string Describe(const ResourceKey& key, const std::string& section) {
  if (section.empty()) return key.ToString();
  return base::Concat(key.ToString(), key.kind == "Gateway" ? ", listener " : ", rule ", section);
}

Level LevelOf(const ResourceKey& key, const std::string& section) {
  if (key.kind == "Gateway") return section.empty() ? Level::kGateway : Level::kListener;
  return section.empty() ? Level::kRoute : Level::kRule;
}

bool Older(const BoundPolicy& a, const BoundPolicy& b) {
  const auto age = [](const BoundPolicy& policy) {
    return policy.resource->auth_policy().metadata().creation_revision();
  };
  return std::tuple(age(a), std::tie(a.key)) < std::tuple(age(b), std::tie(b.key));
}

}  // namespace

Policies::Policies(const check::Configuration& configuration, Grants& grants, std::vector<Notice>& notices)
    : configuration_(configuration), grants_(grants), notices_(notices) {
  for (const auto& [key, resource] : configuration.resources()) {
    if (resource->has_auth_policy()) Add(key, resource);
  }
}

void Policies::Add(const ResourceKey& key, const SharedResource& resource) {
  const v1::AuthPolicySpec& spec = resource->auth_policy().spec();
  for (int i = 0; i < spec.target_refs_size(); ++i) {
    const v1::TargetReference& reference = spec.target_refs(i);
    const std::string kind = reference.kind() == "HTTPRoute" ? "Route" : reference.kind();
    const Target target{{kind, check::ReferredNamespace(reference.namespace_(), key), reference.name()},
                        reference.section_name()};
    const std::string path = base::Concat("spec.targetRefs[", i, "]");
    const auto refuse = [&](std::string_view why) {
      notices_.push_back({Notice::Kind::kNotBound, key, path,
                          base::Concat("guards nothing: ", Describe(target.first, target.second), why)});
    };
    const v1::Resource* found = configuration_.Find(target.first);
    if (found == nullptr || (!found->has_gateway() && !found->has_route())) {
      refuse(" does not exist");
    } else if (!HasSection(*found, target.second)) {
      refuse(" does not exist");
    } else if (!grants_.Permit(key, target.first)) {
      refuse(" is in another namespace and no ReferenceGrant there permits it");
    } else {
      Bind(key, resource, target, path);
    }
  }
}

void Policies::Bind(const ResourceKey& key, const SharedResource& resource, const Target& target,
                    const std::string& path) {
  const v1::AuthPolicySpec& spec = resource->auth_policy().spec();
  const BoundPolicy policy{key, resource, LevelOf(target.first, target.second), Describe(target.first, target.second)};
  if (spec.has_authentication()) BindHalf(authentication_, "authentication", target, policy, path);
  if (spec.has_authorization()) BindHalf(authorization_, "authorization", target, policy, path);
}

void Policies::BindHalf(std::map<Target, BoundPolicy>& half, std::string_view name, const Target& target,
                        const BoundPolicy& policy, const std::string& path) {
  const auto [there, added] = half.emplace(target, policy);
  if (added || there->second.key == policy.key) return;
  const bool wins = Older(policy, there->second);
  const BoundPolicy& holds = wins ? policy : there->second;
  const BoundPolicy& yields = wins ? there->second : policy;
  notices_.push_back({Notice::Kind::kConflict, yields.key, yields.key == policy.key ? path : "spec.targetRefs",
                      base::Concat(holds.key.ToString(), " says the ", name, " of ", holds.target,
                                   " already and is older or first by name: this one is not used")});
  if (wins) there->second = policy;
}

EffectiveAuth Policies::Effective(const ResourceKey& gateway, std::string_view listener, const ResourceKey& route,
                                  std::string_view rule_name) const {
  std::vector<Target> nearest_first;
  if (!rule_name.empty()) nearest_first.emplace_back(route, rule_name);
  nearest_first.emplace_back(route, "");
  nearest_first.emplace_back(gateway, listener);
  nearest_first.emplace_back(gateway, "");
  const auto choose = [&nearest_first](const std::map<Target, BoundPolicy>& half) -> std::optional<BoundPolicy> {
    for (const Target& target : nearest_first) {
      if (const auto found = half.find(target); found != half.end()) return found->second;
    }
    return std::nullopt;
  };
  return {choose(authentication_), choose(authorization_)};
}

}  // namespace portico::resolve
