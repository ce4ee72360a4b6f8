#ifndef PORTICO_DATAPLANE_CACHE_DECISION_H_
#define PORTICO_DATAPLANE_CACHE_DECISION_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "dataplane/base/time.h"
#include "dataplane/cache/cache_control.h"
#include "dataplane/cache/identity.h"
#include "dataplane/cache/policy.h"
#include "dataplane/cache/stored_response.h"
#include "dataplane/http/message.h"

namespace portico::cache {

// A request as the cache sees it.
struct CacheRequest {
  std::string key;  // KeyOf its target URI
  Identity identity;
  CacheControl control;           // ReadRequestControl
  bool authorized;                // as in StoreQuestion
  const http::RequestHead* head;  // as its origin would get it; outlives this
};

// Whether that is a response to such a request at all (RFC 9111 section 4: its URI's, and what `vary` selects).
bool IsFor(const StoredResponse& stored, const CacheRequest& request);

// What a response that is stored, or on its way to be, is good for (RFC 9111 section 4). Pure, and the one place that
// says so: of what is found, and of what another's fill brings.
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
// stale response is never given, so max-stale means nothing.
Decision Decide(const StoredResponse& stored, const CacheRequest& request, const CachePolicy& policy,
                base::MonotonicTime now);

// Nothing that is there or on its way is young enough for it: no-cache, max-age=0.
bool WantsANewOne(const CacheControl& request);

// The request's directives; where it has none, `pragma: no-cache` is one (section 5.4).
CacheControl ReadRequestControl(const http::Fields& request);

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_DECISION_H_
