#ifndef PORTICO_DATAPLANE_FILTERS_RATE_LIMIT_RATE_LIMIT_CONFIG_H_
#define PORTICO_DATAPLANE_FILTERS_RATE_LIMIT_RATE_LIMIT_CONFIG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/check/violation.h"
#include "api/resolve/resolved.h"
#include "dataplane/crypto/keyed_hash.h"
#include "dataplane/shared/bucket_table.h"
#include "dataplane/shared/token_bucket.h"

namespace portico::rate_limit {

// What all snapshots and workers of the process share: it outlives every configuration.
struct RateLimitState {
  shared::BucketTables tables;
  // Clients choose what tells them apart, so only this process knows where it falls.
  const crypto::KeyedHash hash = crypto::KeyedHash::Generate();
};

// What requests are told apart by.
enum class KeyPart : uint8_t { kClientAddress, kConsumer, kHeader };

struct Limit {
  std::string name;          // "namespace/policy/limit": in the log and the metrics
  std::vector<KeyPart> key;  // empty: all requests share a bucket
  std::string header;        // of kHeader, lower case
  bool skips_missing = false;
  bool report_only = false;
  shared::Rate rate;
  std::shared_ptr<shared::BucketTable> buckets;
  // For the ratelimit fields (draft-ietf-httpapi-ratelimit-headers), which hold the limit's own name:
  std::string item;         // "\"per-address\""
  std::string policy_item;  // "\"per-address\";q=100;w=1"
};

// The limits of a rule that are judged at one place. Immutable, any thread.
struct RateLimitConfig {
  std::string fault;  // not "": one of them is broken, so everything is answered with 503. For the log
  std::vector<Limit> limits;
  std::shared_ptr<const RateLimitState> state;
};

// nullptr: none is judged there.
struct BuiltLimits {
  std::shared_ptr<const RateLimitConfig> before_identity, by_identity;
  check::Violations faults;
};

// Messages -> configurations, while a snapshot is built: the only place of this folder that knows protobuf. A limit
// with the key Consumer is judged when it is known who calls, all others before. `policies` are those of a rule,
// outermost first, and so are the limits.
//
// A limit's buckets are found by the names of the policy and the limit and by what tells requests apart: wherever the
// policy holds they are the same, and another rate changes no count (shared/token_bucket.h).
//
// It fails closed: what is not understood is a fault, and nothing is left out silently.
BuiltLimits BuildRateLimits(const std::vector<resolve::BoundPolicy>& policies,
                            const std::shared_ptr<RateLimitState>& state);

}  // namespace portico::rate_limit

#endif  // PORTICO_DATAPLANE_FILTERS_RATE_LIMIT_RATE_LIMIT_CONFIG_H_
