#ifndef PORTICO_API_RESOLVE_RESOLVE_H_
#define PORTICO_API_RESOLVE_RESOLVE_H_

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/resolve/resolved.h"

namespace portico::resolve {

// A configuration as seen from one gateway: which Routes are attached where, which match comes before which, which
// policy holds for which rule, and what all of it needs. A pure function that control plane, proxy and porticoctl
// share, so that all three agree. The configuration's resources have passed api/check/resource; what it refers to may
// be missing: a rule then answers 500, and what is dropped is a notice.
//
//   ASSIGN gateway = Resolve(configuration, {"Gateway", "default", "shop"});
//   for (const auto& [match, same] : gateway->listeners[0].matches) …   // in order of precedence
//
// The result depends on the resources alone, not on the order in which they came nor on `before`: the result for an
// earlier configuration of the same gateway, or nullptr. With it, the cost is that of what has changed since, and of
// what stands with that: the matches of one host and path, the Consumers of a namespace whose policies know one more.
// The Gateway, a policy over it and a ReferenceGrant are about everything: when these change all is resolved anew.
//
// kNotFound: there is no such Gateway.
absl::StatusOr<ResolvedGateway> Resolve(const check::Configuration& configuration, const check::ResourceKey& gateway,
                                        const ResolvedGateway* before = nullptr);

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_RESOLVE_H_
