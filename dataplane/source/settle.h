#ifndef PORTICO_DATAPLANE_SOURCE_SETTLE_H_
#define PORTICO_DATAPLANE_SOURCE_SETTLE_H_

#include <set>
#include <string>

#include "api/base/shared_map.h"
#include "api/check/configuration.h"

namespace portico::source {

// One version of a resource, as it was streamed.
struct Version {
  std::string version;  // "EPOCH.REVISION"; equal ones are the same content
  check::SharedResource resource;
  bool operator==(const Version& other) const { return version == other.version; }
};
using Versions = base::SharedMap<check::ResourceKey, Version>;

// What comes into force when some of what was streamed can't.
struct Settled {
  Versions effective;
  std::set<check::ResourceKey> held;  // whose change waits, without those that are refused themselves
};

// `last`: what is in force. `next`: what should be. `refused`: keys of `next`, or of something that could not even be
// read; they keep their last version, if there is one. Pure, at the cost of what differs.
//
// A change that leans on a refused one waits with it, so that nothing half a change meant is in force: what needs a
// refused resource; what a refused policy guards (a gateway's policy guards all of its Routes); the policies over what
// is refused, since they may have been loosened for it; the Consumers of an AuthPolicy, the grants of any policy; and
// all other policies of a kind if one of it waits (one may take the place of another over a Route that has not
// changed), as with grants. Only changes wait: what is the same in both is no link of the chain. What an old version
// needs stays, even if the change deleted it.
//
// A policy that could not be read may guard whatever it may name: every change of a Route or Gateway of its namespace,
// and of those with grants, waits.
//
// So no rule opens: a rule with a new policy that is refused is not there (its Route waits as well), or is as it was.
// That is so for policies of all kinds: what limits, and what says that nothing is to be stored, guards as well.
Settled Settle(const Versions& last, const Versions& next, const std::set<check::ResourceKey>& refused);

}  // namespace portico::source

#endif  // PORTICO_DATAPLANE_SOURCE_SETTLE_H_
