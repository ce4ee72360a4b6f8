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
// start, and whose file is not there or has another token, gets a new one; with `--new_admin_token` any does, since a
// certificate that a Role names may be nobody's and a token may be lost: whoever owns the files is never locked out.
// That one is good until a change makes somebody Admin, or gives who is another token, and no longer than to the next
// start.

// The digest of the token that is good, made if need be; "" if there is an Admin. `log` is told of a new one and of
// where it stands. kFailedPrecondition: the file that --admin_token_file names can't be written, or has something else
// in it; if neither that nor --new_admin_token was given, `log` is told, and there is none.
absl::StatusOr<std::string> PrepareAdminToken(const Options& options, change::Changes& changes, int64_t now_micros,
                                              const std::function<void(std::string_view line)>& log);

// There is an Admin now.
absl::Status EndAdminToken(change::Changes& changes);

}  // namespace portico::controlplane

#endif  // PORTICO_CONTROLPLANE_ADMIN_TOKEN_H_
