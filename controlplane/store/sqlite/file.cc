#include "controlplane/store/sqlite/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "api/base/text.h"

namespace portico::store::sqlite {

absl::Status FileError(const std::string& path, const char* what) {
  const int code = errno;
  return absl::FailedPreconditionError(base::ToAbsl(base::Concat(path, ": cannot ", what, ": ", std::strerror(code))));
}

absl::StatusOr<FileLock> FileLock::Take(const std::string& path) {
  const std::string name = path + ".lock";
  const int descriptor = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return FileError(name, "be opened");
  FileLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return FileError(name, "be locked");
  return absl::UnavailableError(base::ToAbsl(base::Concat(path, " is open in another process")));
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status MakePrivate(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return FileError(path, "be opened");
  close(descriptor);
  return absl::OkStatus();
}

}  // namespace portico::store::sqlite
