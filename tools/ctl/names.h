#ifndef PORTICO_TOOLS_CTL_NAMES_H_
#define PORTICO_TOOLS_CTL_NAMES_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
check::ResourceKey ToKey(const portico::v1::ResourceName& name);

// "created", "updated", "deleted" or "unchanged".
std::string_view ChangeText(portico::v1::ResourceChange::Kind kind);

// The kinds there are, in the order of the API.
std::vector<std::string_view> Kinds();

using Labels = std::map<std::string, std::string>;
// "a=b,c=d"; empty for an empty text. nullopt: it is not written so.
std::optional<Labels> ParseLabels(const std::string& text);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_NAMES_H_
