#ifndef PORTICO_DATAPLANE_UPSTREAM_OUTLIER_EJECTION_H_
#define PORTICO_DATAPLANE_UPSTREAM_OUTLIER_EJECTION_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/time.h"

namespace portico::upstream::outlier {

// When an endpoint that fails while it serves is left alone, and for how long.
struct EjectionRules {
  uint32_t consecutive_failures = 5;
  base::Duration base_time = std::chrono::seconds(30);  // the first time; as long again with each further one
  base::Duration max_time = std::chrono::minutes(5);
  uint32_t max_ejected_percent = 50;

  bool operator==(const EjectionRules&) const = default;
};

// How many of so many endpoints with a weight may be ejected at once, by number and not by weight: the share rounded
// down, but one if there are two or more, and never all. None of a share of 0.
constexpr size_t EjectedMax(size_t endpoints, uint32_t percent) {
  if (endpoints < 2 || percent == 0) return 0;
  return std::clamp<size_t>(endpoints * percent / 100, 1, endpoints - 1);
}

// One endpoint's ejections, one after another. Pure: the time is an argument and never goes back.
//
//   serves ──Eject──▶ ejected, until()
//      ▲                 │ the time is over
//      └─────────────────┘ each kForgetTime of serving forgets one ejection, as Envoy's does at each of its intervals
class EjectionHistory {
 public:
  static constexpr base::Duration kForgetTime = std::chrono::seconds(10);

  bool Ejected(base::MonotonicTime now) const { return now < until_; }
  // From now on; it serves now. How long: the base time for each ejection that is not forgotten, this one among them,
  // at most the maximum (and the base time, if somebody wrote a maximum below it).
  base::Duration Eject(base::MonotonicTime now, const EjectionRules& rules);
  base::MonotonicTime until() const { return until_; }

 private:
  base::MonotonicTime until_{};
  int64_t times_ = 0;  // as of until_
};

}  // namespace portico::upstream::outlier

#endif  // PORTICO_DATAPLANE_UPSTREAM_OUTLIER_EJECTION_H_
