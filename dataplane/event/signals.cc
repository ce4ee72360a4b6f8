#include "dataplane/event/signals.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/base/check.h"

namespace portico::event {

namespace {

int BlockAndOpen(const std::vector<int>& numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (int number : numbers)
    PORTICO_CHECK(sigaddset(&set, number) == 0);
  PORTICO_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

}  // namespace

SignalWatch::SignalWatch(LibeventLoop& loop, const std::vector<int>& numbers, Handler& handler)
    : handler_(handler), fd_(BlockAndOpen(numbers)), event_(loop, *this) {
  PORTICO_CHECK(fd_.valid() && event_.Watch(fd_.get(), FdEvent::Interest::kReadable), "no descriptor left");
}

void SignalWatch::OnFdEvent(FdReadiness ready) {
  struct signalfd_siginfo information;
  while (::read(fd_.get(), &information, sizeof information) == sizeof information)
    handler_.OnSignal(static_cast<int>(information.ssi_signo));
}

}  // namespace portico::event
