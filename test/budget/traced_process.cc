#include "test/budget/traced_process.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "api/base/check.h"

namespace portico::test {
namespace {

pid_t Start(const std::function<void()>& body) {
  const pid_t process = fork();
  PORTICO_CHECK(process >= 0, "no process left");
  if (process > 0) return process;
  PORTICO_CHECK(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0, "ptrace is not permitted");
  raise(SIGSTOP);
  body();
  _exit(1);
}

bool IsEpollWait(long number) {
  return number == SYS_epoll_wait || number == SYS_epoll_pwait || number == SYS_epoll_pwait2;
}

}  // namespace

TracedProcess::TracedProcess(std::function<void()> body) : process_(Start(body)) {}

TracedProcess::~TracedProcess() {
  PORTICO_CHECK(dead_, "Kill it, and Trace to its end");
}

void TracedProcess::Kill() {
  kill(process_, SIGKILL);
}

void TracedProcess::Trace() {
  int status = 0;
  PORTICO_CHECK(waitpid(process_, &status, 0) == process_ && WIFSTOPPED(status));
  PORTICO_CHECK(ptrace(PTRACE_SETOPTIONS, process_, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
  int signal_to_pass = 0;
  while (ptrace(PTRACE_SYSCALL, process_, nullptr, signal_to_pass) == 0 && waitpid(process_, &status, 0) == process_ &&
         WIFSTOPPED(status)) {
    signal_to_pass = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
    if (signal_to_pass != 0) continue;
    struct __ptrace_syscall_info info = {};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, process_, sizeof info, &info) <= 0) break;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
      OnCall(static_cast<long>(info.entry.nr), static_cast<int>(info.entry.args[3]));
    } else {
      OnReturn();
    }
  }
  if (WIFSTOPPED(status)) {  // it was killed between two of our calls
    while (waitpid(process_, &status, 0) == process_ && WIFSTOPPED(status)) {
    }
  }
  const std::lock_guard lock(mutex_);
  dead_ = true;
  changed_.notify_all();
}

void TracedProcess::OnCall(long number, long timeout) {
  const std::lock_guard lock(mutex_);
  if (!IsEpollWait(number)) {
    ++counted_.calls[number];
    return;
  }
  ++counted_.waits;
  idle_ = timeout != 0;
  if (idle_) changed_.notify_all();
}

void TracedProcess::OnReturn() {
  const std::lock_guard lock(mutex_);
  idle_ = false;
}

TracedProcess::Counted TracedProcess::CallsWhenIdle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return idle_ || dead_; });
  return dead_ ? Counted() : counted_;
}

}  // namespace portico::test
