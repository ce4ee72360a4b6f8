#include "api/resolve/policies.h"

#include <algorithm>
#include <tuple>
#include <utility>

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

ResourceKey TargetOf(const ResourceKey& policy, const v1::TargetReference& reference) {
  return {reference.kind() == "HTTPRoute" ? "Route" : reference.kind(),
          check::ReferredNamespace(reference.namespace_(), policy), reference.name()};
}

EffectiveAuth Policies::Effective(const ResourceKey& gateway, std::string_view listener, const ResourceKey& route,
                                  std::string_view rule_name) {
  std::vector<Target> nearest_first;
  if (!rule_name.empty()) nearest_first.emplace_back(route, rule_name);
  nearest_first.emplace_back(route, "");
  nearest_first.emplace_back(gateway, listener);
  nearest_first.emplace_back(gateway, "");
  const auto choose = [this, &nearest_first](Half half) -> std::optional<BoundPolicy> {
    for (const Target& target : nearest_first) {
      if (const std::optional<BoundPolicy>& holder = Holder(target, half)) return holder;
    }
    return std::nullopt;
  };
  return {choose(Half::kAuthentication), choose(Half::kAuthorization)};
}

const std::optional<BoundPolicy>& Policies::Holder(const Target& target, Half half) {
  const auto [holder, added] = holders_.try_emplace({target, half});
  if (added) holder->second = FindHolder(target, half);
  return holder->second;
}

std::optional<BoundPolicy> Policies::FindHolder(const Target& target, Half half) const {
  std::optional<BoundPolicy> holder;
  for (const ResourceKey& key : configuration_.Referrers(target.first, "AuthPolicy")) {
    const SharedResource& resource = *configuration_.resources().Find(key);
    const v1::AuthPolicySpec& spec = resource->auth_policy().spec();
    if (half == Half::kAuthentication ? !spec.has_authentication() : !spec.has_authorization()) continue;
    const bool targets =
        std::any_of(spec.target_refs().begin(), spec.target_refs().end(), [&](const v1::TargetReference& reference) {
          return reference.section_name() == target.second && TargetOf(key, reference) == target.first;
        });
    if (!targets || !WhyNot(key, target).empty()) continue;
    BoundPolicy policy{key, resource, LevelOf(target.first, target.second), Describe(target.first, target.second)};
    if (!holder || Older(policy, *holder)) holder = std::move(policy);
  }
  return holder;
}

std::string Policies::WhyNot(const ResourceKey& policy, const Target& target) const {
  const v1::Resource* found = configuration_.Find(target.first);
  const bool exists = found != nullptr && (found->has_gateway() || found->has_route());
  if (!exists || !HasSection(*found, target.second)) return " does not exist";
  if (grants_.Permit(policy, target.first)) return "";
  return " is in another namespace and no ReferenceGrant there permits it";
}

std::vector<Notice> Policies::NoticesOf(const ResourceKey& policy) {
  std::vector<Notice> notices;
  const v1::Resource* resource = configuration_.Find(policy);
  if (resource == nullptr) return notices;
  const v1::AuthPolicySpec& spec = resource->auth_policy().spec();
  for (int i = 0; i < spec.target_refs_size(); ++i) {
    const Target target(TargetOf(policy, spec.target_refs(i)), spec.target_refs(i).section_name());
    const std::string path = base::Concat("spec.targetRefs[", i, "]");
    if (const std::string why = WhyNot(policy, target); !why.empty()) {
      notices.push_back({Notice::Kind::kNotBound, policy, path,
                         base::Concat("guards nothing: ", Describe(target.first, target.second), why)});
      continue;
    }
    if (spec.has_authentication()) NoticeConflict(policy, target, Half::kAuthentication, path, notices);
    if (spec.has_authorization()) NoticeConflict(policy, target, Half::kAuthorization, path, notices);
  }
  return notices;
}

void Policies::NoticeConflict(const ResourceKey& policy, const Target& target, Half half, const std::string& path,
                              std::vector<Notice>& notices) {
  const std::optional<BoundPolicy>& holder = Holder(target, half);
  if (!holder || holder->key == policy) return;
  notices.push_back({Notice::Kind::kConflict, policy, path,
                     base::Concat(holder->key.ToString(), " says the ",
                                  half == Half::kAuthentication ? "authentication" : "authorization", " of ",
                                  holder->target, " already and is older or first by name: this one is not used")});
}

}  // namespace portico::resolve
