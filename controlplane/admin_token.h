#ifndef PORTICO_CONTROLPLANE_ADMIN_TOKEN_H_
#define PORTICO_CONTROLPLANE_ADMIN_TOKEN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "controlplane/change/changes.h"
#include "controlplane/options.h"

namespace portico::controlplane {

// The one-time admin token: by it the first Admin of a store is made. Its text stands in a file of its own, readable
// for its owner alone, and nowhere else; the store keeps its digest beside the revisions, where no rollback reaches it.
// It is good until there is an Admin of all namespaces, and then never again. A store that has no such Admin at a
// start, and whose file is not there or has another token, gets a new one: whoever owns the files is never locked out.

// The digest of the token that is good, made if need be; "" if there is an Admin. `log` is told of a new one and of
// where it stands. kFailedPrecondition: the file that --admin_token_file names can't be written, or has something else
// in it; if the flag was not given, `log` is told, and there is none.
absl::StatusOr<std::string> PrepareAdminToken(const Options& options, change::Changes& changes, int64_t now_micros,
                                              const std::function<void(std::string_view line)>& log);

// There is an Admin now.
absl::Status EndAdminToken(change::Changes& changes);

}  // namespace portico::controlplane

#endif  // PORTICO_CONTROLPLANE_ADMIN_TOKEN_H_
