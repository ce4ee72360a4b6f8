#ifndef PORTICO_CONTROLPLANE_CHANGE_CHANGE_H_
#define PORTICO_CONTROLPLANE_CHANGE_CHANGE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/check/configuration.h"
#include "api/check/violation.h"
#include "api/portico/v1/resource.pb.h"
#include "controlplane/model/model.h"

namespace portico::change {

// What somebody wants of the configuration: one new revision, or nothing.
struct Change {
  // New resources and new versions. A metadata.revision other than 0 is the version that the writer has seen.
  std::vector<portico::v1::Resource> resources = {};
  std::vector<check::ResourceKey> deletes = {};
  // The revision that the configuration must have. 0: any.
  uint64_t expected_revision = 0;
  // The epoch of that and of every metadata.revision here. Empty: any.
  std::string expected_epoch = {};
  // References to what is not there are stored and answered with 500, instead of refused.
  bool tolerate = false;
  // Everything but the storing.
  bool dry_run = false;
  // What the writer calls itself: the metadata.manager of what it stores. Empty: nobody in particular.
  std::string manager = {};
  // Resources of other managers are taken over.
  bool force = false;
  // For the record: the revision that this goes back to. 0: none. Its resources have the managers that they are to
  // have.
  uint64_t rollback_of = 0;
};

// Who wants it, for the record.
struct Caller {
  std::string author;  // "certificate alice", "token default/ci"; "anonymous" without either
  std::string peer;    // "127.0.0.1:4711"
};

// What is allowed but surely not meant.
struct Warning {
  check::ResourceKey key;
  std::string path;
  std::string message;
};

// What proxies of a gateway must know to do what a resource says that the change brings them (check::LevelsOf).
struct Need {
  check::ResourceKey gateway, key;
  std::map<uint32_t, std::string> levels;
};

struct Outcome {
  std::string epoch;
  uint64_t revision = 0;  // that holds the change; the one that held already, if nothing was to change
  std::vector<model::ResourceChange> changes;  // in the order of the keys; what stays as it was too
  std::vector<Warning> warnings;
  std::vector<check::ResourceKey> gateways;  // whose proxies get something of it
  std::vector<Need> needs;                   // of resources that not every release's proxies know
};

// Why not. The violations say what of which resource, if it is one's fault.
struct Refusal {
  absl::Status status;
  check::Violations violations;
};

}  // namespace portico::change

#endif  // PORTICO_CONTROLPLANE_CHANGE_CHANGE_H_
