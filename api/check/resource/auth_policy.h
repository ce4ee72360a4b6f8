#ifndef PORTICO_API_CHECK_RESOURCE_AUTH_POLICY_H_
#define PORTICO_API_CHECK_RESOURCE_AUTH_POLICY_H_

#include "api/check/resource/report.h"
#include "api/portico/v1/auth_policy.pb.h"

namespace portico::check {

// What the fields of an AuthPolicy say of each other; bounds of single fields are bounds_table.h's.
void CheckAuthPolicy(const portico::v1::AuthPolicySpec& spec, Report& report);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_AUTH_POLICY_H_
