#ifndef PORTICO_API_JQ_MACHINE_H_
#define PORTICO_API_JQ_MACHINE_H_

#include <optional>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "api/base/json.h"
#include "api/jq/budget.h"
#include "api/jq/tree.h"

namespace portico::jq {

// One evaluation of a tree. A generator hands each output to a callback, which runs what comes next on top of its
// stack; when that returns, the generator goes on: jq's backtracking, without a stack of fork points. A node that has
// exactly one output (Node::single) is a plain call instead. The parser bounds how deep either can get (Node::cost).
class Machine {
 public:
  // What the receiver of an output says, and what a generator returns.
  enum class Flow {
    kNext,  // more, please; or: that was all
    kStop,  // enough: return as fast as possible, without an error
    kFail,  // the budget says why
  };
  using Emit = absl::FunctionRef<Flow(const base::Json&)>;

  Machine(const Tree& tree, Budget& budget) : budget_(budget), slots_(tree.slots) {}

  void Set(uint32_t slot, const base::Json& value) { slots_[slot] = value; }

  Flow Each(const Node& node, const base::Json& input, Emit emit);

 private:
  using Values = std::vector<base::Json>;
  enum class Order { kFirstOutermost, kLastOutermost, kSlice };

  // Only for node.single. nullopt: failed.
  std::optional<base::Json> One(const Node& node, const base::Json& input);
  std::optional<base::Json> OneObject(const Node& node, const base::Json& input);
  std::optional<base::Json> OneCall(const Node& node, const base::Json& input);
  std::optional<base::Json> OneLogical(const Node& node, const base::Json& input);
  std::optional<base::Json> Collect(const Node& body, const base::Json& input);
  std::optional<base::Json> Fold(const Node& node, const base::Json& input, const base::Json& init);
  std::optional<base::Json> AnyOrAll(const Node& node, const base::Json& input);
  std::optional<base::Json> Keyed(const Node& node, const base::Json& input);
  std::optional<base::Json> Last(const Node& node, const base::Json& input);

  // The value of an operator-like node from the values of its parts.
  std::optional<base::Json> Combine(const Node& node, const base::Json& input, std::span<const base::Json> values);
  std::optional<base::Json> MakeText(std::span<const base::Json> values);

  Flow EachPiped(std::span<const Node* const> parts, const base::Json& input, Emit emit);
  Flow EachCombined(const Node& node, const base::Json& input, Emit emit);
  Flow EachElement(const Node& node, const base::Json& value, Emit emit);
  Flow EachMember(const Node& node, size_t done, std::vector<base::JsonMember>& members, const base::Json& input,
                  Emit emit);
  Flow EachLogical(const Node& node, const base::Json& input, Emit emit);
  Flow EachAlternative(const Node& node, const base::Json& input, Emit emit);
  Flow EachCaught(const Node& node, const base::Json& input, Emit emit);
  Flow EachCall(const Node& node, const base::Json& input, Emit emit);
  Flow EachFirst(const Node& node, const base::Json& input, Emit emit);
  Flow EachInRange(std::span<const base::Json> bounds, Emit emit);
  // All combinations of the parts' outputs.
  Flow Product(std::span<const Node* const> parts, Order order, size_t done, Values& values, const base::Json& input,
               absl::FunctionRef<Flow(std::span<const base::Json>)> emit);

  // Emits a value, or drops an error that the node's own `?` catches.
  Flow EmitStep(const Node& node, const std::optional<base::Json>& value, Emit emit);
  bool CheckKey(const base::Json& key);

  Budget& budget_;
  Values slots_;
};

}  // namespace portico::jq

#endif  // PORTICO_API_JQ_MACHINE_H_
