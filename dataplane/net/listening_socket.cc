#include "dataplane/net/listening_socket.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "api/base/text.h"
#include "dataplane/base/errno_text.h"
#include "dataplane/net/socket_options.h"

namespace portico::net {

namespace {

std::optional<int> Option(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(fd, SOL_SOCKET, option, &value, &size) != 0) return std::nullopt;
  return value;
}

}  // namespace

absl::StatusOr<ListeningSocket> ListeningSocket::Examine(base::FileDescriptor fd) {
  const auto domain = Option(fd.get(), SO_DOMAIN);
  if (domain != AF_INET && domain != AF_INET6) return absl::InvalidArgumentError("it is no socket of IPv4 or IPv6");
  if (Option(fd.get(), SO_TYPE) != SOCK_STREAM) return absl::InvalidArgumentError("it is no TCP socket");
  if (Option(fd.get(), SO_ACCEPTCONN) != 1) return absl::InvalidArgumentError("it does not listen");
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return absl::InvalidArgumentError(base::ToAbsl(base::ErrnoText(errno)));
  }
  const Address address = LocalAddress(fd.get());
  const bool share_port = Option(fd.get(), SO_REUSEPORT) == 1;
  return ListeningSocket{std::move(fd), address, share_port};
}

absl::StatusOr<ListeningSocket> ListeningSocket::Duplicate() const {
  base::FileDescriptor copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) {
    return absl::ResourceExhaustedError(
        base::ToAbsl(base::Concat("the socket of ", address.ToString(), ": ", base::ErrnoText(errno))));
  }
  return ListeningSocket{std::move(copy), address, share_port};
}

}  // namespace portico::net
