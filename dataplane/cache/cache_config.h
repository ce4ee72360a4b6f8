#ifndef PORTICO_DATAPLANE_CACHE_CACHE_CONFIG_H_
#define PORTICO_DATAPLANE_CACHE_CACHE_CONFIG_H_

#include <memory>
#include <vector>

#include "api/resolve/resolved.h"
#include "dataplane/cache/policy.h"

namespace portico::cache {

// Messages -> CachePolicy: what a rule stores, by its effective policies. Pure; while a snapshot is built.
//
// Not for who asks nobody of a gateway: nullptr if none of its rules stores anything (GatewayStores). Else rules
// without a policy, or whose policy says `disabled`, or that tell their origins who calls (identityToHeaders), have one
// that stores nothing.
std::shared_ptr<const CachePolicy> BuildCachePolicy(const resolve::ResolvedRule& rule, bool gateway_stores);

// Whether any CachePolicy is within reach.
bool GatewayStores(const resolve::ResolvedGateway& gateway);

// Those within reach, by name; and before them one of everything, "", that is another when the gateway begins or ceases
// to store: while none of its rules does nobody hears of unsafe requests, and what is there may have changed.
std::vector<Purge> BuildPurges(const resolve::ResolvedGateway& gateway);

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_CACHE_CONFIG_H_
