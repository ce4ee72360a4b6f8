#ifndef PORTICO_DATAPLANE_FILTERS_RATE_LIMIT_LIMIT_KEY_H_
#define PORTICO_DATAPLANE_FILTERS_RATE_LIMIT_LIMIT_KEY_H_

#include <cstdint>
#include <optional>

#include "dataplane/crypto/keyed_hash.h"
#include "dataplane/filter/filter.h"
#include "dataplane/filters/rate_limit/rate_limit_config.h"

namespace portico::rate_limit {

// The bucket of a limit that a request takes from. nullopt: the limit does not count it.
//
// Of the client's address an IPv6 one counts by its first 64 bits (RFC 6177: a site has at least as many as that), an
// IPv4-mapped one as IPv4. Of a header all lines count, in their order; one that is there and empty is there. A caller
// who is several Consumers is the first. Pure, and the time is that of the texts: nothing is stored of them.
std::optional<uint64_t> KeyOf(const Limit& limit, const filter::FilterContext& context, const crypto::KeyedHash& hash);

}  // namespace portico::rate_limit

#endif  // PORTICO_DATAPLANE_FILTERS_RATE_LIMIT_LIMIT_KEY_H_
