#ifndef PORTICO_DATAPLANE_SHARED_BOUNDED_QUEUE_H_
#define PORTICO_DATAPLANE_SHARED_BOUNDED_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <utility>

#include "dataplane/shared/mutex.h"

namespace portico::shared {

// The bound is a number of values.
struct OneEach {
  size_t operator()(const auto&) const { return 1; }
};

// Values from any thread for one thread that blocks for them. A producer never waits: when the queue is full it is
// told so and keeps the value.
//
//   producer:  if (!queue.TryPush(value)) count it as dropped;
//   consumer:  for (;;) { auto taken = queue.TakeAll(); ...; if (taken.closed) break; }
//   owner:     queue.Close(), then join the consumer.
//
// The bound is on the sum of Cost(value) over what waits: by default how many there are, else for example their bytes.
// What TakeAll gave is no longer counted, so that up to twice the bound may be alive.
template <typename T, typename Cost = OneEach>
class BoundedQueue {
 public:
  struct Taken {
    std::deque<T> values;
    bool noted;   // Note() was called since the last take
    bool closed;  // nothing will follow
  };

  explicit BoundedQueue(size_t cost_max) : cost_max_(cost_max) {}

  // Any thread. False: full or closed; `value` is untouched. One that costs more than the bound never gets in.
  [[nodiscard]] bool TryPush(T& value) PORTICO_EXCLUDES(mutex_) {
    const size_t cost = Cost()(value);
    {
      MutexLock lock(mutex_);
      if (closed_ || cost > cost_max_ - cost_) return false;
      cost_ += cost;
      values_.push_back(std::move(value));
    }
    changed_.notify_one();
    return true;
  }

  // Any thread. A word to the consumer that is never refused; several become one.
  void Note() PORTICO_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      noted_ = true;
    }
    changed_.notify_one();
  }

  void Close() PORTICO_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      closed_ = true;
    }
    changed_.notify_one();
  }

  // Consumer. Waits for values, a note or the end.
  Taken TakeAll() PORTICO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    Waiting waiting{mutex_};
    while (values_.empty() && !noted_ && !closed_)
      changed_.wait(waiting);
    cost_ = 0;
    return {std::exchange(values_, {}), std::exchange(noted_, false), closed_};
  }

 private:
  // What condition_variable_any gives back and takes again while it waits. The analysis can't follow that; to it the
  // lock is held throughout, which is true before and after.
  struct Waiting {
    Mutex& mutex;
    void lock() __attribute__((no_thread_safety_analysis)) { mutex.Lock(); }
    void unlock() __attribute__((no_thread_safety_analysis)) { mutex.Unlock(); }
  };

  const size_t cost_max_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<T> values_ PORTICO_GUARDED_BY(mutex_);
  size_t cost_ PORTICO_GUARDED_BY(mutex_) = 0;
  bool noted_ PORTICO_GUARDED_BY(mutex_) = false;
  bool closed_ PORTICO_GUARDED_BY(mutex_) = false;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_BOUNDED_QUEUE_H_
