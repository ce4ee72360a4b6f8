#include "dataplane/event/clock.h"

#include <chrono>

namespace portico::event {

base::MonotonicTime ReadMonotonicClock() {
  return base::MonotonicTime(
      std::chrono::duration_cast<base::Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

base::WallTime ReadWallClock() {
  return base::WallTime(
      std::chrono::duration_cast<base::Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

}  // namespace portico::event
