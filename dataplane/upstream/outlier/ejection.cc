#include "dataplane/upstream/outlier/ejection.h"

#include "api/base/check.h"

namespace portico::upstream::outlier {

base::Duration EjectionHistory::Eject(base::MonotonicTime now, const EjectionRules& rules) {
  PORTICO_CHECK(!Ejected(now));
  if (times_ > 0) times_ = std::max<int64_t>(0, times_ - (now - until_) / kForgetTime);
  const base::Duration longest = std::max(rules.base_time, rules.max_time);
  base::Duration time = longest;
  // Counted no further than it makes a difference, so that it is forgotten in bounded time and overflows nothing.
  if (times_ < longest / rules.base_time) {
    ++times_;
    time = std::min(longest, rules.base_time * times_);
  }
  until_ = now + time;
  return time;
}

}  // namespace portico::upstream::outlier
