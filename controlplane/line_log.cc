#include "controlplane/line_log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "api/base/text.h"

namespace portico::controlplane {
namespace {

mode_t TypeOf(int descriptor) {
  struct stat about{};
  return fstat(descriptor, &about) == 0 ? about.st_mode & S_IFMT : 0;
}

int OpenAgain(int descriptor) {
  const mode_t type = TypeOf(descriptor);
  if (type != S_IFIFO && type != S_IFCHR) return -1;
  return open(base::Concat("/proc/self/fd/", descriptor).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool HasRoom(int descriptor) {
  pollfd one = {descriptor, POLLOUT, 0};
  return poll(&one, 1, 0) == 1;
}

}  // namespace

LineLog::LineLog(int descriptor, std::string name)
    : name_(std::move(name)),
      descriptor_(descriptor),
      is_socket_(TypeOf(descriptor) == S_IFSOCK),
      own_(OpenAgain(descriptor)) {}

LineLog::~LineLog() {
  if (own_ >= 0) close(own_);
}

std::string_view LineLog::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    // A pipe that says it has room takes a line of kLineBytesMax without waiting.
    if (own_ < 0 && !is_socket_ && !HasRoom(descriptor_)) break;
    const std::string_view piece = bytes.substr(0, kLineBytesMax);
    const ssize_t sent = is_socket_ ? send(descriptor_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                    : write(own_ < 0 ? descriptor_ : own_, piece.data(), piece.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) break;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return bytes;
}

void LineLog::Write(std::string_view line) {
  absl::MutexLock lock(&mutex_);
  rest_ = std::string(Send(rest_));
  std::string text;
  if (dropped_ > 0) text = base::Concat(name_, ": ", dropped_, " lines were dropped: nobody read them\n");
  const std::string_view fits = line.substr(0, kLineBytesMax - name_.size() - 3);
  text += base::Concat(name_, ": ", fits, "\n");
  const std::string_view left = rest_.empty() ? Send(text) : text;
  if (left.size() == text.size()) {
    ++dropped_;
    return;
  }
  rest_ = std::string(left);
  dropped_ = 0;
}

}  // namespace portico::controlplane
