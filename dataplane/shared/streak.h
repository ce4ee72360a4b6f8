#ifndef PORTICO_DATAPLANE_SHARED_STREAK_H_
#define PORTICO_DATAPLANE_SHARED_STREAK_H_

#include <atomic>
#include <cstdint>

#include "dataplane/base/time.h"

namespace portico::shared {

// Failures in a row, as several threads see them. Relaxed order: nothing is published through it, and which of two
// threads came first is nobody's matter.
class Streak {
 public:
  Streak() = default;
  Streak(const Streak&) = delete;
  Streak& operator=(const Streak&) = delete;

  // One more. True for whoever makes it `length` long; the next one is the first of a new streak.
  bool Fail(uint32_t length) {
    uint32_t count = count_.load(std::memory_order_relaxed);
    for (;;) {
      const bool full = count + 1 >= length;
      if (count_.compare_exchange_weak(count, full ? 0 : count + 1, std::memory_order_relaxed)) return full;
    }
  }
  // A success. What succeeds all the time writes nothing, so that no cache line goes from core to core.
  void End() {
    if (count_.load(std::memory_order_relaxed) != 0) count_.store(0, std::memory_order_relaxed);
  }

 private:
  std::atomic<uint32_t> count_ = 0;
};

// A time that one thread sets, or several under a lock, and any reads.
class SharedTime {
 public:
  SharedTime() = default;
  SharedTime(const SharedTime&) = delete;
  SharedTime& operator=(const SharedTime&) = delete;

  void Set(base::MonotonicTime time) { since_.store(time.time_since_epoch().count(), std::memory_order_relaxed); }
  base::MonotonicTime value() const {
    return base::MonotonicTime(base::MonotonicTime::duration(since_.load(std::memory_order_relaxed)));
  }

 private:
  std::atomic<base::MonotonicTime::rep> since_ = 0;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_STREAK_H_
