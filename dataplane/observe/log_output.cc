#include "dataplane/observe/log_output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "api/base/text.h"
#include "dataplane/base/errno_text.h"

namespace portico::observe {

namespace {

static_assert(LogOutput::kPieceBytesMax <= PIPE_BUF);

absl::Status Failed(int error) {
  return absl::UnavailableError(base::ToAbsl(base::ErrnoText(error)));
}

std::string_view FirstPiece(std::string_view bytes) {
  if (bytes.size() <= LogOutput::kPieceBytesMax) return bytes;
  bytes = bytes.substr(0, LogOutput::kPieceBytesMax);
  const size_t last = bytes.rfind('\n');
  return last == std::string_view::npos ? bytes : bytes.substr(0, last + 1);
}

bool CanWrite(int fd) {
  struct pollfd one = {fd, POLLOUT, 0};
  return ::poll(&one, 1, 0) == 1;  // also on an error, which the write then tells
}

}  // namespace

absl::StatusOr<LogOutput> LogOutput::Share(int fd) {
  base::FileDescriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  struct stat status;
  if (!copy.valid() || ::fstat(copy.get(), &status) != 0) return Failed(errno);
  if (S_ISREG(status.st_mode)) return LogOutput(std::move(copy), Kind::kFile);
  if (S_ISSOCK(status.st_mode)) return LogOutput(std::move(copy), Kind::kSocket);
  const std::string path = base::Concat("/proc/self/fd/", copy.get());
  base::FileDescriptor own(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!own.valid()) return LogOutput(std::move(copy), Kind::kShared);
  return LogOutput(std::move(own), Kind::kNonBlocking);
}

absl::StatusOr<LogOutput> LogOutput::Open(const std::string& path) {
  // O_NONBLOCK: the path may name a FIFO or a terminal. It changes nothing for a file.
  base::FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                                 S_IRUSR | S_IWUSR | S_IRGRP));
  struct stat status;
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) return Failed(errno);
  return LogOutput(std::move(fd), S_ISREG(status.st_mode) ? Kind::kFile : Kind::kNonBlocking);
}

LogOutput::Result LogOutput::Write(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (kind_ != Kind::kFile) bytes = FirstPiece(bytes);
  if (kind_ == Kind::kShared && !CanWrite(fd())) return {};
  ssize_t count;
  do {
    count = kind_ == Kind::kSocket ? ::send(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                   : ::write(fd(), bytes.data(), bytes.size());
  } while (count < 0 && errno == EINTR);
  if (count >= 0) return {static_cast<size_t>(count), 0};
  return {0, errno == EAGAIN ? 0 : errno};
}

}  // namespace portico::observe
