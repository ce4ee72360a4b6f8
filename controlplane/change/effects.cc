#include "controlplane/change/effects.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "api/base/shared_map.h"
#include "api/base/text.h"
#include "api/check/levels.h"
#include "api/resolve/resolved.h"

namespace portico::change {
namespace {

using base::Concat;
using check::ResourceKey;

// A Route's rule on a listener, over versions: by its name or, if it has none, by its place.
using RuleId = std::pair<std::string, std::string>;

// A Route's rules at a gateway; none if it is not there.
std::map<RuleId, const resolve::ResolvedRule*> RulesOf(const resolve::ResolvedGateway& gateway,
                                                       const resolve::SharedRoute* route) {
  std::map<RuleId, const resolve::ResolvedRule*> rules;
  if (route == nullptr) return rules;
  for (const resolve::SharedRule& rule : (*route)->rules) {
    const std::string& name = rule->message().name();
    rules[{gateway.listeners[rule->listener].name, name.empty() ? Concat("#", rule->index) : name}] = rule.get();
  }
  return rules;
}

// Whether nobody comes by without saying who they are.
bool DemandsCaller(const resolve::ResolvedRule& rule) {
  if (!rule.policies.auth.authentication.has_value()) return false;
  const auto& methods = rule.policies.auth.authentication->resource->auth_policy().spec().authentication().any_of();
  return std::none_of(methods.begin(), methods.end(), [](const auto& method) { return method.has_anonymous(); });
}

// What a rule loses, in words. Empty: nothing.
std::string Loss(const resolve::ResolvedRule& before, const resolve::ResolvedRule& after) {
  if (DemandsCaller(before) && !DemandsCaller(after)) return "callers need no longer say who they are";
  if (before.policies.auth.authorization.has_value() && !after.policies.auth.authorization.has_value()) {
    return "callers are no longer judged by what they may do";
  }
  if (!before.policies.limits.empty() && after.policies.limits.empty()) return "requests are no longer limited";
  return "";
}

class Comparison {
 public:
  explicit Comparison(const model::Step& step) : step_(step) {
    for (const model::ResourceChange& change : step.changes) {
      changed_.insert(change.key);
      if (change.kind != model::ChangeKind::kUnchanged) brought_.insert(change.key);
    }
  }

  Effects Run() && {
    std::set<ResourceKey> gateways;
    for (const model::SharedModel& model : {step_.before, step_.after}) {
      for (const auto& [key, gateway] : model->gateways)
        gateways.insert(key);
    }
    for (const ResourceKey& gateway : gateways)
      Compare(gateway);
    return std::move(effects_);
  }

 private:
  using Gateway = std::shared_ptr<const resolve::ResolvedGateway>;

  static Gateway Find(const model::Model& model, const ResourceKey& key) {
    const auto found = model.gateways.find(key);
    return found == model.gateways.end() ? nullptr : found->second;
  }

  void Compare(const ResourceKey& key) {
    const Gateway before = Find(*step_.before, key), after = Find(*step_.after, key);
    if (before == nullptr || after == nullptr || Touches(*before) || Touches(*after) || OtherReach(*before, *after)) {
      effects_.gateways.push_back(key);
    }
    if (after == nullptr) {
      effects_.warnings.push_back({key, "", "is deleted; proxies that serve it go on with what they have"});
      return;
    }
    TellNotices(before == nullptr ? resolve::Notices() : before->notices, after->notices);
    TellNeeds(before == nullptr ? resolve::Reach() : before->reach, *after);
    if (before != nullptr) TellLosses(*before, *after);
  }

  bool Touches(const resolve::ResolvedGateway& gateway) const {
    return std::any_of(changed_.begin(), changed_.end(),
                       [&gateway](const ResourceKey& key) { return gateway.reach.contains(key); });
  }

  static bool OtherReach(const resolve::ResolvedGateway& before, const resolve::ResolvedGateway& after) {
    bool other = false;
    base::Compare(before.reach, after.reach, [&other](const auto&, const auto* was, const auto* is) {
      other = other || was == nullptr || is == nullptr;
    });
    return other;
  }

  void TellNotices(const resolve::Notices& before, const resolve::Notices& after) {
    base::Compare(before, after, [this](const resolve::Notice& notice, const auto* was, const auto*) {
      if (was == nullptr) effects_.warnings.push_back({notice.resource, notice.path, notice.message});
    });
  }

  void TellNeeds(const resolve::Reach& before, const resolve::ResolvedGateway& after) {
    std::set<ResourceKey> brought = brought_;
    base::Compare(before, after.reach, [&brought](const ResourceKey& key, const auto* was, const auto*) {
      if (was == nullptr) brought.insert(key);
    });
    for (const ResourceKey& key : brought) {
      const portico::v1::Resource* resource = step_.after->configuration.Find(key);
      if (resource == nullptr || !after.reach.contains(key)) continue;
      std::map<uint32_t, std::string> levels = check::LevelsOf(*resource);
      if (!levels.empty()) effects_.needs.push_back({after.key, key, std::move(levels)});
    }
  }

  void TellLosses(const resolve::ResolvedGateway& before, const resolve::ResolvedGateway& after) {
    base::Compare(before.routes, after.routes, [&](const ResourceKey& key, const auto* was, const auto* is) {
      const auto old_rules = RulesOf(before, was);
      for (const auto& [id, rule] : RulesOf(after, is)) {
        const auto old = old_rules.find(id);
        const std::string loss = old == old_rules.end() ? "" : Loss(*old->second, *rule);
        if (loss.empty()) continue;
        effects_.warnings.push_back({key, Concat("spec.rules[", rule->index, "]"),
                                     Concat(loss, " (", after.key.ToString(), ", listener ", id.first, ")")});
      }
    });
  }

  const model::Step& step_;
  std::set<ResourceKey> changed_;  // or named
  std::set<ResourceKey> brought_;  // changed
  Effects effects_;
};

}  // namespace

Effects EffectsOf(const model::Step& step) {
  return Comparison(step).Run();
}

}  // namespace portico::change
