#ifndef PORTICO_API_JQ_EVALUATE_H_
#define PORTICO_API_JQ_EVALUATE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "api/base/arena.h"
#include "api/base/json.h"
#include "api/jq/program.h"

namespace portico::jq {

// The value of a variable, by its name without `$`.
struct Binding {
  std::string_view name;
  base::Json value;
};

// What several evaluations may use together, one after another.
struct Fuel {
  uint64_t left;
};

struct EvaluateLimits {
  uint64_t fuel = 10'000'000;          // steps and elements touched; some 100 ms
  Fuel* shared_fuel = nullptr;         // that is used up as well; outlives the evaluation
  size_t depth_max = 200;              // of any value made; at most base::kJsonDepthMax
  size_t outputs_max = 100'000;        // values
  size_t output_bytes_max = 16 << 20;  // all outputs together as JSON, before escapes
  size_t arena_bytes_max = 64 << 20;   // taken from the arena by this evaluation
};

// Runs `program`. `input` is what `.` means at the start (null in a composition). Results live in `arena` and share
// parts with the bindings' values and the program's literals, which must live as long as they do. Any thread.
//
// Errors: kInvalidArgument with jq's words for what the program raised ("Cannot iterate over null (null)");
// kResourceExhausted for a limit, which no `?` catches; kFailedPrecondition if a variable that is used has no binding.
absl::StatusOr<std::vector<base::Json>> Evaluate(const Program& program, std::span<const Binding> bindings,
                                                 const base::Json& input, base::Arena& arena,
                                                 const EvaluateLimits& limits = {});

// As Evaluate(), for a place that takes exactly one value: none or more are an error (kInvalidArgument).
absl::StatusOr<base::Json> EvaluateOne(const Program& program, std::span<const Binding> bindings,
                                       const base::Json& input, base::Arena& arena, const EvaluateLimits& limits = {});

// As Evaluate(), one output at a time; `output` returns false to stop. What came before an error stays delivered.
absl::Status EvaluateEach(const Program& program, std::span<const Binding> bindings, const base::Json& input,
                          base::Arena& arena, const EvaluateLimits& limits,
                          absl::FunctionRef<bool(const base::Json&)> output);

}  // namespace portico::jq

#endif  // PORTICO_API_JQ_EVALUATE_H_
