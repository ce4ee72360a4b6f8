#include "dataplane/filters/auth/claim.h"

#include <algorithm>

namespace portico::auth {

std::optional<std::string_view> ClaimText(const base::Json& value) {
  if (value.is_string()) return value.string();
  if (value.is_number()) return value.number_text();
  if (value.is_bool()) return value.boolean() ? "true" : "false";
  return std::nullopt;
}

bool ClaimHas(const base::Json& claims, std::string_view name, std::string_view text) {
  const base::Json* claim = claims.Find(name);
  if (claim == nullptr) return false;
  if (!claim->is_array()) return ClaimText(*claim) == text;
  const auto items = claim->items();
  return std::any_of(items.begin(), items.end(), [text](const base::Json& item) { return ClaimText(item) == text; });
}

bool ClaimsHaveAll(const base::Json& claims, const ClaimConditions& conditions) {
  return std::all_of(conditions.begin(), conditions.end(),
                     [&claims](const auto& condition) { return ClaimHas(claims, condition.first, condition.second); });
}

}  // namespace portico::auth
