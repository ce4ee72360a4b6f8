#ifndef PORTICO_DATAPLANE_FILTERS_AUTH_AUTHORIZATION_CONFIG_H_
#define PORTICO_DATAPLANE_FILTERS_AUTH_AUTHORIZATION_CONFIG_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "api/portico/v1/auth_policy.pb.h"
#include "dataplane/filter/identity.h"
#include "dataplane/filters/auth/authorization.h"

namespace portico::auth {

// Messages -> Authorization. With `consumers_config` it is what porticoctl judges by, too, which has no BoringSSL:
// nothing here may need dataplane/crypto.
//
// `name_space` is the policy's: where Consumers are whose names have none. kInvalidArgument: what is not understood.
absl::StatusOr<Authorization> BuildAuthorization(const v1::Authorization& message, const std::string& name_space);

// nullopt: unspecified, which is any.
absl::StatusOr<std::optional<filter::IdentityMethod>> DecodeMethod(v1::AuthenticationMethodName method);

}  // namespace portico::auth

#endif  // PORTICO_DATAPLANE_FILTERS_AUTH_AUTHORIZATION_CONFIG_H_
