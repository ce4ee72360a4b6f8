#ifndef PORTICO_TOOLS_CTL_POLICY_TEXT_H_
#define PORTICO_TOOLS_CTL_POLICY_TEXT_H_

#include <optional>
#include <string>

#include "api/base/text.h"
#include "api/resolve/resolved.h"

namespace portico::ctl {

// "AuthPolicy closed, from Gateway front", or "none".
inline std::string PolicyText(const std::optional<resolve::BoundPolicy>& policy) {
  return policy ? base::Concat(policy->key.ToString(), ", from ", policy->target) : "none";
}

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_POLICY_TEXT_H_
