#ifndef PORTICO_API_CHECK_RESOURCE_RATE_LIMIT_POLICY_H_
#define PORTICO_API_CHECK_RESOURCE_RATE_LIMIT_POLICY_H_

#include "api/check/resource/report.h"
#include "api/portico/v1/rate_limit_policy.pb.h"

namespace portico::check {

// What its fields say of each other.
void CheckRateLimitPolicy(const portico::v1::RateLimitPolicySpec& spec, Report& report);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_RATE_LIMIT_POLICY_H_
