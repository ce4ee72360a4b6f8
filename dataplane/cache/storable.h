#ifndef PORTICO_DATAPLANE_CACHE_STORABLE_H_
#define PORTICO_DATAPLANE_CACHE_STORABLE_H_

#include <chrono>
#include <optional>
#include <string_view>

#include "dataplane/base/time.h"
#include "dataplane/cache/cache_control.h"
#include "dataplane/cache/freshness.h"
#include "dataplane/cache/policy.h"
#include "dataplane/cache/variants.h"
#include "dataplane/http/message.h"

namespace portico::cache {

// May a shared cache store this response to this request? RFC 9111 section 3, less what is uncertain: in doubt it may
// not. Pure; of the head alone, so the content may still turn out too long, incomplete, or followed by trailers.
//
// Stricter than the RFC: nothing is stored without explicit freshness or a defaultTtl (no heuristics); nothing that
// sets a cookie; no status that is about the request (400, 431…), and to one with conditions or a range only what is
// surely the answer to all others too; no-store counts beside must-understand too; of a response that is stale at once
// only what has a validator; a content that ends with its connection is never known to be whole.
struct StoreQuestion {
  const http::RequestHead& request;  // as the origin got it
  const CacheControl& request_control;
  bool authorized;                     // it came with `authorization`, or its rule asks who calls
  const http::ResponseHead& response;  // as the origin sent it
  const CacheControl& response_control;
  const CachePolicy& policy;
  const ExchangeTimes& times;
};

// "" if it may; else why not, in a word or two.
std::string_view WhyNotStored(const StoreQuestion& question);

// Whether it says what the resource is now, and would be said to any other request of its URI without conditions: not
// of one part, one request, or what the request asked not to be kept.
bool IsAboutTheResource(const StoreQuestion& question);

// Section 3.5: a response to a request with `authorization` may be stored, and one stored may answer such a request.
bool AllowsAuthorization(const CacheControl& response);

// etag or last-modified: it can be asked whether it is still what it was.
bool HasValidator(const http::Fields& response);

// The request has a cookie, and `vary` does not name that: an origin that says nothing of its answer may have made it
// for one caller alone.
bool MayBePersonal(const http::Fields& request, const SelectingFields& selecting);

// Nothing is given that was made longer ago, whatever it says: orders to purge are kept for as long (tools/ctl/cache.cc
// drops those that are older), so that a proxy which hears of one late still has it.
inline constexpr base::Duration kLifetimeMax = std::chrono::hours(24);

// How long it is fresh under this policy, kLifetimeMax at most, for a request that is `personal` (MayBePersonal) or
// not. Zero: it says nothing, and the policy has no defaultTtl for it: that is for what is the same for everybody, and
// no failure.
base::Duration LifetimeOf(int status, std::optional<base::Duration> explicit_lifetime, const CachePolicy& policy,
                          bool personal);

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_STORABLE_H_
