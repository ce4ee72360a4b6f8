#include "dataplane/net/socket_network.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "api/base/text.h"
#include "dataplane/base/errno_text.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/net/acceptor_group.h"
#include "dataplane/net/socket_options.h"
#include "dataplane/net/socket_stream.h"

namespace portico::net {

namespace {

absl::Status ErrorAt(const Address& address, int error) {
  const std::string text = base::Concat(address.ToString(), ": ", base::ErrnoText(error));
  switch (error) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(base::ToAbsl(text));
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(base::ToAbsl(text));
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
      return absl::InvalidArgumentError(base::ToAbsl(text));
    default:
      return absl::UnavailableError(base::ToAbsl(text));
  }
}

// A bound socket. SO_REUSEADDR lets it have a port on which connections of an earlier process are still in TIME_WAIT;
// on Linux it does not let two listen.
absl::StatusOr<base::FileDescriptor> Bind(const Address& address, bool share_port, bool v6_only) {
  const int family = address.is_v6() ? AF_INET6 : AF_INET;
  base::FileDescriptor fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrorAt(address, errno);
  const bool ready = SetFlag(fd.get(), SOL_SOCKET, SO_REUSEADDR) &&
                     (!share_port || SetFlag(fd.get(), SOL_SOCKET, SO_REUSEPORT)) &&
                     (!address.is_v6() || SetFlag(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, v6_only)) &&
                     SetFlag(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  if (!ready) return ErrorAt(address, errno);
  struct sockaddr_storage storage;
  const socklen_t size = address.ToSocketAddress(&storage);
  if (::bind(fd.get(), reinterpret_cast<const struct sockaddr*>(&storage), size) != 0) return ErrorAt(address, errno);
  return fd;
}

}  // namespace

SocketNetwork::SocketNetwork(event::LibeventLoop& loop, SocketAcceptor::WarningSink warn)
    : loop_(loop), resets_(loop), warn_(std::move(warn)) {}

std::unique_ptr<ByteStream> SocketNetwork::Connect(const Address& address) {
  return SocketStream::Connecting(loop_, resets_, address);
}

absl::StatusOr<std::unique_ptr<Acceptor>> SocketNetwork::Listen(const Address& address, const ListenOptions& options,
                                                                Acceptor::Handler& handler) {
  auto adopted = TakeAdopted(address, options.backlog, handler);
  if (!absl::IsNotFound(adopted.status())) return adopted;
  auto fd = Bind(address, options.share_port, options.v6_only);
  if (!fd.ok()) return fd.status();
  const bool held = held_ports_.contains(address.port());
  if (!held && ::listen(fd->get(), options.backlog) != 0) return ErrorAt(address, errno);
  const Address local = LocalAddress(fd->get());
  return MakeAcceptor({*std::move(fd), local, options.share_port}, held, options.backlog, handler);
}

// All of them: a queue that nobody empties would be lost.
absl::StatusOr<std::unique_ptr<Acceptor>> SocketNetwork::TakeAdopted(const Address& address, int backlog,
                                                                     Acceptor::Handler& handler) {
  std::vector<std::unique_ptr<Acceptor>> taken;
  for (const ListeningSocket& socket : adopted_) {
    if (socket.address != address) continue;
    absl::StatusOr<ListeningSocket> copy = socket.Duplicate();
    if (!copy.ok()) return copy.status();
    taken.push_back(MakeAcceptor(*std::move(copy), /*held=*/true, backlog, handler));
  }
  if (taken.empty()) return absl::NotFoundError("no socket of this address was adopted");
  if (taken.size() == 1) return std::move(taken.front());
  return std::make_unique<AcceptorGroup>(std::move(taken));
}

std::unique_ptr<Acceptor> SocketNetwork::MakeAcceptor(ListeningSocket socket, bool held, int backlog,
                                                      Acceptor::Handler& handler) {
  auto acceptor = std::make_unique<SocketAcceptor>(loop_, resets_, std::move(socket), held, backlog, handler, warn_);
  acceptors_.PushBack(*acceptor);
  return acceptor;
}

void SocketNetwork::Adopt(std::vector<ListeningSocket> sockets, std::set<uint16_t> ports) {
  adopted_ = std::move(sockets);
  held_ports_ = std::move(ports);
}

void SocketNetwork::Release() {
  for (SocketAcceptor* one = acceptors_.front(); one != nullptr; one = acceptors_.Next(*one))
    one->Release();
  adopted_.clear();
  held_ports_.clear();
}

absl::StatusOr<std::vector<ListeningSocket>> SocketNetwork::ShareSockets() {
  std::vector<ListeningSocket> shared;
  for (SocketAcceptor* one = acceptors_.front(); one != nullptr; one = acceptors_.Next(*one)) {
    absl::StatusOr<ListeningSocket> copy = one->Share();
    if (absl::IsFailedPrecondition(copy.status())) continue;
    if (!copy.ok()) return copy.status();
    shared.push_back(*std::move(copy));
  }
  return shared;
}

void SocketNetwork::GiveUp(const std::set<Address>& addresses) {
  for (SocketAcceptor* one = acceptors_.front(); one != nullptr; one = acceptors_.Next(*one))
    if (addresses.contains(one->local())) one->GiveUp();
}

absl::Status SocketNetwork::ProbePort(const Address& address) {
  if (address.port() == 0) return absl::OkStatus();
  return Bind(address, /*share_port=*/false, /*v6_only=*/true).status();
}

}  // namespace portico::net
