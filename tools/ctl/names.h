#ifndef PORTICO_TOOLS_CTL_NAMES_H_
#define PORTICO_TOOLS_CTL_NAMES_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/portico/v1/config_service.pb.h"

namespace portico::ctl {

// "route", "ROUTES", "authpolicies" -> "Route", "AuthPolicy". kInvalidArgument: there is no such kind; the words name
// the nearest, or all.
absl::StatusOr<std::string> ParseKind(std::string_view word);

// "Route default/shop", as the API writes it.
std::string NameText(const check::ResourceKey& key);
std::string NameText(const portico::v1::ResourceName& name);
// The other way round. nullopt: it is not written so.
std::optional<check::ResourceKey> ParseNameText(std::string_view text);

portico::v1::ResourceName ToResourceName(const check::ResourceKey& key);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_NAMES_H_
