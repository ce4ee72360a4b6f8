#ifndef PORTICO_TOOLS_CTL_POLICY_TEXT_H_
#define PORTICO_TOOLS_CTL_POLICY_TEXT_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/resolve/resolved.h"

namespace portico::ctl {

// "AuthPolicy closed, from Gateway front", or "none".
std::string PolicyText(const std::optional<resolve::BoundPolicy>& policy);

// What holds for a rule, each with what it is called. Limits add up, so each has a line: "each, 100 in 1s by
// ClientAddress (RateLimitPolicy fair, from Gateway front)".
std::vector<std::pair<std::string, std::string>> PolicyLines(const resolve::EffectivePolicies& policies);

// What of these a policy says: "authentication", "limits".
std::vector<std::string> PartsOf(const resolve::EffectivePolicies& policies, const check::ResourceKey& policy);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_POLICY_TEXT_H_
