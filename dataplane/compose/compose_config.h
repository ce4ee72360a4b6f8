#ifndef PORTICO_DATAPLANE_COMPOSE_COMPOSE_CONFIG_H_
#define PORTICO_DATAPLANE_COMPOSE_COMPOSE_CONFIG_H_

#include <memory>

#include "absl/status/statusor.h"
#include "api/portico/v1/composition.pb.h"
#include "dataplane/compose/plan.h"

namespace portico::compose {

// Message -> plan: the only file of this folder that reads protobuf. On the main thread, while a snapshot is built.
//
//   absl::StatusOr<std::shared_ptr<const Plan>> plan = BuildPlan(composition);
//   plan.value()->backends            // {"default", "order"}, ...: what Composition wants to have, in this order
//
// Programs see $request, $identity and the other steps; the answer sees $failures as well; only a call with forEach
// sees ${each}. kInvalidArgument names the place: `steps[1] (stock): forEach.items: line 1, column 1: ...`; of a cycle
// all its steps: `steps depend on each other: a -> b -> a`.
absl::StatusOr<std::shared_ptr<const Plan>> BuildPlan(const v1::Composition& composition);

}  // namespace portico::compose

#endif  // PORTICO_DATAPLANE_COMPOSE_COMPOSE_CONFIG_H_
