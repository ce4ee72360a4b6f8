#ifndef PORTICO_API_WIRE_NAMES_H_
#define PORTICO_API_WIRE_NAMES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/check/configuration.h"

namespace portico::wire {

inline constexpr std::string_view kTypePrefix = "type.googleapis.com/portico.v1.";

// The commit mark: sent when everything else of its revision was.
inline constexpr std::string_view kRevisionType = "type.googleapis.com/portico.v1.Revision";

// The types that travel, in the order in which they are sent: what is referred to before what refers. The mark is not
// among them.
const std::vector<std::string>& ResourceTypes();

// "type.googleapis.com/portico.v1.Route".
std::string TypeUrl(std::string_view kind);

// "default/shop".
std::string ResourceName(const check::ResourceKey& key);

// nullopt: a type or a name that is none of ours.
std::optional<check::ResourceKey> KeyOf(std::string_view type_url, std::string_view name);

}  // namespace portico::wire

#endif  // PORTICO_API_WIRE_NAMES_H_
