#ifndef PORTICO_API_CHECK_TARGETS_H_
#define PORTICO_API_CHECK_TARGETS_H_

#include <array>
#include <string_view>

#include "api/check/resource_key.h"
#include "api/portico/v1/resource.pb.h"

namespace portico::check {

// The kinds of resources that say something of others by `targetRefs`: one for each concern.
inline constexpr std::array<std::string_view, 3> kPolicyKinds = {"AuthPolicy", "CachePolicy", "RateLimitPolicy"};

bool IsPolicyKind(std::string_view kind);

using TargetReferences = google::protobuf::RepeatedPtrField<portico::v1::TargetReference>;
// Of a policy of any kind; none if it is no policy.
const TargetReferences& TargetsOf(const portico::v1::Resource& policy);

// Whom a policy means by one of them, whatever the section. Routes go by HTTPRoute too.
ResourceKey TargetOf(const ResourceKey& policy, const portico::v1::TargetReference& reference);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_TARGETS_H_
