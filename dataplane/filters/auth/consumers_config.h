#ifndef PORTICO_DATAPLANE_FILTERS_AUTH_CONSUMERS_CONFIG_H_
#define PORTICO_DATAPLANE_FILTERS_AUTH_CONSUMERS_CONFIG_H_

#include <string>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/resolve/resolved.h"
#include "dataplane/filters/auth/authorization.h"
#include "dataplane/filters/auth/consumers.h"

namespace portico::auth {

// Messages -> Consumers: those of `name_space`, the authentication policy's, first, and those that the rules of
// `authorization` (nullptr: there are none) name elsewhere: those are foreign and have no groups, or whoever writes
// there could give its callers the groups of here. Only what is within reach. Without dataplane/crypto, as
// authorization_config.
//
// kInvalidArgument: one is missing, or has a credential that is not supported.
absl::StatusOr<Consumers> BuildConsumers(const std::string& name_space, const Authorization* authorization,
                                         const check::Configuration& configuration, const resolve::Reach& reach);

}  // namespace portico::auth

#endif  // PORTICO_DATAPLANE_FILTERS_AUTH_CONSUMERS_CONFIG_H_
