#include "dataplane/shared/retry_budget.h"

#include <chrono>

namespace portico::shared {

// Loops may disagree by a turn about the time: who comes late to a cell that has been begun anew counts nowhere.
void RetryBudget::Counts::Add(uint32_t second) {
  std::atomic<uint64_t>& cell = cells_[second % kSeconds];
  uint64_t seen = cell.load(std::memory_order_relaxed);
  for (;;) {
    const uint64_t its_second = seen >> 32;
    if (its_second > second) return;
    const uint64_t next = its_second == second ? seen + 1 : (uint64_t{second} << 32) + 1;
    if (cell.compare_exchange_weak(seen, next, std::memory_order_relaxed)) return;
  }
}

uint64_t RetryBudget::Counts::In(uint32_t second) const {
  const uint64_t cell = cells_[second % kSeconds].load(std::memory_order_relaxed);
  return cell >> 32 == second ? cell & UINT32_MAX : 0;
}

uint64_t RetryBudget::Counts::UpTo(uint32_t second) const {
  uint64_t sum = 0;
  for (uint32_t before = 0; before < kSeconds && before <= second; ++before)
    sum += In(second - before);
  return sum;
}

uint32_t RetryBudget::SecondOf(base::MonotonicTime now) {
  return static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
}

bool RetryBudget::TryTake(const RetryConstraint& constraint, base::MonotonicTime now) {
  const uint32_t second = SecondOf(now);
  MutexLock lock(mutex_);
  const bool allowed = retries_.In(second) < constraint.per_second_min ||
                       (retries_.UpTo(second) + 1) * 100 <= requests_.UpTo(second) * constraint.percent;
  if (allowed) retries_.Add(second);
  return allowed;
}

}  // namespace portico::shared
