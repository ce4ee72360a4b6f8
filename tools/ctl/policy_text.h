#ifndef PORTICO_TOOLS_CTL_POLICY_TEXT_H_
#define PORTICO_TOOLS_CTL_POLICY_TEXT_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/resolve/resolved.h"

namespace portico::ctl {

// "AuthPolicy closed, from Gateway front", or "none".
inline std::string PolicyText(const std::optional<resolve::BoundPolicy>& policy) {
  return policy ? base::Concat(policy->key.ToString(), ", from ", policy->target) : "none";
}

// What holds for a rule, each with what it is called. Limits add up, so each policy of them has a line.
inline std::vector<std::pair<std::string, std::string>> PolicyLines(const resolve::EffectivePolicies& policies) {
  std::vector<std::pair<std::string, std::string>> lines = {
      {"authentication", PolicyText(policies.auth.authentication)},
      {"authorization", PolicyText(policies.auth.authorization)}};
  for (const resolve::BoundPolicy& limits : policies.limits)
    lines.emplace_back("limits", PolicyText(limits));
  if (policies.cache) lines.emplace_back("cache", PolicyText(policies.cache));
  return lines;
}

// What of these a policy says: "authentication", "limits".
inline std::vector<std::string> PartsOf(const resolve::EffectivePolicies& policies, const check::ResourceKey& policy) {
  const auto is = [&policy](const std::optional<resolve::BoundPolicy>& one) { return one && one->key == policy; };
  std::vector<std::string> parts;
  if (is(policies.auth.authentication)) parts.push_back("authentication");
  if (is(policies.auth.authorization)) parts.push_back("authorization");
  for (const resolve::BoundPolicy& limits : policies.limits)
    if (is(limits)) parts.push_back("limits");
  if (is(policies.cache)) parts.push_back("cache");
  return parts;
}

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_POLICY_TEXT_H_
