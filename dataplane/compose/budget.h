#ifndef PORTICO_DATAPLANE_COMPOSE_BUDGET_H_
#define PORTICO_DATAPLANE_COMPOSE_BUDGET_H_

#include <cstddef>

#include "dataplane/base/byte_budget.h"

namespace portico::compose {

// How many bytes all compositions of one worker hold together: contents that are still coming, and what became of them.
// A limit for each composition does not bound a worker, since a slow origin lets any number of them wait at once.
//
//   compose::Budget budget;                                   // the worker's; outlives its compositions
//   CompositionInput{.backends = …, .budget = &budget}
class Budget : public base::ByteBudget {
 public:
  // Two compositions at their own limit, or a thousand of an ordinary 256 KiB.
  static constexpr size_t kBytesMax = 256 << 20;

  explicit Budget(size_t bytes_max = kBytesMax) : base::ByteBudget(bytes_max) {}
};

using BudgetShare = base::ByteShare;

}  // namespace portico::compose

#endif  // PORTICO_DATAPLANE_COMPOSE_BUDGET_H_
