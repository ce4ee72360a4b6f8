#ifndef PORTICO_DATAPLANE_TAKEOVER_CHANNEL_H_
#define PORTICO_DATAPLANE_TAKEOVER_CHANNEL_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/takeover/message.h"

struct sockaddr_un;

namespace portico::takeover {

// A path is bound beside its place first, as "PATH.PID", and a sockaddr_un ends it with a zero within 108 bytes.
inline constexpr size_t kPathBytesMax = 99;

// A Unix socket, blocking or not, and the address of a path of up to 107 bytes.
absl::StatusOr<base::FileDescriptor> OpenUnixSocket(bool blocking);
struct sockaddr_un UnixAddress(const std::string& path);

struct Received {
  Message message;
  std::vector<base::FileDescriptor> descriptors;
};

// One end of a connection between the two processes. Whether it blocks is its descriptor's affair.
class Channel {
 public:
  explicit Channel(base::FileDescriptor fd) : fd_(std::move(fd)) {}

  // One packet. kUnavailable: the other end is gone, or does not read.
  absl::Status Send(const Message& message, const std::vector<int>& descriptors = {});
  // One packet. kUnavailable: there is none, now or within the time that a blocking descriptor waits.
  // kAborted: the other end is closed. Else as Decode; kInvalidArgument too if descriptors come where none may.
  absl::StatusOr<Received> Receive();

  struct Peer {
    pid_t pid = 0;
    uid_t uid = 0;
  };
  // As the kernel has it from the moment of the connection. kPermissionDenied: it runs as another user than this
  // process.
  absl::StatusOr<Peer> CheckedPeer() const;

  int fd() const { return fd_.get(); }

 private:
  base::FileDescriptor fd_;
};

}  // namespace portico::takeover

#endif  // PORTICO_DATAPLANE_TAKEOVER_CHANNEL_H_
