#ifndef PORTICO_DATAPLANE_FILTERS_AUTH_CLAIM_H_
#define PORTICO_DATAPLANE_FILTERS_AUTH_CLAIM_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/base/json.h"

namespace portico::auth {

// A claim's value as text: a string, a number as it was written, "true" or "false". nullopt: null, a list, an object.
// The view lives as long as what `value` points to.
std::optional<std::string_view> ClaimText(const base::Json& value);

// The claim of that name is `text`, or is a list that holds it. Names are whole: a '.' in one is no path.
bool ClaimHas(const base::Json& claims, std::string_view name, std::string_view text);

using ClaimConditions = std::map<std::string, std::string>;  // name -> text
bool ClaimsHaveAll(const base::Json& claims, const ClaimConditions& conditions);

}  // namespace portico::auth

#endif  // PORTICO_DATAPLANE_FILTERS_AUTH_CLAIM_H_
