#include "controlplane/change/effects.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/resolve/resolve.h"

namespace portico::change {
namespace {

using base::Concat;
using check::ResourceKey;

// A rule on a listener, over versions: by its name or, if it has none, by its place.
using RuleId = std::tuple<std::string, ResourceKey, std::string>;

std::map<RuleId, const resolve::ResolvedRule*> RulesOf(const resolve::ResolvedGateway& gateway) {
  std::map<RuleId, const resolve::ResolvedRule*> rules;
  for (const resolve::ResolvedRule& rule : gateway.rules) {
    const std::string& name = rule.message().name();
    rules[{gateway.listeners[rule.listener].name, rule.route, name.empty() ? Concat("#", rule.index) : name}] = &rule;
  }
  return rules;
}

// Whether nobody comes by without saying who they are.
bool DemandsCaller(const resolve::ResolvedRule& rule) {
  if (!rule.auth.authentication.has_value()) return false;
  const auto& methods = rule.auth.authentication->resource->auth_policy().spec().authentication().any_of();
  return std::none_of(methods.begin(), methods.end(), [](const auto& method) { return method.has_anonymous(); });
}

// What a rule loses, in words. Empty: nothing.
std::string Loss(const resolve::ResolvedRule& before, const resolve::ResolvedRule& after) {
  if (DemandsCaller(before) && !DemandsCaller(after)) return "callers need no longer say who they are";
  if (before.auth.authorization.has_value() && !after.auth.authorization.has_value()) {
    return "callers are no longer judged by what they may do";
  }
  return "";
}

class Comparison {
 public:
  explicit Comparison(const model::Step& step) : step_(step) {
    for (const model::ResourceChange& change : step.changes)
      changed_.insert(change.key);
  }

  Effects Run() && {
    std::set<ResourceKey> gateways;
    for (const model::SharedModel& model : {step_.before, step_.after}) {
      for (const auto& [key, resource] : model->configuration.resources()) {
        if (resource->has_gateway()) gateways.insert(key);
      }
    }
    for (const ResourceKey& gateway : gateways)
      Compare(gateway);
    return std::move(effects_);
  }

 private:
  void Compare(const ResourceKey& key) {
    const absl::StatusOr<resolve::ResolvedGateway> before = resolve::Resolve(step_.before->configuration, key);
    const absl::StatusOr<resolve::ResolvedGateway> after = resolve::Resolve(step_.after->configuration, key);
    const bool other_reach = before.ok() != after.ok() || (after.ok() && before->reach != after->reach);
    if (other_reach || (before.ok() && Touches(*before)) || (after.ok() && Touches(*after))) {
      effects_.gateways.push_back(key);
    }
    if (before.ok() && !after.ok()) {
      effects_.warnings.push_back({key, "", "is deleted; proxies that serve it go on with what they have"});
    }
    if (!after.ok()) return;
    TellNotices(before.ok() ? before->notices : std::vector<resolve::Notice>(), after->notices);
    if (before.ok()) TellLosses(*before, *after);
  }

  bool Touches(const resolve::ResolvedGateway& gateway) const {
    return std::any_of(changed_.begin(), changed_.end(),
                       [&gateway](const ResourceKey& key) { return gateway.reach.count(key) > 0; });
  }

  void TellNotices(const std::vector<resolve::Notice>& before, const std::vector<resolve::Notice>& after) {
    for (const resolve::Notice& notice : after) {
      if (!std::binary_search(before.begin(), before.end(), notice)) {
        effects_.warnings.push_back({notice.resource, notice.path, notice.message});
      }
    }
  }

  void TellLosses(const resolve::ResolvedGateway& before, const resolve::ResolvedGateway& after) {
    const auto old_rules = RulesOf(before);
    for (const auto& [id, rule] : RulesOf(after)) {
      const auto old = old_rules.find(id);
      const std::string loss = old == old_rules.end() ? "" : Loss(*old->second, *rule);
      if (loss.empty()) continue;
      effects_.warnings.push_back({rule->route, Concat("spec.rules[", rule->index, "]"),
                                   Concat(loss, " (", after.key.ToString(), ", listener ", std::get<0>(id), ")")});
    }
  }

  const model::Step& step_;
  std::set<ResourceKey> changed_;  // or named
  Effects effects_;
};

}  // namespace

Effects EffectsOf(const model::Step& step) {
  return Comparison(step).Run();
}

}  // namespace portico::change
