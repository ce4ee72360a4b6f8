#ifndef PORTICO_CONTROLPLANE_STORAGE_H_
#define PORTICO_CONTROLPLANE_STORAGE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/check/key_pair.h"
#include "controlplane/change/changes.h"
#include "controlplane/options.h"

namespace portico::controlplane {

using StorageLog = std::function<void(std::string_view line)>;

// The configuration of the store that the options name. A file for the key of its secrets is made only along with the
// store: a mistyped name is an error and leaves no file behind, and a key of another store is refused from the start.
// Errors say which flag: kFailedPrecondition: the key's file is missing or no good; kDataLoss: a stored value cannot be
// read, or not with this key; others as the store has them. `log` is told if the store is a new one: its folder may be
// mistyped. `key_pairs` must outlive the result.
absl::StatusOr<std::unique_ptr<change::Changes>> OpenChanges(const Options& options,
                                                             const check::KeyPairChecker& key_pairs,
                                                             change::Changes::Clock clock, const StorageLog& log);

// Does what --backup or --restore asks for. Returns what was done, in words for a user.
absl::StatusOr<std::string> CopyStore(const Options& options);

}  // namespace portico::controlplane

#endif  // PORTICO_CONTROLPLANE_STORAGE_H_
