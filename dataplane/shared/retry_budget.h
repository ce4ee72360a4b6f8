#ifndef PORTICO_DATAPLANE_SHARED_RETRY_BUDGET_H_
#define PORTICO_DATAPLANE_SHARED_RETRY_BUDGET_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/time.h"
#include "dataplane/shared/mutex.h"

namespace portico::shared {

// `retryConstraint` of a Cluster (Gateway API GEP-3388), with its defaults.
struct RetryConstraint {
  uint32_t percent = 20;         // of the requests of the last 10 s
  uint32_t per_second_min = 10;  // so many in any case
};

// How many of a cluster's requests may be retries, in all workers together, so that an origin in trouble is not given
// more of it. Requests and retries are counted by the second; it reads no clock. Any thread.
//
//   budget.CountRequest(now);                             // each that may be retried, once: an atomic operation
//   if (budget.TryTake(config.retry_constraint, now)) …   // send it again
class RetryBudget {
 public:
  static constexpr uint32_t kSeconds = 10;

  void CountRequest(base::MonotonicTime now) { requests_.Add(SecondOf(now)); }
  // A retry more in this second, or in the last 10, is within the constraint; then it is counted.
  bool TryTake(const RetryConstraint& constraint, base::MonotonicTime now) PORTICO_EXCLUDES(mutex_);

 private:
  // Counts of the last seconds: in each cell a second (upper half) with its count. A cell is begun anew by the first
  // that comes in its next second.
  class Counts {
   public:
    void Add(uint32_t second);
    uint64_t In(uint32_t second) const;    // that second alone
    uint64_t UpTo(uint32_t second) const;  // with those before, kSeconds in all

   private:
    std::array<std::atomic<uint64_t>, kSeconds> cells_{};
  };

  static uint32_t SecondOf(base::MonotonicTime now);

  Counts requests_;
  Mutex mutex_;  // one retry is judged after another, so never more than allowed
  Counts retries_ PORTICO_GUARDED_BY(mutex_);
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_RETRY_BUDGET_H_
