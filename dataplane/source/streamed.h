#ifndef PORTICO_DATAPLANE_SOURCE_STREAMED_H_
#define PORTICO_DATAPLANE_SOURCE_STREAMED_H_

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "api/check/configuration.h"
#include "api/check/key_pair.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/snapshot/snapshot_config.h"
#include "dataplane/source/settle.h"

namespace portico::source {

// Why a version of a resource can't be used.
struct RefusedVersion {
  std::string version;
  std::string reason;       // "spec.rules[0].retry: …"
  bool unreadable = false;  // it could not be understood at all
};
using RefusedVersions = std::map<check::ResourceKey, RefusedVersion>;

// What a control plane says the gateway is.
struct StreamedSet {
  check::ResourceKey gateway;
  Versions resources;
  RefusedVersions unreadable;  // what could not be understood at all, and so is not in `resources`
};

// What a proxy runs, and of which versions it was made.
struct InForce {
  Versions versions;
  std::shared_ptr<const snapshot::Snapshot> snapshot;  // nullptr: nothing is in force, and `versions` are none
};

// A streamed configuration that wants to be the proxy's.
struct StreamedCandidate {
  std::shared_ptr<snapshot::Snapshot> snapshot;  // nullptr: refused as a whole
  std::string why;                               // then
  Versions effective;                            // what the snapshot is made of
  RefusedVersions refused;
  std::set<check::ResourceKey> held;  // whose change waits for one that is refused
};

// Judges, settles, resolves and builds what should be, at the cost of what differs from what is in force. What has the
// version that is in force was judged before. Each resource must stand by itself; what refers to nothing fails closed
// where it stands (Snapshot::faults says where): whether the whole holds together is the control plane's business, and
// it may choose to be patient.
//
// What the whole can't be built with is refused like what is wrong by itself, up to kRoundsMax of them. Without the
// gateway there is nothing to build. It takes long: not on a loop. The arguments are used until it returns.
StreamedCandidate BuildStreamed(const InForce& last, const StreamedSet& set, const check::KeyPairChecker& key_pairs,
                                const snapshot::BuildOptions& options);

inline constexpr size_t kRoundsMax = 16;

}  // namespace portico::source

#endif  // PORTICO_DATAPLANE_SOURCE_STREAMED_H_
