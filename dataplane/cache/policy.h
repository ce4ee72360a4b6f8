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
  // A digest of all that makes the rule's answers what they are, and tells them from another's: what it matches beside
  // the path, its backends, how it rewrites, who may ask. It goes into the Identity of what is stored.
  std::string rule = {};
  std::optional<base::Duration> default_ttl = {};  // of a response that says nothing of its freshness
  uint64_t content_bytes_max = 1'048'576;          // longer content is not stored
  // Its callers are asked who they are: each request counts as carrying `authorization` (RFC 9111 section 3.5).
  bool authenticates = false;
};

// Which URIs a CachePurge names.
struct PurgeScope {
  std::string host;         // lower case, without port; "" every
  std::string path_prefix;  // begins with "/"; whole segments, as route/match.h has them
  bool operator==(const PurgeScope&) const = default;
};

// A CachePurge: an order to give no more what is stored.
struct Purge {
  std::string name;  // "namespace/name"; "": nobody's, see BuildPurges
  std::string at;    // another is another order
  PurgeScope scope = {};
  bool operator==(const Purge&) const = default;
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_POLICY_H_
