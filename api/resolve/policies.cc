#include "api/resolve/policies.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "api/base/text.h"
#include "api/check/targets.h"

namespace portico::resolve {
namespace {

using check::ResourceKey;

// As Policies::Part: which kind says it, and what it is called.
struct PartName {
  std::string_view kind, words;
};
constexpr PartName kParts[] = {
    {"AuthPolicy", "authentication"},
    {"AuthPolicy", "authorization"},
    {"RateLimitPolicy", "limits"},
    {"CachePolicy", "caching"},
};

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
  const auto age = [](const BoundPolicy& policy) { return check::MetadataOf(*policy.resource).creation_revision(); };
  return std::tuple(age(a), std::tie(a.key)) < std::tuple(age(b), std::tie(b.key));
}

void NoticeExposedKeys(const ResourceKey& policy, const v1::AuthPolicySpec& spec, std::vector<Notice>& notices) {
  for (int i = 0; i < spec.authentication().any_of_size(); ++i) {
    if (spec.authentication().any_of(i).api_key().extract_from().query_params().empty()) continue;
    notices.push_back({Notice::Kind::kExposed, policy,
                       base::Concat("spec.authentication.anyOf[", i, "].apiKey.extractFrom.queryParams"),
                       "keys in a query end up in logs and histories of whoever stands between; a header is better"});
  }
}

}  // namespace

EffectivePolicies Policies::Effective(const ResourceKey& gateway, std::string_view listener, const ResourceKey& route,
                                      std::string_view rule_name) {
  std::vector<Target> nearest_first;
  if (!rule_name.empty()) nearest_first.emplace_back(route, rule_name);
  nearest_first.emplace_back(route, "");
  nearest_first.emplace_back(gateway, listener);
  nearest_first.emplace_back(gateway, "");
  const auto choose = [this, &nearest_first](Part part) -> std::optional<BoundPolicy> {
    for (const Target& target : nearest_first) {
      if (const std::vector<BoundPolicy>& holders = Holders(target, part); !holders.empty()) return holders.front();
    }
    return std::nullopt;
  };
  EffectivePolicies out{{choose(Part::kAuthentication), choose(Part::kAuthorization)}, {}, choose(Part::kCache)};
  for (auto target = nearest_first.rbegin(); target != nearest_first.rend(); ++target) {
    for (const BoundPolicy& holder : Holders(*target, Part::kLimits)) {
      const auto is_holder = [&holder](const BoundPolicy& other) { return other.key == holder.key; };
      if (std::none_of(out.limits.begin(), out.limits.end(), is_holder)) out.limits.push_back(holder);
    }
  }
  return out;
}

bool Policies::Says(const v1::Resource& policy, Part part) {
  switch (part) {
    case Part::kAuthentication:
      return policy.auth_policy().spec().has_authentication();
    case Part::kAuthorization:
      return policy.auth_policy().spec().has_authorization();
    case Part::kLimits:
      return policy.has_rate_limit_policy();
    case Part::kCache:
      return policy.has_cache_policy();
  }
  return false;
}

const std::vector<BoundPolicy>& Policies::Holders(const Target& target, Part part) {
  const auto [holders, added] = holders_.try_emplace({target, part});
  if (added) holders->second = FindHolders(target, part);
  return holders->second;
}

std::vector<BoundPolicy> Policies::FindHolders(const Target& target, Part part) const {
  std::vector<BoundPolicy> holders;
  for (const ResourceKey& key : configuration_.Referrers(target.first, kParts[static_cast<size_t>(part)].kind)) {
    const SharedResource& resource = *configuration_.resources().Find(key);
    if (!Says(*resource, part)) continue;
    const check::TargetReferences& references = check::TargetsOf(*resource);
    const bool targets = std::any_of(references.begin(), references.end(), [&](const v1::TargetReference& reference) {
      return reference.section_name() == target.second && check::TargetOf(key, reference) == target.first;
    });
    if (!targets || !WhyNot(key, target).empty()) continue;
    holders.push_back({key, resource, LevelOf(target.first, target.second), Describe(target.first, target.second)});
  }
  std::sort(holders.begin(), holders.end(), Older);
  return holders;
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
  const check::TargetReferences& references = check::TargetsOf(*resource);
  for (int i = 0; i < references.size(); ++i) {
    const Target target(check::TargetOf(policy, references[i]), references[i].section_name());
    const std::string path = base::Concat("spec.targetRefs[", i, "]");
    if (const std::string why = WhyNot(policy, target); !why.empty()) {
      notices.push_back({Notice::Kind::kNotBound, policy, path,
                         base::Concat("guards nothing: ", Describe(target.first, target.second), why)});
      continue;
    }
    for (const Part part : {Part::kAuthentication, Part::kAuthorization, Part::kLimits, Part::kCache})
      if (Says(*resource, part)) NoticeConflict(policy, target, part, path, notices);
  }
  NoticeExposedKeys(policy, resource->auth_policy().spec(), notices);
  return notices;
}

void Policies::NoticeConflict(const ResourceKey& policy, const Target& target, Part part, const std::string& path,
                              std::vector<Notice>& notices) {
  const std::vector<BoundPolicy>& holders = Holders(target, part);
  if (holders.empty() || holders.front().key == policy) return;
  const std::string_view what =
      part == Part::kLimits ? ": the limits of both apply" : " and is older or first by name: this one is not used";
  notices.push_back({Notice::Kind::kConflict, policy, path,
                     base::Concat(holders.front().key.ToString(), " says the ", kParts[static_cast<size_t>(part)].words,
                                  " of ", holders.front().target, " already", what)});
}

}  // namespace portico::resolve
