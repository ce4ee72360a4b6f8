#ifndef PORTICO_DATAPLANE_SHARED_BOUNDED_QUEUE_H_
#define PORTICO_DATAPLANE_SHARED_BOUNDED_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <utility>

#include "dataplane/shared/mutex.h"

namespace portico::shared {

// Values from any thread for one thread that blocks for them. A producer never waits: when the queue is full it is
// told so and keeps the value.
//
//   producer:  if (!queue.TryPush(value)) count it as dropped;
//   consumer:  for (;;) { auto taken = queue.TakeAll(); ...; if (taken.closed) break; }
//   owner:     queue.Close(), then join the consumer.
template <typename T>
class BoundedQueue {
 public:
  struct Taken {
    std::deque<T> values;
    bool noted;   // Note() was called since the last take
    bool closed;  // nothing will follow
  };

  explicit BoundedQueue(size_t values_max) : values_max_(values_max) {}

  // Any thread. False: full or closed; `value` is untouched.
  [[nodiscard]] bool TryPush(T& value) PORTICO_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (closed_ || values_.size() >= values_max_) return false;
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

  const size_t values_max_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<T> values_ PORTICO_GUARDED_BY(mutex_);
  bool noted_ PORTICO_GUARDED_BY(mutex_) = false;
  bool closed_ PORTICO_GUARDED_BY(mutex_) = false;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_BOUNDED_QUEUE_H_
