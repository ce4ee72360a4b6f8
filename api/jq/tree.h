#ifndef PORTICO_API_JQ_TREE_H_
#define PORTICO_API_JQ_TREE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/base/arena.h"
#include "api/base/json.h"
#include "re2/re2.h"

// The compiled form: what the parser makes and the evaluator walks. Nodes live in the tree's arena, so freeing one is
// no recursion, and never change once the parser is done.

namespace portico::jq {

enum class Kind : uint8_t {
  kIdentity,     // .
  kLiteral,      // literal
  kVariable,     // slot
  kIndex,        // parts: target, key; optional
  kSlice,        // parts: target, from, to; optional
  kIterate,      // parts: target; optional
  kPipe,         // parts, first to last
  kComma,        // parts, first to last
  kArray,        // parts: body, or none
  kObject,       // parts: key, value, key, value, ...
  kText,         // parts of an interpolated string
  kOperator,     // parts: left, right
  kAnd,          // parts: left, right
  kOr,           // parts: left, right
  kAlternative,  // parts: left, right
  kNegate,       // parts: operand
  kIf,           // parts: condition, then, else
  kTry,          // parts: body
  kReduce,       // parts: source, init, update; slot
  kBind,         // parts: source, body; slot
  kCall,         // parts: arguments
};

enum class Operator : uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kRemainder,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
};

enum class Function : uint8_t {
  kNone,
  kAdd,
  kAll,
  kAny,
  kContains,
  kEmpty,
  kFirst,
  kFlatten,
  kFromEntries,
  kGroupBy,
  kHas,
  kInside,
  kJoin,
  kKeys,
  kLast,
  kLength,
  kLtrimstr,
  kMaxBy,
  kMinBy,
  kNot,
  kRange,
  kRtrimstr,
  kSortBy,
  kSplit,
  kTest,
  kToEntries,
  kTonumber,
  kTostring,
  kUniqueBy,
};

struct Node {
  Kind kind = Kind::kIdentity;
  Operator op = Operator::kAdd;
  Function function = Function::kNone;
  bool optional = false;  // `?` after a step of a path: its own errors are no output
  bool single = false;    // exactly one output or an error, so it is evaluated by a plain call
  uint32_t cost = 1;      // levels of stack that an evaluation takes at most
  uint32_t slot = 0;
  base::Json literal = {};
  const re2::RE2* pattern = nullptr;  // of a test() whose pattern is a literal
  std::span<const Node* const> parts = {};
};

struct Tree {
  base::Arena arena{1024};
  const Node* root = nullptr;
  std::vector<std::string> variables;  // allowed; the first slots, in this order
  std::vector<bool> variable_is_used;  // beside `variables`
  std::vector<std::string> variables_used;
  uint32_t slots = 0;
  std::vector<std::unique_ptr<re2::RE2>> patterns;
};

}  // namespace portico::jq

#endif  // PORTICO_API_JQ_TREE_H_
