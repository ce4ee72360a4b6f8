#include "api/check/targets.h"

#include <algorithm>

namespace portico::check {

bool IsPolicyKind(std::string_view kind) {
  return std::find(kPolicyKinds.begin(), kPolicyKinds.end(), kind) != kPolicyKinds.end();
}

const TargetReferences& TargetsOf(const portico::v1::Resource& policy) {
  if (policy.has_auth_policy()) return policy.auth_policy().spec().target_refs();
  if (policy.has_cache_policy()) return policy.cache_policy().spec().target_refs();
  // Of whatever else it is the default: none.
  return policy.rate_limit_policy().spec().target_refs();
}

ResourceKey TargetOf(const ResourceKey& policy, const portico::v1::TargetReference& reference) {
  return {reference.kind() == "HTTPRoute" ? "Route" : reference.kind(),
          ReferredNamespace(reference.namespace_(), policy), reference.name()};
}

}  // namespace portico::check
