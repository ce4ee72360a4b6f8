#include "dataplane/source/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>

#include "api/base/text.h"
#include "dataplane/base/errno_text.h"

namespace portico::source {
namespace {

using base::Concat;
using base::ToAbsl;

// "process 4711", if the file says so.
std::string HolderOf(const base::FileDescriptor& file) {
  char text[20];
  const ssize_t size = pread(file.get(), text, sizeof text, 0);
  std::string_view line(text, size > 0 ? static_cast<size_t>(size) : 0);
  line = line.substr(0, line.find('\n'));
  const std::optional<uint64_t> number = base::ParseDecimal(line);
  return number.has_value() ? Concat("process ", *number) : "another process";
}

}  // namespace

absl::StatusOr<base::FileDescriptor> TakeLock(const std::string& path) {
  base::FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid())
    return absl::FailedPreconditionError(ToAbsl(Concat(path, ": cannot be opened: ", base::ErrnoText(errno))));
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return absl::UnavailableError(ToAbsl(Concat(path, ": ", HolderOf(file), " has it")));
    return absl::FailedPreconditionError(ToAbsl(Concat(path, ": cannot be locked: ", base::ErrnoText(errno))));
  }
  // For people, and for the words above: nothing hangs on it.
  const std::string line = Concat(getpid(), "\n");
  if (ftruncate(file.get(), 0) == 0) (void)!pwrite(file.get(), line.data(), line.size(), 0);
  return file;
}

}  // namespace portico::source
