#ifndef PORTICO_TEST_BUDGET_TRACED_PROCESS_H_
#define PORTICO_TEST_BUDGET_TRACED_PROCESS_H_

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

namespace portico::test {

// A child process whose every system call is seen by ptrace(2), so that nothing in the code under test has to be
// trusted to count. Only its first thread is watched.
//
//   TracedProcess child([] { …never returns… });         // forks: before the caller has threads
//   std::thread peer([&] { …talk to it…; auto before = child.CallsWhenIdle(); … });
//   child.Trace();                                       // on the thread that made it, until the child is dead
//
// Kill() ends it, from any thread.
class TracedProcess {
 public:
  using Calls = std::map<long, uint64_t>;  // by number (SYS_…)
  struct Counted {
    Calls calls;         // all but
    uint64_t waits = 0;  // asking epoll what there is to do, with or without sleep
  };

  explicit TracedProcess(std::function<void()> body);
  ~TracedProcess();
  TracedProcess(const TracedProcess&) = delete;
  TracedProcess& operator=(const TracedProcess&) = delete;

  void Trace();
  // Waits until it sleeps in epoll; then what it has called so far. Empty if it is dead.
  Counted CallsWhenIdle();
  void Kill();

 private:
  void OnCall(long number, long timeout);
  void OnReturn();

  const pid_t process_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Counted counted_;
  bool idle_ = false;
  bool dead_ = false;
};

}  // namespace portico::test

#endif  // PORTICO_TEST_BUDGET_TRACED_PROCESS_H_
