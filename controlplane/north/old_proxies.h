#ifndef PORTICO_CONTROLPLANE_NORTH_OLD_PROXIES_H_
#define PORTICO_CONTROLPLANE_NORTH_OLD_PROXIES_H_

#include <vector>

#include "controlplane/change/change.h"
#include "controlplane/fleet/fleet.h"

namespace portico::north {

// Pure. What a change brings to proxies that are connected and too old for it: of each resource and gateway how many,
// their levels, and the first field that the oldest of them refuses. Says no names: who may write need not see proxies.
std::vector<change::Warning> OldProxies(const std::vector<change::Need>& needs,
                                        const std::vector<fleet::SharedProxy>& proxies);

// Adds them to the outcome's warnings. The fleet is asked only if the change needs more than every proxy knows.
void WarnOfOldProxies(fleet::Fleet& fleet, change::Outcome& outcome);

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_OLD_PROXIES_H_
