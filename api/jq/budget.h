#ifndef PORTICO_API_JQ_BUDGET_H_
#define PORTICO_API_JQ_BUDGET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "api/base/arena.h"
#include "api/base/json.h"
#include "api/jq/evaluate.h"

namespace portico::jq {

// What one evaluation may still use, and how it failed. Everything that loops spends, everything that makes a value
// goes through here, so no limit can be walked around. After a failure callers return at once.
class Budget {
 public:
  Budget(base::Arena& arena, const EvaluateLimits& limits);
  ~Budget();
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // False: the fuel is used up.
  bool Spend(uint64_t steps = 1);
  // Before taking `bytes` from the arena or the heap.
  bool Reserve(size_t bytes);

  std::optional<base::Json> MakeArray(std::span<const base::Json> items);
  std::optional<base::Json> MakeObject(std::span<const base::JsonMember> members);
  std::optional<base::Json> MakeString(std::string_view text);  // a copy

  // An error of the program's own, which `?` catches. Always nullopt, to return.
  std::nullopt_t Raise(std::string_view message);
  // A limit, which nothing catches.
  std::nullopt_t Exhaust(std::string_view name);

  bool failed() const { return failed_; }
  bool caught() const { return failed_ && status_.code() == absl::StatusCode::kInvalidArgument; }
  void Forgive();  // after caught()
  const absl::Status& status() const { return status_; }

  const EvaluateLimits& limits() const { return limits_; }

 private:
  base::Arena& arena_;
  const EvaluateLimits& limits_;
  const size_t arena_start_;
  const size_t depth_max_;
  const uint64_t fuel_start_;
  uint64_t fuel_;
  bool failed_ = false;
  absl::Status status_;
};

}  // namespace portico::jq

#endif  // PORTICO_API_JQ_BUDGET_H_
