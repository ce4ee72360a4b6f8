#ifndef PORTICO_DATAPLANE_SOURCE_CANDIDATE_H_
#define PORTICO_DATAPLANE_SOURCE_CANDIDATE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/check/configuration.h"
#include "api/check/key_pair.h"
#include "api/load/load.h"
#include "api/yaml/read.h"
#include "dataplane/base/time.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/snapshot/snapshot_config.h"

namespace portico::source {

// A configuration that wants to be the proxy's.
struct Candidate {
  std::shared_ptr<snapshot::Snapshot> snapshot;  // nullptr: refused, and an error of `findings` says why
  std::vector<load::Finding> findings;           // in a good one: warnings alone
};

// A file or a folder -> a candidate. What --check, the start and every reload call, so that all three judge the same:
// read, each resource, the whole (api/load), what the gateway makes of it (api/resolve), the snapshot. Stricter than
// BuildSnapshot: what would fail closed there is an error here, with its file and line. Without `gateway` it is the
// only Gateway there is.
//
// A certificate that has run out is no refusal (the old one would go on, and have run out too) but a warning.
//
// It changes nothing anywhere, so a refused one leaves no trace. It reads files and takes long: not on a loop. The
// arguments are used until it returns.
Candidate BuildCandidate(const std::string& path, yaml::FileReader& files, const check::KeyPairChecker& key_pairs,
                         const std::optional<check::ResourceKey>& gateway, const snapshot::BuildOptions& options,
                         base::WallTime now);

// Time enough to have a certificate renewed by hand.
inline constexpr base::Duration kExpiryWarning = std::chrono::hours(24 * 14);

}  // namespace portico::source

#endif  // PORTICO_DATAPLANE_SOURCE_CANDIDATE_H_
