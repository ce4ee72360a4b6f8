#ifndef PORTICO_DATAPLANE_OBSERVE_LOG_OUTPUT_H_
#define PORTICO_DATAPLANE_OBSERVE_LOG_OUTPUT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "dataplane/base/file_descriptor.h"

namespace portico::observe {

// Where log lines go: a file, or the standard output or error that the process was given. A pipe or terminal that
// nobody reads never makes a writer wait:
//
//   absl::StatusOr<LogOutput> output = LogOutput::Open("/var/log/portico/access.log");
//   auto result = output->Write(lines);          // again with the rest, as long as something was written
//   if (result.would_wait()) poll(output->fd(), POLLOUT), or give up
//
// A descriptor that was inherited shares its flags with whoever gave it (a shell's terminal, the other end of 2>&1), so
// O_NONBLOCK must not be set on it. A pipe or terminal is opened a second time, non-blocking, through /proc; a socket
// is told so with each write; where neither is allowed, poll is asked before each small write. That last way is safe on
// a pipe that only we write to; a terminal of another user's may still block. One thread at a time.
class LogOutput {
 public:
  struct Result {
    size_t written = 0;
    int error = 0;  // errno; nothing was written
    bool would_wait() const { return written == 0 && error == 0; }
  };

  // To a pipe goes at once at most what the kernel keeps together (PIPE_BUF), cut after a line, so that lines of
  // several writers do not mix.
  static constexpr size_t kPieceBytesMax = 4096;

  // Duplicates `fd`.
  static absl::StatusOr<LogOutput> Share(int fd);
  // Appends; makes the file (mode 0640) but no folder. A FIFO needs a reader. Errors are the reason alone:
  // "permission denied".
  static absl::StatusOr<LogOutput> Open(const std::string& path);

  Result Write(std::string_view bytes);

  int fd() const { return fd_.get(); }
  // A write to a file is over when the disk has it, and nothing can be waited for.
  bool is_file() const { return kind_ == Kind::kFile; }

 private:
  enum class Kind : uint8_t { kFile, kNonBlocking, kSocket, kShared };
  LogOutput(base::FileDescriptor fd, Kind kind) : fd_(std::move(fd)), kind_(kind) {}

  base::FileDescriptor fd_;
  Kind kind_;
};

}  // namespace portico::observe

#endif  // PORTICO_DATAPLANE_OBSERVE_LOG_OUTPUT_H_
