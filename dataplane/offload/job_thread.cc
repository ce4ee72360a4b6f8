#include "dataplane/offload/job_thread.h"

namespace portico::offload {

JobThread::JobThread(const std::string& name, base::Poster& loop, size_t waiting_max)
    : loop_(loop), queue_(waiting_max), thread_(name, [this] { Run(); }) {}

JobThread::~JobThread() {
  alive_.reset();
  ending_ = true;
  queue_.Close();
}

bool JobThread::TryRunJob(Job job) {
  return queue_.TryPush(job);
}

void JobThread::Run() {
  for (;;) {
    auto taken = queue_.TakeAll();
    for (Job& job : taken.values) {
      if (ending_) return;
      job.work();
      job.work = nullptr;  // what it holds must not die on the loop
      loop_.Post([owner = owner_, done = std::move(job.done)] {
        if (!owner.expired()) done();
      });
    }
    if (taken.closed) return;
  }
}

}  // namespace portico::offload
