#include "api/base/check.h"
#include "api/base/text.h"
#include "api/jq/machine.h"
#include "api/jq/values.h"

namespace portico::jq {

using base::Json;
using base::JsonMember;

Machine::Flow Machine::Each(const Node& node, const Json& input, Emit emit) {
  if (node.single) {
    const std::optional<Json> value = One(node, input);
    return value ? emit(*value) : Flow::kFail;
  }
  if (!budget_.Spend()) return Flow::kFail;
  switch (node.kind) {
    case Kind::kIterate:
      return Each(*node.parts[0], input, [&](const Json& value) { return EachElement(node, value, emit); });
    case Kind::kPipe:
      return EachPiped(node.parts, input, emit);
    case Kind::kComma:
      for (const Node* part : node.parts) {
        const Flow flow = Each(*part, input, emit);
        if (flow != Flow::kNext) return flow;
      }
      return Flow::kNext;
    case Kind::kObject: {
      std::vector<JsonMember> members;
      return EachMember(node, 0, members, input, emit);
    }
    case Kind::kAnd:
    case Kind::kOr:
    case Kind::kIf:
      return EachLogical(node, input, emit);
    case Kind::kAlternative:
      return EachAlternative(node, input, emit);
    case Kind::kTry:
      return EachCaught(node, input, emit);
    case Kind::kReduce:
      return Each(*node.parts[1], input, [&](const Json& init) {
        const std::optional<Json> value = Fold(node, input, init);
        return value ? emit(*value) : Flow::kFail;
      });
    case Kind::kBind:
      return Each(*node.parts[0], input, [&](const Json& value) {
        slots_[node.slot] = value;
        return Each(*node.parts[1], input, emit);
      });
    case Kind::kCall:
      return EachCall(node, input, emit);
    default:
      return EachCombined(node, input, emit);
  }
}

Machine::Flow Machine::EachPiped(std::span<const Node* const> parts, const Json& input, Emit emit) {
  if (parts.empty()) return emit(input);
  return Each(*parts[0], input, [&](const Json& value) { return EachPiped(parts.subspan(1), value, emit); });
}

Machine::Flow Machine::EmitStep(const Node& node, const std::optional<Json>& value, Emit emit) {
  if (value) return emit(*value);
  if (!node.optional || !budget_.caught()) return Flow::kFail;
  budget_.Forgive();
  return Flow::kNext;
}

Machine::Flow Machine::EachCombined(const Node& node, const Json& input, Emit emit) {
  Values values(node.parts.size());
  const Order order = node.kind == Kind::kSlice ? Order::kSlice : Order::kLastOutermost;
  return Product(node.parts, order, 0, values, input,
                 [&](std::span<const Json> all) { return EmitStep(node, Combine(node, input, all), emit); });
}

Machine::Flow Machine::Product(std::span<const Node* const> parts, Order order, size_t done, Values& values,
                               const Json& input, absl::FunctionRef<Flow(std::span<const Json>)> emit) {
  const size_t count = parts.size();
  for (; done < count; ++done) {
    const size_t place = order == Order::kFirstOutermost  ? done
                         : order == Order::kLastOutermost ? count - 1 - done
                                                          : (done + 1) % count;
    if (!parts[place]->single) {
      return Each(*parts[place], input, [&](const Json& value) {
        values[place] = value;
        return Product(parts, order, done + 1, values, input, emit);
      });
    }
    const std::optional<Json> value = One(*parts[place], input);
    if (!value) return Flow::kFail;
    values[place] = *value;
  }
  return emit(values);
}

Machine::Flow Machine::EachElement(const Node& node, const Json& value, Emit emit) {
  const auto next = [&](const Json& element) { return budget_.Spend() ? emit(element) : Flow::kFail; };
  if (value.is_array()) {
    for (const Json& element : value.items()) {
      const Flow flow = next(element);
      if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }
  if (value.is_object()) {
    for (const JsonMember& member : value.members()) {
      const Flow flow = next(member.value);
      if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }
  budget_.Raise(base::Concat("Cannot iterate over ", Describe(value, budget_)));
  return EmitStep(node, std::nullopt, emit);
}

// The first member's outputs are the outermost loop, a key's outside its value's.
Machine::Flow Machine::EachMember(const Node& node, size_t done, std::vector<JsonMember>& members, const Json& input,
                                  Emit emit) {
  if (done == node.parts.size()) {
    const std::optional<Json> object = budget_.MakeObject(members);
    return object ? emit(*object) : Flow::kFail;
  }
  return Each(*node.parts[done], input, [&](const Json& key) {
    return Each(*node.parts[done + 1], input, [&](const Json& value) {
      if (!CheckKey(key)) return Flow::kFail;
      members.push_back({key.string(), value});
      const Flow flow = EachMember(node, done + 2, members, input, emit);
      members.pop_back();
      return flow;
    });
  });
}

Machine::Flow Machine::EachLogical(const Node& node, const Json& input, Emit emit) {
  return Each(*node.parts[0], input, [&](const Json& first) {
    const bool truthy = Truthy(first);
    if (node.kind == Kind::kIf) return Each(*node.parts[truthy ? 1 : 2], input, emit);
    if (truthy == (node.kind == Kind::kOr)) return emit(Json::Bool(truthy));
    return Each(*node.parts[1], input, [&](const Json& second) { return emit(Json::Bool(Truthy(second))); });
  });
}

Machine::Flow Machine::EachAlternative(const Node& node, const Json& input, Emit emit) {
  bool found = false;
  const Flow flow = Each(*node.parts[0], input, [&](const Json& value) {
    if (!Truthy(value)) return Flow::kNext;
    found = true;
    return emit(value);
  });
  return flow != Flow::kNext || found ? flow : Each(*node.parts[1], input, emit);
}

// Catches what the body raises, not what is raised by whoever takes its outputs.
Machine::Flow Machine::EachCaught(const Node& node, const Json& input, Emit emit) {
  bool raised_outside = false;
  const Flow flow = Each(*node.parts[0], input, [&](const Json& value) {
    const Flow taken = emit(value);
    raised_outside = taken == Flow::kFail;
    return taken;
  });
  if (flow != Flow::kFail || raised_outside || !budget_.caught()) return flow;
  budget_.Forgive();
  return Flow::kNext;
}

Machine::Flow Machine::EachCall(const Node& node, const Json& input, Emit emit) {
  switch (node.function) {
    case Function::kEmpty:
      return Flow::kNext;
    case Function::kFirst:
      return EachFirst(node, input, emit);
    case Function::kRange: {
      Values bounds(node.parts.size());
      return Product(node.parts, Order::kFirstOutermost, 0, bounds, input,
                     [&](std::span<const Json> all) { return EachInRange(all, emit); });
    }
    default:
      return EachCombined(node, input, emit);
  }
}

Machine::Flow Machine::EachFirst(const Node& node, const Json& input, Emit emit) {
  std::optional<Json> first;
  const Flow flow = Each(*node.parts[0], input, [&](const Json& value) {
    first = value;
    return Flow::kStop;
  });
  if (flow == Flow::kFail) return Flow::kFail;
  return first ? emit(*first) : Flow::kNext;
}

Machine::Flow Machine::EachInRange(std::span<const Json> bounds, Emit emit) {
  for (const Json& bound : bounds) {
    if (!bound.is_number()) {
      budget_.Raise("Range bounds must be numeric");
      return Flow::kFail;
    }
  }
  const double end = bounds[1].number();
  const double step = bounds[2].number();
  for (double at = bounds[0].number(); step > 0 ? at < end : step < 0 && at > end; at += step) {
    if (!budget_.Spend()) return Flow::kFail;
    const Flow flow = emit(Json::Number(at));
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

}  // namespace portico::jq
