#include "dataplane/export/countdown.h"

#include <sys/timerfd.h>

#include "api/base/check.h"

namespace portico::exporting {

Countdown::Countdown() : fd_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  PORTICO_CHECK(fd_.valid(), "no descriptor left for a timerfd");
}

void Countdown::Start(base::Duration duration) {
  PORTICO_CHECK(duration > base::Duration(0), "zero would stop the timerfd");
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration);
  struct itimerspec setting = {};
  setting.it_value.tv_sec = seconds.count();
  setting.it_value.tv_nsec = std::chrono::nanoseconds(duration - seconds).count();
  PORTICO_CHECK(timerfd_settime(fd_.get(), 0, &setting, nullptr) == 0);
}

bool Countdown::running() const {
  struct itimerspec left = {};
  PORTICO_CHECK(timerfd_gettime(fd_.get(), &left) == 0);
  return left.it_value.tv_sec != 0 || left.it_value.tv_nsec != 0;
}

}  // namespace portico::exporting
