#include "controlplane/north/writer.h"

#include <utility>

namespace portico::north {

Writer::Writer() : thread_([this] { Run(); }) {}

void Writer::End() {
  {
    absl::MutexLock lock(&mutex_);
    ends_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

bool Writer::Post(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  if (ends_ || tasks_.size() == kTasksMax) return false;
  tasks_.push_back(std::move(task));
  return true;
}

void Writer::Run() {
  while (true) {
    std::function<void()> task;
    {
      absl::MutexLock lock(&mutex_);
      const auto is_awake = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ends_ || !tasks_.empty(); };
      mutex_.Await(absl::Condition(&is_awake));
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace portico::north
