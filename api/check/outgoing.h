#ifndef PORTICO_API_CHECK_OUTGOING_H_
#define PORTICO_API_CHECK_OUTGOING_H_

#include <set>

#include "api/check/resource_key.h"
#include "api/portico/v1/resource.pb.h"

namespace portico::check {

// What one resource says of others, whether they are there or not.
struct Outgoing {
  std::set<ResourceKey> needs;   // parents, backends, Secrets, Consumers that are named
  std::set<ResourceKey> guards;  // the targets of a policy
};

// `resource` has passed api/check/resource. What it leaves to a default that hangs on the whole is not here: a Route
// without parentRefs belongs to the only Gateway.
Outgoing OutgoingOf(const ResourceKey& key, const portico::v1::Resource& resource);

// "name" in the namespace of `owner`, or "namespace/name": how an AuthPolicy names a Consumer.
ResourceKey ConsumerKey(const std::string& name, const ResourceKey& owner);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_OUTGOING_H_
