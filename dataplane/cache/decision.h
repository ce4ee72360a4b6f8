#ifndef PORTICO_DATAPLANE_CACHE_DECISION_H_
#define PORTICO_DATAPLANE_CACHE_DECISION_H_

#include <cstdint>
#include <string_view>

#include "dataplane/base/time.h"
#include "dataplane/cache/cache_control.h"
#include "dataplane/cache/policy.h"
#include "dataplane/cache/stored_response.h"

namespace portico::cache {

// What the stored response that a request selects is good for (RFC 9111 section 4). Pure.
struct Decision {
  enum class Kind : uint8_t {
    kGive,        // it is fresh, and the request takes it
    kRevalidate,  // the origin is to be asked if it still holds
    kForward,     // it is of no use
  };
  Kind kind = Kind::kForward;
  std::string_view why;  // not for kGive: cache-status' `fwd` (RFC 9211 section 2.2), static
};

// `policy` is today's, whatever it was when the response was stored: what would not be stored or given now is not. A
// stale response is never given, so max-stale means nothing. `authorized` as in StoreQuestion.
Decision Decide(const StoredResponse& stored, const CacheControl& request, bool authorized, const CachePolicy& policy,
                base::MonotonicTime now);

// The request's directives; where it has none, `pragma: no-cache` is one (section 5.4).
CacheControl ReadRequestControl(const http::Fields& request);

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_DECISION_H_
