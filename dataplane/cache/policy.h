#ifndef PORTICO_DATAPLANE_CACHE_POLICY_H_
#define PORTICO_DATAPLANE_CACHE_POLICY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "dataplane/base/time.h"

namespace portico::cache {

// What a rule's effective CachePolicy says. Immutable, in the snapshot. A rule has none (nullptr) where its gateway
// caches nothing at all.
struct CachePolicy {
  // False: this rule gives and stores nothing, but its unsafe requests make invalid what other rules have stored.
  bool stores = false;
  // A digest of all that makes the rule's answers what they are: its backends, how it rewrites, who may ask. What was
  // stored under another is not used.
  std::string identity = {};
  std::optional<base::Duration> default_ttl = {};  // of a response that says nothing of its freshness
  uint64_t content_bytes_max = 1'048'576;          // longer content is not stored
  // Its callers are asked who they are: each request counts as carrying `authorization` (RFC 9111 section 3.5).
  bool authenticates = false;
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_POLICY_H_
