#ifndef PORTICO_DATAPLANE_OFFLOAD_JOB_THREAD_H_
#define PORTICO_DATAPLANE_OFFLOAD_JOB_THREAD_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "dataplane/base/poster.h"
#include "dataplane/shared/bounded_queue.h"
#include "dataplane/shared/thread.h"

namespace portico::offload {

// A thread for work that is too long for a loop: one job after another, each result back on the loop.
//
//   JobThread jobs("portico-build", loop, /*waiting_max=*/4);
//   if (!jobs.TryRun<Candidate>([path] { return Build(path); }, [this](Candidate built) { OnBuilt(std::move(built));
//   }))
//     … too much waits already …
//
// It belongs to the loop's thread: made, asked and destroyed there. `work` runs on the job's thread and may touch only
// what nobody else does; it and what it holds die there. `done` runs on the loop, unless the JobThread is gone by then,
// and may destroy it.
class JobThread {
 public:
  // `name` has at most 15 bytes. The loop outlives it. `waiting_max` jobs may wait beside those that are under way.
  JobThread(const std::string& name, base::Poster& loop, size_t waiting_max);
  // Waits for the job under way; drops those that wait and every result.
  ~JobThread();
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  // False: too many wait; neither function is called.
  template <typename Result>
  [[nodiscard]] bool TryRun(std::function<Result()> work, std::function<void(Result)> done) {
    auto result = std::make_shared<std::optional<Result>>();
    return TryRunJob({[result, work = std::move(work)] { result->emplace(work()); },
                      [result, done = std::move(done)] { done(*std::move(*result)); }});
  }

 private:
  struct Job {
    std::function<void()> work;
    std::function<void()> done;
  };

  bool TryRunJob(Job job);
  void Run();

  base::Poster& loop_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // results look if it is there still
  std::weak_ptr<const bool> owner_ = alive_;                                // for the thread, which never renews it
  shared::BoundedQueue<Job> queue_;
  std::atomic<bool> ending_ = false;
  shared::Thread thread_;
};

}  // namespace portico::offload

#endif  // PORTICO_DATAPLANE_OFFLOAD_JOB_THREAD_H_
