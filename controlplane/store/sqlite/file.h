#ifndef PORTICO_CONTROLPLANE_STORE_SQLITE_FILE_H_
#define PORTICO_CONTROLPLANE_STORE_SQLITE_FILE_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace portico::store::sqlite {

// One process at a time may have a store open: a lock on the file `path`.lock, which stays behind. A backup does not
// take it.
class FileLock {
 public:
  // kUnavailable: another process has it.
  static absl::StatusOr<FileLock> Take(const std::string& path);

  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

// Makes the file, 0600, if it is not there. SQLite gives the files beside it the same mode.
absl::Status MakePrivate(const std::string& path);

// What Restore puts beside a store until it is done: "PATH.restoring".
inline constexpr const char* kRestoring = ".restoring";

// "PATH: cannot WHAT: No such file or directory", of errno.
absl::Status FileError(const std::string& path, const char* what);

}  // namespace portico::store::sqlite

#endif  // PORTICO_CONTROLPLANE_STORE_SQLITE_FILE_H_
