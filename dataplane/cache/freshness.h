#ifndef PORTICO_DATAPLANE_CACHE_FRESHNESS_H_
#define PORTICO_DATAPLANE_CACHE_FRESHNESS_H_

#include <algorithm>
#include <optional>

#include "dataplane/base/time.h"
#include "dataplane/cache/cache_control.h"
#include "dataplane/http/fields.h"

namespace portico::cache {

// RFC 9111 section 4.2. Time by argument: dates are compared with the wall clock, what has passed here is counted by
// the monotonic one, which nobody sets back.

struct ExchangeTimes {
  base::MonotonicTime asked;     // when the origin was asked
  base::MonotonicTime answered;  // when its response's head came
  base::WallTime answered_wall;
};

// How long a response is fresh, by what it says itself: s-maxage, else max-age, else expires less date. Zero for what
// can't be read, and for an `expires` that is no date. nullopt: it says nothing.
std::optional<base::Duration> ExplicitLifetime(const http::Fields& fields, const CacheControl& control,
                                               base::WallTime answered);

// corrected_initial_age of section 4.2.3. An `age` that is not one number, or a second `date`, makes it older than any
// lifetime: in doubt it is stale.
base::Duration InitialAge(const http::Fields& fields, const ExchangeTimes& times);

// current_age: what it was when it came, and what has passed since. Another thread's turn may have begun before it
// came.
inline base::Duration CurrentAge(base::Duration initial_age, base::MonotonicTime answered, base::MonotonicTime now) {
  return initial_age + std::max(base::Duration(0), base::Duration(now - answered));
}

// The wall clock's time of `date`, or of the answer, where there is none or it can't be read.
base::WallTime DateOf(const http::Fields& fields, base::WallTime answered);

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_FRESHNESS_H_
