#ifndef PORTICO_DATAPLANE_BASE_TIME_H_
#define PORTICO_DATAPLANE_BASE_TIME_H_

#include <chrono>
#include <cstdint>

// Time as the proxy sees it: always handed in, never read from a clock here. event/ reads the real clocks, the
// simulation invents them.

namespace portico::base {

using Duration = std::chrono::microseconds;

// Never goes backwards; its zero means nothing. For deadlines and durations.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
using MonotonicTime = MonotonicClock::time_point;

// Microseconds since 1970-01-01T00:00:00Z. For dates in tokens, certificates and logs; it may jump.
struct WallClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WallClock>;
  static constexpr bool is_steady = false;
};
using WallTime = WallClock::time_point;

}  // namespace portico::base

#endif  // PORTICO_DATAPLANE_BASE_TIME_H_
