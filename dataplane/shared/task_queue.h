#ifndef PORTICO_DATAPLANE_SHARED_TASK_QUEUE_H_
#define PORTICO_DATAPLANE_SHARED_TASK_QUEUE_H_

#include <functional>
#include <utility>
#include <vector>

#include "dataplane/shared/mutex.h"

namespace portico::shared {

// Tasks from any thread for one consumer, who sleeps between them. It knows whether the consumer sleeps, so that a
// wake-up (a system call) is needed once per sleep and never while the consumer is awake.
//
//   producer:  if (queue.Push(task)) wake the consumer;
//   consumer:  if (queue.PrepareToSleep()) wait for a wake-up (or anything else);   then  for (task : queue.TakeAll())
//   …
//
// Not bounded by itself: only our own code posts, and never in proportion to what a peer sends.
class TaskQueue {
 public:
  using Task = std::function<void()>;

  // Any thread. True: the consumer is asleep, or about to be, and nobody has been told to wake it yet.
  [[nodiscard]] bool Push(Task task) PORTICO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    tasks_.push_back(std::move(task));
    return std::exchange(asleep_, false);
  }

  // Consumer. False: there is something to do, do not sleep.
  [[nodiscard]] bool PrepareToSleep() PORTICO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    asleep_ = tasks_.empty();
    return asleep_;
  }

  // Consumer. All tasks, in the order in which each thread pushed them; marks the consumer as awake.
  std::vector<Task> TakeAll() PORTICO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    asleep_ = false;
    return std::exchange(tasks_, {});
  }

 private:
  Mutex mutex_;
  std::vector<Task> tasks_ PORTICO_GUARDED_BY(mutex_);
  bool asleep_ PORTICO_GUARDED_BY(mutex_) = false;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_TASK_QUEUE_H_
