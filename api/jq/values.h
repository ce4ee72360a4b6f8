#ifndef PORTICO_API_JQ_VALUES_H_
#define PORTICO_API_JQ_VALUES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/json.h"
#include "api/jq/budget.h"
#include "api/jq/tree.h"

// jq's operators on values. nullopt: the budget says why. Recursion is bounded by the depth of values.

namespace portico::jq {

inline bool Truthy(const base::Json& value) {
  return value.type() != base::JsonType::kNull && value.type() != base::JsonType::kFalse;
}

std::string_view TypeName(const base::Json& value);

// `string ("aaaaaaaaaa...)`: how jq's errors name a value, cut to 14 bytes.
std::string Describe(const base::Json& value, Budget& budget);

// null < false < true < numbers < strings < arrays < objects; as in jq NaN is below every number, itself too, and
// objects compare by their sets of names first. Meaningless once the budget failed.
int Compare(const base::Json& a, const base::Json& b, Budget& budget);

std::optional<base::Json> Operate(Operator op, const base::Json& a, const base::Json& b, Budget& budget);
std::optional<base::Json> Negate(const base::Json& value, Budget& budget);
std::optional<base::Json> Index(const base::Json& target, const base::Json& key, Budget& budget);
std::optional<base::Json> Slice(const base::Json& target, const base::Json& from, const base::Json& to, Budget& budget);
std::optional<bool> Contains(const base::Json& a, const base::Json& b, Budget& budget);

// The elements of an array or the members' values of an object.
std::optional<std::vector<base::Json>> Elements(const base::Json& value, Budget& budget);

std::optional<base::Json> SplitString(const base::Json& text, const base::Json& separator, Budget& budget);

}  // namespace portico::jq

#endif  // PORTICO_API_JQ_VALUES_H_
