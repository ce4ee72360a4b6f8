#ifndef PORTICO_DATAPLANE_CACHE_STORED_RESPONSE_H_
#define PORTICO_DATAPLANE_CACHE_STORED_RESPONSE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "api/base/arena.h"
#include "dataplane/base/time.h"
#include "dataplane/cache/cache_control.h"
#include "dataplane/cache/conditional.h"
#include "dataplane/cache/content.h"
#include "dataplane/cache/freshness.h"
#include "dataplane/cache/identity.h"
#include "dataplane/cache/variants.h"
#include "dataplane/http/message.h"
#include "dataplane/shared/byte_account.h"

namespace portico::cache {

// A response as its origin gave it, before any edit of a rule. Immutable once it is stored, for all threads.
struct StoredResponse {
  StoredResponse(shared::ByteHold its_hold, const Identity& its_identity)
      : identity(its_identity), hold(std::move(its_hold)) {}

  base::Arena arena{512};
  http::Fields fields{arena};  // without age, content-length and what belongs to one connection; always with date
  int status = 0;
  CacheControl control;
  std::optional<base::Duration> explicit_lifetime;  // ExplicitLifetime of its fields
  base::Duration initial_age{};
  base::MonotonicTime answered;
  base::WallTime date;  // DateOf its fields: what is the most recent
  SelectingFields selecting;
  const Identity identity;
  // Grows until the whole is here; then of this length.
  std::shared_ptr<const Content> content;
  std::optional<uint64_t> length;  // nullopt: not known yet
  shared::ByteHold hold;           // of its memory beside the content, which it may share with one that it refreshed

  base::Duration AgeAt(base::MonotonicTime now) const { return CurrentAge(initial_age, answered, now); }
  // What it takes beside its content.
  size_t bytes() const;
};

// From the head that the origin sent; `response` may be what a 304 made of another (FreshenedHead).
void ReadHead(const http::ResponseHead& response, const http::Fields& request, const ExchangeTimes& times,
              StoredResponse& stored);

// Section 4.3.4: the stored response's head with the fields that came with a 304 about it, in `arena`. nullopt: that
// was about another (its etag differs, or without one its last-modified).
std::optional<http::ResponseHead> FreshenedHead(const StoredResponse& stored, const http::ResponseHead& not_modified,
                                                base::Arena& arena);

// What a client is sent of it, and which bytes of the content. `age` nullopt: it comes from the origin this moment.
struct ServedHead {
  http::ResponseHead head;
  uint64_t offset = 0;
  std::optional<uint64_t> end;  // nullopt: to the content's end, wherever that will be
};
ServedHead ServeHead(const StoredResponse& stored, const PartialAnswer& part, std::optional<base::Duration> age,
                     base::Arena& arena);

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_STORED_RESPONSE_H_
