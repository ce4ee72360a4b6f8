#ifndef PORTICO_DATAPLANE_COMPOSE_BUDGET_H_
#define PORTICO_DATAPLANE_COMPOSE_BUDGET_H_

#include <cstddef>

#include "api/base/check.h"

namespace portico::compose {

// How many bytes all compositions of one worker hold together: contents that are still coming, and what became of them.
// A limit for each composition does not bound a worker, since a slow origin lets any number of them wait at once.
//
//   compose::Budget budget;                                   // the worker's; outlives its compositions
//   CompositionInput{.backends = …, .budget = &budget}
//
// The worker's thread only.
class Budget {
 public:
  // Two compositions at their own limit, or a thousand of an ordinary 256 KiB.
  static constexpr size_t kBytesMax = 256 << 20;

  explicit Budget(size_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}
  ~Budget() { PORTICO_CHECK(bytes_ == 0, "a budget dies under its compositions"); }
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  size_t bytes() const { return bytes_; }
  size_t room() const { return bytes_ < bytes_max_ ? bytes_max_ - bytes_ : 0; }

 private:
  friend class BudgetShare;
  const size_t bytes_max_;
  size_t bytes_ = 0;
};

// What one composition holds of it; given back when it dies. It counts what is held, allowed or not: memory that is
// already taken can't be refused. So whoever grows asks before the next piece, and the budget is exceeded by a piece.
class BudgetShare {
 public:
  explicit BudgetShare(Budget* budget) : budget_(budget) {}  // nullptr: no bound
  ~BudgetShare() { Set(0); }
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;

  void Set(size_t bytes) {
    if (budget_ == nullptr) return;
    budget_->bytes_ += bytes - bytes_;  // unsigned: a smaller share wraps around, and back
    bytes_ = bytes;
  }
  size_t room() const { return budget_ == nullptr ? SIZE_MAX : budget_->room(); }

 private:
  Budget* const budget_;
  size_t bytes_ = 0;
};

}  // namespace portico::compose

#endif  // PORTICO_DATAPLANE_COMPOSE_BUDGET_H_
