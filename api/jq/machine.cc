#include "api/jq/machine.h"

#include "api/base/check.h"
#include "api/base/text.h"
#include "api/jq/functions.h"
#include "api/jq/values.h"

namespace portico::jq {

using base::Json;
using base::JsonMember;

std::optional<Json> Machine::One(const Node& node, const Json& input) {
  if (!budget_.Spend()) return std::nullopt;
  switch (node.kind) {
    case Kind::kIdentity:
      return input;
    case Kind::kLiteral:
      return node.literal;
    case Kind::kVariable:
      return slots_[node.slot];
    case Kind::kArray:
      return node.parts.empty() ? budget_.MakeArray({}) : Collect(*node.parts[0], input);
    case Kind::kObject:
      return OneObject(node, input);
    case Kind::kPipe: {
      std::optional<Json> value = input;
      for (size_t i = 0; i < node.parts.size() && value; ++i)
        value = One(*node.parts[i], Json(*value));
      return value;
    }
    case Kind::kAnd:
    case Kind::kOr:
    case Kind::kAlternative:
    case Kind::kIf:
      return OneLogical(node, input);
    case Kind::kReduce: {
      const std::optional<Json> init = One(*node.parts[1], input);
      return init ? Fold(node, input, *init) : std::nullopt;
    }
    case Kind::kBind: {
      const std::optional<Json> value = One(*node.parts[0], input);
      if (!value) return std::nullopt;
      slots_[node.slot] = *value;
      return One(*node.parts[1], input);
    }
    default:
      return OneCall(node, input);
  }
}

// Operators and calls: the parts' values, last first as in jq, then the node's own.
std::optional<Json> Machine::OneCall(const Node& node, const Json& input) {
  switch (node.function) {
    case Function::kAny:
    case Function::kAll:
      return AnyOrAll(node, input);
    case Function::kGroupBy:
    case Function::kMaxBy:
    case Function::kMinBy:
    case Function::kSortBy:
    case Function::kUniqueBy:
      return Keyed(node, input);
    case Function::kLast:
      return Last(node, input);
    default:
      break;
  }
  std::optional<Json> result;
  Values values(node.parts.size());
  const Order order = node.kind == Kind::kSlice ? Order::kSlice : Order::kLastOutermost;
  Product(node.parts, order, 0, values, input, [&](std::span<const Json> all) {
    result = Combine(node, input, all);
    return result ? Flow::kNext : Flow::kFail;
  });
  return result;
}

std::optional<Json> Machine::Combine(const Node& node, const Json& input, std::span<const Json> values) {
  switch (node.kind) {
    case Kind::kIndex:
      return Index(values[0], values[1], budget_);
    case Kind::kSlice:
      return Slice(values[0], values[1], values[2], budget_);
    case Kind::kOperator:
      return Operate(node.op, values[0], values[1], budget_);
    case Kind::kNegate:
      return Negate(values[0], budget_);
    case Kind::kText:
      return MakeText(values);
    case Kind::kCall:
      return Apply(node, input, values, budget_);
    default:
      PORTICO_CHECK(false, "not a node that combines values");
      return std::nullopt;
  }
}

std::optional<Json> Machine::MakeText(std::span<const Json> values) {
  std::string text;
  for (const Json& value : values) {
    const bool fits = value.is_string() || base::AppendJson(text, value, budget_.limits().arena_bytes_max);
    if (value.is_string()) text.append(value.string());
    if (!fits) return budget_.Exhaust("arena_bytes_max");
    if (!budget_.Reserve(text.size())) return std::nullopt;
  }
  return budget_.MakeString(text);
}

std::optional<Json> Machine::OneLogical(const Node& node, const Json& input) {
  const std::optional<Json> first = One(*node.parts[0], input);
  if (!first) return std::nullopt;
  const bool truthy = Truthy(*first);
  if (node.kind == Kind::kIf) return One(*node.parts[truthy ? 1 : 2], input);
  if (node.kind == Kind::kAlternative) return truthy ? first : One(*node.parts[1], input);
  if (truthy == (node.kind == Kind::kOr)) return Json::Bool(truthy);
  const std::optional<Json> second = One(*node.parts[1], input);
  if (!second) return std::nullopt;
  return Json::Bool(Truthy(*second));
}

bool Machine::CheckKey(const Json& key) {
  if (key.is_string()) return true;
  budget_.Raise(base::Concat("Object keys must be strings: cannot use ", Describe(key, budget_), " as object key"));
  return false;
}

std::optional<Json> Machine::OneObject(const Node& node, const Json& input) {
  std::vector<JsonMember> members;
  members.reserve(node.parts.size() / 2);
  for (size_t i = 0; i < node.parts.size(); i += 2) {
    const std::optional<Json> key = One(*node.parts[i], input);
    const std::optional<Json> value = key ? One(*node.parts[i + 1], input) : std::nullopt;
    if (!value || !CheckKey(*key)) return std::nullopt;
    members.push_back({key->string(), *value});
  }
  return budget_.MakeObject(members);
}

std::optional<Json> Machine::Collect(const Node& body, const Json& input) {
  Values items;
  const Flow flow = Each(body, input, [&](const Json& value) {
    items.push_back(value);
    return budget_.Reserve(items.size() * sizeof(Json)) ? Flow::kNext : Flow::kFail;
  });
  if (flow == Flow::kFail) return std::nullopt;
  return budget_.MakeArray(items);
}

// As in jq 1.6: of several outputs of the update the last counts, of none it is null.
std::optional<Json> Machine::Fold(const Node& node, const Json& input, const Json& init) {
  Json state = init;
  const Flow flow = Each(*node.parts[0], input, [&](const Json& value) {
    slots_[node.slot] = value;
    Json next;
    const Flow updated = Each(*node.parts[2], state, [&](const Json& output) {
      next = output;
      return Flow::kNext;
    });
    state = next;
    return updated;
  });
  if (flow == Flow::kFail) return std::nullopt;
  return state;
}

// Done at the first value that decides.
std::optional<Json> Machine::AnyOrAll(const Node& node, const Json& input) {
  const bool deciding = node.function == Function::kAny;
  bool decided = false;
  const Flow flow = Each(*node.parts[0], input, [&](const Json& value) {
    return Each(*node.parts[1], value, [&](const Json& condition) {
      decided = Truthy(condition) == deciding;
      return decided ? Flow::kStop : Flow::kNext;
    });
  });
  if (flow == Flow::kFail) return std::nullopt;
  return Json::Bool(decided == deciding);
}

std::optional<Json> Machine::Keyed(const Node& node, const Json& input) {
  const auto elements = Elements(input, budget_);
  if (!elements) return std::nullopt;
  Values keys;
  for (const Json& element : *elements) {
    const std::optional<Json> key = Collect(*node.parts[0], element);
    if (!key) return std::nullopt;
    keys.push_back(*key);
  }
  return ApplyKeyed(node.function, input, keys, budget_);
}

std::optional<Json> Machine::Last(const Node& node, const Json& input) {
  Json last;
  const Flow flow = Each(*node.parts[0], input, [&](const Json& value) {
    last = value;
    return Flow::kNext;
  });
  if (flow == Flow::kFail) return std::nullopt;
  return last;
}

}  // namespace portico::jq
