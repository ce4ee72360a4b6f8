#ifndef PORTICO_API_RESOLVE_REACH_H_
#define PORTICO_API_RESOLVE_REACH_H_

#include <set>

#include "api/check/configuration.h"
#include "api/resolve/grants.h"
#include "api/resolve/resolved.h"

namespace portico::resolve {

// Keeps gateway.reach: the gateway itself and its attached Routes are needed in any case (Need, Drop), and each of
// those needs others. That is a graph without circles, so counting by how many each is needed tells when one is out of
// reach.
//
// A Gateway needs its certificates, and the purges that are for it; a Route its backends; a Cluster its authorities; a
// Composition its Clusters; a Gateway or Route all policies that target it, also those that lose (whoever looks at a
// proxy sees why); an AuthPolicy its key sets and the Consumers that it can recognise: those of its own namespace with
// an issuer of the policy's, and those it names by "namespace/name". (Whoever may write a Consumer gives its groups;
// that right ends at the namespace.) All need the grants that let them refer to each other. What is not there is not
// needed.
class ReachKeeper {
 public:
  // Of `gateway` it reads key, listeners and routes. All outlive it.
  ReachKeeper(const check::Configuration& configuration, const Grants& grants, ResolvedGateway& gateway)
      : configuration_(configuration), grants_(grants), gateway_(gateway) {}

  void Need(const check::ResourceKey& key);
  void Drop(const check::ResourceKey& key);
  // What a resource needs may have changed. Nothing if it is out of reach.
  void Recount(const check::ResourceKey& key);

 private:
  std::set<check::ResourceKey> NeedsOf(const check::ResourceKey& key) const;

  const check::Configuration& configuration_;
  const Grants& grants_;
  ResolvedGateway& gateway_;
};

// Whether a policy with this spec, of this namespace, knows such a Consumer by the issuer of its tokens.
bool Recognises(const check::ResourceKey& policy, const portico::v1::AuthPolicySpec& spec,
                const check::ResourceKey& consumer, const portico::v1::ConsumerSpec& consumer_spec);

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_REACH_H_
