#ifndef PORTICO_CONTROLPLANE_STORE_SQLITE_SQLITE_STORE_H_
#define PORTICO_CONTROLPLANE_STORE_SQLITE_SQLITE_STORE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controlplane/store/store.h"

namespace portico::store::sqlite {

// The number of the tables' shape. A file with a higher one is refused, a lower one is brought up when it is opened.
inline constexpr int64_t kSchema = 1;

// A store in one file (made 0600 if it is not there) with its write-ahead log beside it: one control plane, a disk. A
// revision that Commit returned survives the process and the machine (synchronous = FULL).
// The file is locked while it is open: a second process is told kUnavailable. kFailedPrecondition: it is no store of
// Portico's, or of a newer release; kDataLoss: SQLite finds it broken.
absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& path);

// A whole copy of an open or closed store, under its name only once it is whole and checked, made while it is being
// written. kAlreadyExists: there is a file at `to`.
absl::Status Backup(const std::string& from, const std::string& to);

// Puts a copy in the place of a store, under a new epoch. The store must not be open; what was there is kept beside it
// as `to`.replaced-1 (2, …). The copy is checked first. A restore that was cut short is refused by Open and mended by
// restoring again.
absl::Status Restore(const std::string& from, const std::string& to);

}  // namespace portico::store::sqlite

#endif  // PORTICO_CONTROLPLANE_STORE_SQLITE_SQLITE_STORE_H_
