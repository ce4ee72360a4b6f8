#ifndef PORTICO_API_LOAD_CHOOSE_GATEWAY_H_
#define PORTICO_API_LOAD_CHOOSE_GATEWAY_H_

#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"

namespace portico::load {

// The value of --gateway, "[NAMESPACE/]NAME" -> a Gateway's key.
check::ResourceKey ParseGatewayName(std::string_view name);

// The Gateway that is meant: the one that was asked for, or the only one. kInvalidArgument: it is not there, there is
// none, or there are several; the words name those there are.
absl::StatusOr<check::ResourceKey> ChooseGateway(const check::Configuration& configuration,
                                                 const std::optional<check::ResourceKey>& asked);

}  // namespace portico::load

#endif  // PORTICO_API_LOAD_CHOOSE_GATEWAY_H_
