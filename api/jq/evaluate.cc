#include "api/jq/evaluate.h"

#include <algorithm>

#include "api/base/text.h"
#include "api/jq/budget.h"
#include "api/jq/machine.h"
#include "api/jq/tree.h"

namespace portico::jq {

using base::Json;
using base::JsonMember;

namespace {

// Adds what `value` takes as JSON, escapes aside, and stops soon after `bytes_max`: values share parts, so walking a
// small one to its end could take for ever.
void Measure(const Json& value, size_t bytes_max, size_t& bytes) {
  if (bytes > bytes_max) return;
  std::string number;
  switch (value.type()) {
    case base::JsonType::kNumber:
      base::AppendJsonNumber(number, value);
      bytes += number.size();
      return;
    case base::JsonType::kString:
      bytes += value.string().size() + 2;
      return;
    case base::JsonType::kArray:
      bytes += 2 + value.items().size();
      for (const Json& item : value.items()) {
        if (bytes > bytes_max) return;
        Measure(item, bytes_max, bytes);
      }
      return;
    case base::JsonType::kObject:
      bytes += 2;
      for (const JsonMember& member : value.members()) {
        if (bytes > bytes_max) return;
        bytes += member.name.size() + 4;
        Measure(member.value, bytes_max, bytes);
      }
      return;
    default:
      bytes += 4;
  }
}

absl::Status Bind(const Tree& tree, std::span<const Binding> bindings, Machine& machine) {
  for (uint32_t slot = 0; slot < tree.variables.size(); ++slot) {
    if (!tree.variable_is_used[slot]) continue;
    const std::string& name = tree.variables[slot];
    const auto found =
        std::find_if(bindings.begin(), bindings.end(), [&](const Binding& binding) { return binding.name == name; });
    if (found == bindings.end()) {
      return absl::FailedPreconditionError(base::ToAbsl(base::Concat("$", name, " has no value")));
    }
    machine.Set(slot, found->value);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status EvaluateEach(const Program& program, std::span<const Binding> bindings, const Json& input,
                          base::Arena& arena, const EvaluateLimits& limits,
                          absl::FunctionRef<bool(const Json&)> output) {
  Budget budget(arena, limits);
  Machine machine(program.tree(), budget);
  if (const absl::Status status = Bind(program.tree(), bindings, machine); !status.ok()) return status;
  size_t outputs = 0;
  size_t bytes = 0;
  const Machine::Flow flow = machine.Each(*program.tree().root, input, [&](const Json& value) {
    if (++outputs > limits.outputs_max) {
      budget.Exhaust("outputs_max");
      return Machine::Flow::kFail;
    }
    Measure(value, limits.output_bytes_max, bytes);
    if (bytes > limits.output_bytes_max) {
      budget.Exhaust("output_bytes_max");
      return Machine::Flow::kFail;
    }
    return output(value) ? Machine::Flow::kNext : Machine::Flow::kStop;
  });
  return flow == Machine::Flow::kFail ? budget.status() : absl::OkStatus();
}

absl::StatusOr<std::vector<Json>> Evaluate(const Program& program, std::span<const Binding> bindings, const Json& input,
                                           base::Arena& arena, const EvaluateLimits& limits) {
  std::vector<Json> outputs;
  const absl::Status status = EvaluateEach(program, bindings, input, arena, limits, [&](const Json& value) {
    outputs.push_back(value);
    return true;
  });
  if (!status.ok()) return status;
  return outputs;
}

absl::StatusOr<Json> EvaluateOne(const Program& program, std::span<const Binding> bindings, const Json& input,
                                 base::Arena& arena, const EvaluateLimits& limits) {
  size_t count = 0;
  Json only;
  const absl::Status status = EvaluateEach(program, bindings, input, arena, limits, [&](const Json& value) {
    only = value;
    return ++count < 2;
  });
  if (!status.ok()) return status;
  if (count == 0) return absl::InvalidArgumentError("the expression gave no value, where it must give exactly one");
  if (count > 1)
    return absl::InvalidArgumentError("the expression gave several values, where it must give exactly one");
  return only;
}

}  // namespace portico::jq
