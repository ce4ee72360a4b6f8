#ifndef PORTICO_CONTROLPLANE_NORTH_WRITER_H_
#define PORTICO_CONTROLPLANE_NORTH_WRITER_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace portico::north {

// The thread that waits for the disk, so that none of gRPC's does. Tasks run one after the other.
class Writer {
 public:
  static constexpr size_t kTasksMax = 1000;

  Writer();
  ~Writer() { End(); }

  // Runs what waits, then ends: what the tasks use may go afterwards. Again is nothing. Not from a task.
  void End();

  // False: too many wait, or it has ended; `task` is dropped.
  bool Post(std::function<void()> task);

 private:
  void Run();

  absl::Mutex mutex_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_WRITER_H_
