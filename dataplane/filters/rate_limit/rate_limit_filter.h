#ifndef PORTICO_DATAPLANE_FILTERS_RATE_LIMIT_RATE_LIMIT_FILTER_H_
#define PORTICO_DATAPLANE_FILTERS_RATE_LIMIT_RATE_LIMIT_FILTER_H_

#include <memory>
#include <utility>

#include "dataplane/filter/filter.h"
#include "dataplane/filters/rate_limit/rate_limit_config.h"

namespace portico::rate_limit {

// Takes a token of each limit's bucket, outermost first; who finds one empty is answered 429 with retry-after, and gets
// back what the limits before it took. It never waits. A request counts once, whatever becomes of it afterwards:
// another attempt, the calls of a composition, a stored response.
//
// What only reports takes and refuses nobody; the access log names the last that would have refused.
//
// Responses say where the caller stands (draft-ietf-httpapi-ratelimit-headers): of the limits here that do not only
// report, the one with the fewest requests left, or the one that refused.
//
//   ratelimit-policy: "per-address";q=100;w=1     100 requests in a second
//   ratelimit: "per-address";r=99;t=1             99 are left now; all of them in a second (r=0: the next in a second)
class RateLimitFilterConfig final : public filter::FilterConfig {
 public:
  // Not nullptr.
  explicit RateLimitFilterConfig(std::shared_ptr<const RateLimitConfig> config) : config_(std::move(config)) {}

  std::unique_ptr<filter::Filter> MakeFilter(filter::WorkerSlots& slots) const override;

 private:
  std::shared_ptr<const RateLimitConfig> config_;
};

}  // namespace portico::rate_limit

#endif  // PORTICO_DATAPLANE_FILTERS_RATE_LIMIT_RATE_LIMIT_FILTER_H_
