#ifndef PORTICO_DATAPLANE_SOURCE_STATE_LOCK_H_
#define PORTICO_DATAPLANE_SOURCE_STATE_LOCK_H_

#include <string>

#include "absl/status/statusor.h"
#include "dataplane/base/file_descriptor.h"

namespace portico::source {

// Takes the lock whose file is `path`, for one process at a time: flock(2), so it ends with the process, however that
// ends. The file is made if it is not there, says whose the lock is, and stays: one that was removed while somebody
// waited for it would be two. Does not wait, but may block for the disk.
//
//   ASSIGN lock = TakeLock("/var/lib/portico/default.default.lock");   // until it is destroyed
//
// kUnavailable: "…: process 4711 has it". Anything else: it can't be had, and the words say why.
absl::StatusOr<base::FileDescriptor> TakeLock(const std::string& path);

}  // namespace portico::source

#endif  // PORTICO_DATAPLANE_SOURCE_STATE_LOCK_H_
