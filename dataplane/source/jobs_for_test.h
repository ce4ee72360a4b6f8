#ifndef PORTICO_DATAPLANE_SOURCE_JOBS_FOR_TEST_H_
#define PORTICO_DATAPLANE_SOURCE_JOBS_FOR_TEST_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "api/base/text.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/base/time.h"
#include "dataplane/event/loop.h"
#include "dataplane/observe/process_log.h"
#include "dataplane/shared/bounded_queue.h"

// What stands on a loop and on threads that work for it. For tests only.

namespace portico::source::for_test {

// A loop whose time the test makes, and that jobs on other threads reach: they take what they take, and no time passes
// meanwhile.
class JobLoop final : public event::Loop {
 public:
  JobLoop() { BeginTurn(base::MonotonicTime(std::chrono::seconds(1))); }
  ~JobLoop() override { RunDeletions(); }

  void Post(std::function<void()> task) override { EXPECT_TRUE(tasks_.TryPush(task)); }
  base::WallTime WallNow() const override { return base::WallTime(Now().time_since_epoch()); }

  // What was posted by now, and the end of the turn.
  void Turn() {
    tasks_.Note();
    RunTasks();
  }
  // Until `done`, which the end of some job brings about; the time limit of the test is the deadline.
  void RunUntil(const std::function<bool()>& done) {
    for (Turn(); !done();)
      RunTasks();
  }
  // What other threads, or this one, have posted and was run.
  size_t tasks_run() const { return tasks_run_; }
  // From expiry to expiry, as a real loop would wake up, with `after` after each. What jobs bring meanwhile waits.
  void Pass(base::Duration time, const std::function<void()>& after = [] {}) {
    EndTurn();
    const base::MonotonicTime end = Now() + time;
    while (Now() < end) {
      const auto next = timers().NextExpiry();
      BeginTurn(next && *next > Now() && *next < end ? *next : end);
      EndTurn();
      after();
    }
  }

 private:
  void RunTasks() {
    for (const std::function<void()>& task : tasks_.TakeAll().values) {
      task();
      ++tasks_run_;
    }
    EndTurn();
  }

  shared::BoundedQueue<std::function<void()>> tasks_{1000};
  size_t tasks_run_ = 0;
};

// A process log that is read.
class LogText {
 public:
  observe::ProcessLog& log() { return log_; }
  // What was written since it was read last, without the times: "warning …\ninfo …\n".
  std::string Take() {
    const std::string text = Rest();
    std::string lines;
    for (const std::string_view line : base::Split(text, '\n'))
      if (const size_t space = line.find(' '); space != std::string_view::npos)
        base::AppendTo(lines, base::Concat(line.substr(space + 1), "\n"));
    return lines;
  }

 private:
  std::string Rest() {
    std::string text(1 << 20, '\0');
    const ssize_t size = pread(file_.get(), text.data(), text.size(), static_cast<off_t>(read_));
    EXPECT_GE(size, 0);
    text.resize(static_cast<size_t>(size));
    read_ += text.size();
    return text;
  }

  base::FileDescriptor file_{memfd_create("log", MFD_CLOEXEC)};
  size_t read_ = 0;
  observe::ProcessLog log_{file_.get(), [] { return base::WallTime(); }};
};

}  // namespace portico::source::for_test

#endif  // PORTICO_DATAPLANE_SOURCE_JOBS_FOR_TEST_H_
