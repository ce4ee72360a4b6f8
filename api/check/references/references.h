#ifndef PORTICO_API_CHECK_REFERENCES_REFERENCES_H_
#define PORTICO_API_CHECK_REFERENCES_REFERENCES_H_

#include <set>

#include "api/check/configuration.h"
#include "api/check/violation.h"

namespace portico::check {

// The whole: what one resource says of others. Refused at Apply and in a file, tolerated in a streaming proxy. Pure;
// the violations are in the order of the resources' keys.
//
// - A reference names something that exists, of a kind that fits, in its own namespace or with a ReferenceGrant there.
//   What does not exist is answered with the nearest name of that kind.
// - A backend's port is one of its Cluster's endpoints; a Secret holds what the reference needs.
// - The Consumers that a principal names exist, in whatever namespace.
// - A sectionName is a listener or a rule; a Route's parent admits the Route's namespace.
// - Two policies of one kind on one target are refused at the later one, which names both.
// - Two Consumers of a namespace with one API key are refused, each naming the other.
// Two resources with one key cannot be in a Configuration: whoever fills it refuses what Add() does.
Violations CheckReferences(const Configuration& configuration);

// What a step from one configuration to another answers for: of `touched`, the resources that are written, all that is
// wrong in `after`; of others what is wrong at a place that was not wrong in `before`, in whatever words. The cost is
// that of what has changed and of those who refer to it and see a difference (LooksTheSame), unless a ReferenceGrant
// has changed: all refer to those. A Consumer that has changed has the keys of all others of its namespace looked at.
Violations CheckReferences(const Configuration& before, const Configuration& after,
                           const std::set<ResourceKey>& touched);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_REFERENCES_REFERENCES_H_
