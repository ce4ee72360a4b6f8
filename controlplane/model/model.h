#ifndef PORTICO_CONTROLPLANE_MODEL_MODEL_H_
#define PORTICO_CONTROLPLANE_MODEL_MODEL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/check/configuration.h"
#include "api/resolve/resolved.h"

namespace portico::model {

// The whole configuration as of one revision. Immutable; the next one shares what it did not change. Every resource's
// metadata says its revision and creationRevision; no resource has a status.
struct Model {
  std::string epoch;  // the store's: with the revision it names a version for ever
  uint64_t revision = 0;
  check::Configuration configuration;
  // What each Gateway makes of it, by ResolveGateways. Empty in a model that is only looked up, as of an old revision.
  std::map<check::ResourceKey, std::shared_ptr<const resolve::ResolvedGateway>> gateways;
};
using SharedModel = std::shared_ptr<const Model>;

// Fills `gateways`, with those of an earlier revision at the cost of what has changed since. `before` may be nullptr.
void ResolveGateways(const Model* before, Model& model);

// What a revision did to one resource.
enum class ChangeKind : uint8_t { kUnchanged, kCreated, kUpdated, kDeleted };
struct ResourceChange {
  check::ResourceKey key;
  ChangeKind kind = ChangeKind::kUnchanged;
  bool operator==(const ResourceChange&) const = default;
};

// One step of the configuration, as those are told who follow it. `changes` is in the order of the keys and has nothing
// that is unchanged.
struct Step {
  SharedModel before, after;
  std::vector<ResourceChange> changes;
};

// The version of a resource, "EPOCH.REVISION": the same on every replica, and never of two contents.
std::string VersionOf(const Model& model, const portico::v1::Resource& resource);

}  // namespace portico::model

#endif  // PORTICO_CONTROLPLANE_MODEL_MODEL_H_
