#ifndef PORTICO_API_JQ_PROGRAM_H_
#define PORTICO_API_JQ_PROGRAM_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace portico::jq {

struct Tree;

struct CompileLimits {
  size_t program_bytes_max = 64 << 10;  // a whole answer of a composition is a few kB
  size_t nesting_max = 100;             // brackets within brackets while parsing; people write ten
  size_t cost_max = 500;                // levels of the evaluator's stack, all generators of one expression added up
};

// A compiled expression: immutable, shared by threads, needs nothing of the text it came from.
//
//   const std::vector<std::string> names = {"request", "orders"};
//   auto program = Program::Compile("[$orders.body[] | {id}]", names);
//   program->variables_used()        // {"orders"}
//   Evaluate(*program, ...)          // evaluate.h
class Program {
 public:
  // `variables`: the names, without `$`, that may be used. Everything is decided here: syntax, scope, what is
  // supported. The error (kInvalidArgument) reads "line 1, column 7: $ordrs is not defined; did you mean $orders?".
  static absl::StatusOr<Program> Compile(std::string_view text, std::span<const std::string> variables,
                                         const CompileLimits& limits = {});

  // Which of `variables` occur, in their order.
  const std::vector<std::string>& variables_used() const;

  // For the evaluator.
  const Tree& tree() const { return *tree_; }

 private:
  explicit Program(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}

  std::shared_ptr<const Tree> tree_;
};

// The names of all builtins, sorted, for documentation and messages.
std::vector<std::string_view> BuiltinNames();

}  // namespace portico::jq

#endif  // PORTICO_API_JQ_PROGRAM_H_
