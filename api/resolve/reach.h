#ifndef PORTICO_API_RESOLVE_REACH_H_
#define PORTICO_API_RESOLVE_REACH_H_

#include "api/check/configuration.h"
#include "api/resolve/resolved.h"

namespace portico::resolve {

// Fills gateway.reach from what else is resolved: attached Routes, backends and what these refer to, certificates,
// every policy that targets the gateway or one of its Routes with its key sets, the grants that were used, and the
// Consumers that a policy can recognise: those of the policy's own namespace with an issuer of the policy's, and those
// it names by "namespace/name". (Whoever may write a Consumer gives its groups; that right ends at the namespace.)
void CollectReach(const check::Configuration& configuration, ResolvedGateway& gateway);

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_REACH_H_
