#ifndef PORTICO_API_CHECK_RESOURCE_AUTH_POLICY_H_
#define PORTICO_API_CHECK_RESOURCE_AUTH_POLICY_H_

#include "api/check/configuration.h"
#include "api/check/violation.h"
#include "api/portico/v1/auth_policy.pb.h"

namespace portico::check {

// The rules that the comments of auth_policy.proto state: what is mandatory, and every bound.
Violations CheckAuthPolicy(const ResourceKey& key, const portico::v1::AuthPolicySpec& spec);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_AUTH_POLICY_H_
