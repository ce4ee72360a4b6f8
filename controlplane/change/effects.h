#ifndef PORTICO_CONTROLPLANE_CHANGE_EFFECTS_H_
#define PORTICO_CONTROLPLANE_CHANGE_EFFECTS_H_

#include <vector>

#include "controlplane/change/change.h"
#include "controlplane/model/model.h"

namespace portico::change {

// What a step means to the gateways.
struct Effects {
  std::vector<Warning> warnings;             // that the step brings: what was so before is not told again
  std::vector<check::ResourceKey> gateways;  // that get something of it
  std::vector<Need> needs;                   // of them, for what is new or newly theirs
};

// Pure. `step.changes` may hold what is unchanged too: its gateways are named as well, so that whoever repeats a change
// whose answer was lost knows whom to wait for. Warnings are api/resolve's notices (a Route that no listener takes, a
// match in the shadow of another, a policy that is bound to nothing) and rules that lose what asks callers who they
// are, or what they may do, or how often.
Effects EffectsOf(const model::Step& step);

}  // namespace portico::change

#endif  // PORTICO_CONTROLPLANE_CHANGE_EFFECTS_H_
