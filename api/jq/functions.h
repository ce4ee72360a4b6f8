#ifndef PORTICO_API_JQ_FUNCTIONS_H_
#define PORTICO_API_JQ_FUNCTIONS_H_

#include <optional>
#include <span>
#include <vector>

#include "api/base/json.h"
#include "api/jq/budget.h"
#include "api/jq/tree.h"

// The builtins that are functions of values. nullopt: the budget says why.

namespace portico::jq {

// `arguments` are the values of the call's arguments.
std::optional<base::Json> Apply(const Node& call, const base::Json& input, std::span<const base::Json> arguments,
                                Budget& budget);

// sort_by, group_by, unique_by, min_by, max_by: keys[i] belongs to the i-th element of `input`.
std::optional<base::Json> ApplyKeyed(Function function, const base::Json& input, const std::vector<base::Json>& keys,
                                     Budget& budget);

}  // namespace portico::jq

#endif  // PORTICO_API_JQ_FUNCTIONS_H_
