#include "dataplane/takeover/channel.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/base/errno_text.h"

namespace portico::takeover {

namespace {

constexpr size_t kControlBytes = CMSG_SPACE(Message::kDescriptorsMax * sizeof(int));

// Everything that came is owned at once, whatever is wrong with the packet.
std::vector<base::FileDescriptor> DescriptorsOf(struct msghdr& packet) {
  std::vector<base::FileDescriptor> descriptors;
  for (struct cmsghdr* part = CMSG_FIRSTHDR(&packet); part != nullptr; part = CMSG_NXTHDR(&packet, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    std::vector<int> numbers((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(numbers.data(), CMSG_DATA(part), numbers.size() * sizeof(int));
    for (const int number : numbers)
      descriptors.emplace_back(number);
  }
  return descriptors;
}

absl::Status Unavailable(std::string_view what, int error) {
  return absl::UnavailableError(base::ToAbsl(base::Concat(what, ": ", base::ErrnoText(error))));
}

}  // namespace

absl::StatusOr<base::FileDescriptor> OpenUnixSocket(bool blocking) {
  base::FileDescriptor fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0));
  if (!fd.valid()) return Unavailable("a Unix socket", errno);
  return fd;
}

struct sockaddr_un UnixAddress(const std::string& path) {
  struct sockaddr_un address{};
  address.sun_family = AF_UNIX;
  PORTICO_CHECK(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

absl::Status Channel::Send(const Message& message, const std::vector<int>& descriptors) {
  PORTICO_CHECK(descriptors.size() <= Message::kDescriptorsMax);
  absl::StatusOr<std::string> bytes = Encode(message);
  if (!bytes.ok()) return bytes.status();
  struct iovec piece = {bytes->data(), bytes->size()};
  struct msghdr packet{};
  packet.msg_iov = &piece;
  packet.msg_iovlen = 1;
  alignas(struct cmsghdr) char control[kControlBytes] = {};
  if (!descriptors.empty()) {
    packet.msg_control = control;
    packet.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    struct cmsghdr* part = CMSG_FIRSTHDR(&packet);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size() * sizeof(int));
  }
  ssize_t sent;
  do {
    sent = ::sendmsg(fd_.get(), &packet, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? Unavailable("sending to the other process", errno) : absl::OkStatus();
}

absl::StatusOr<Received> Channel::Receive() {
  std::string bytes(Message::kBytesMax, '\0');
  struct iovec piece = {bytes.data(), bytes.size()};
  alignas(struct cmsghdr) char control[kControlBytes];
  struct msghdr packet{};
  packet.msg_iov = &piece;
  packet.msg_iovlen = 1;
  packet.msg_control = control;
  packet.msg_controllen = sizeof control;
  // A reset is told once, before what the other end said last (it closed without having read what we said).
  ssize_t got;
  do {
    got = ::recvmsg(fd_.get(), &packet, MSG_CMSG_CLOEXEC);
  } while (got < 0 && (errno == EINTR || errno == ECONNRESET));
  if (got < 0) return Unavailable("no answer", errno);
  std::vector<base::FileDescriptor> descriptors = DescriptorsOf(packet);
  if (got == 0) return absl::AbortedError("it is gone");
  if ((packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return absl::InvalidArgumentError("a packet that is too long, or more descriptors than this process may hold");
  }
  absl::StatusOr<Message> message = Decode(std::string_view(bytes).substr(0, static_cast<size_t>(got)));
  if (!message.ok()) return message.status();
  if (!descriptors.empty() && message->kind != Message::Kind::kSockets) {
    return absl::InvalidArgumentError("descriptors where none are expected");
  }
  return Received{*std::move(message), std::move(descriptors)};
}

absl::StatusOr<Channel::Peer> Channel::CheckedPeer() const {
  struct ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Unavailable("who the other process is", errno);
  }
  if (credentials.uid != ::geteuid()) {
    return absl::PermissionDeniedError(
        base::ToAbsl(base::Concat("process ", credentials.pid, " runs as user ", credentials.uid,
                                  " and this one as user ", ::geteuid(), "; both must be the same user's")));
  }
  return Peer{credentials.pid, credentials.uid};
}

}  // namespace portico::takeover
