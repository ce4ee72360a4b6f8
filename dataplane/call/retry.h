#ifndef PORTICO_DATAPLANE_CALL_RETRY_H_
#define PORTICO_DATAPLANE_CALL_RETRY_H_

#include <cstddef>
#include <memory>
#include <optional>

#include "dataplane/base/byte_budget.h"
#include "dataplane/base/random.h"
#include "dataplane/base/time.h"
#include "dataplane/route/retry.h"

namespace portico::call {

// How much content of requests one worker keeps for another attempt, of all calls together. Who finds no room is sent
// once.
class ReplayBudget : public base::ByteBudget {
 public:
  // A thousand uploads at the default of a rule, or 64 at its bound.
  static constexpr size_t kBytesMax = 64 << 20;

  explicit ReplayBudget(size_t bytes_max = kBytesMax) : base::ByteBudget(bytes_max) {}
};

// What a call needs to be tried again. What is pointed to is the worker's, and outlives the call.
struct Retry {
  std::shared_ptr<const route::RetryPlan> plan;
  base::Random* random = nullptr;         // for the jitter
  ReplayBudget* replay_budget = nullptr;  // nullptr: no bound but the plan's
  // Of the whole exchange: an attempt that would begin after it is not made.
  std::optional<base::MonotonicTime> deadline;
};

}  // namespace portico::call

#endif  // PORTICO_DATAPLANE_CALL_RETRY_H_
