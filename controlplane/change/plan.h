#ifndef PORTICO_CONTROLPLANE_CHANGE_PLAN_H_
#define PORTICO_CONTROLPLANE_CHANGE_PLAN_H_

#include <variant>
#include <vector>

#include "api/check/key_pair.h"
#include "controlplane/change/change.h"
#include "controlplane/model/model.h"

namespace portico::change {

inline constexpr size_t kResourcesMax = 100'000;  // of one change: its check runs in one piece

// A change that may be stored.
struct Plan {
  // The configuration as it will be, under the next revision.
  model::SharedModel next;
  // In the order of the keys. Nothing but kUnchanged: there is nothing to store.
  std::vector<model::ResourceChange> changes;
  bool empty() const;
};

// What would become of the configuration, or why it may not: pure, the whole judgement of Apply. In this order, and
// only as far as the one before found nothing: the expected revision (kAborted); each resource by itself, a key that is
// named twice or that goes and is not there (kInvalidArgument, kNotFound); the versions that the writer saw (kAborted);
// whose resources it changes (kFailedPrecondition: another manager's, unless it is forced); Tokens with the digest of
// another (kFailedPrecondition, whatever it tolerates and forces); the whole (kFailedPrecondition: references that
// would point at nothing, each named; not those that do so already and are of resources that the change leaves alone;
// none with `tolerate`).
std::variant<Plan, Refusal> MakePlan(const model::Model& now, const Change& change,
                                     const check::KeyPairChecker& key_pairs);

// What is wrong, the first of it in the status' words; of very many the first hundred.
Refusal RefusalOf(absl::StatusCode code, check::Violations violations);

}  // namespace portico::change

#endif  // PORTICO_CONTROLPLANE_CHANGE_PLAN_H_
