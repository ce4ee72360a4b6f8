#ifndef PORTICO_DATAPLANE_NET_SOCKET_NETWORK_H_
#define PORTICO_DATAPLANE_NET_SOCKET_NETWORK_H_

#include <memory>

#include "dataplane/event/libevent_loop.h"
#include "dataplane/net/network.h"
#include "dataplane/net/reset_check.h"
#include "dataplane/net/socket_acceptor.h"

namespace portico::net {

// The real sockets of one loop.
class SocketNetwork final : public Network {
 public:
  // The loop outlives it. `warn` gets what goes wrong beside the road ("accepting on … rests: …"); on the loop's
  // thread.
  explicit SocketNetwork(event::LibeventLoop& loop, SocketAcceptor::WarningSink warn = nullptr);

  std::unique_ptr<ByteStream> Connect(const Address& address) override;
  absl::StatusOr<std::unique_ptr<Acceptor>> Listen(const Address& address, const ListenOptions& options,
                                                   Acceptor::Handler& handler) override;
  absl::Status ProbePort(const Address& address) override;

 private:
  event::LibeventLoop& loop_;
  ResetCheck resets_;
  SocketAcceptor::WarningSink warn_;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_SOCKET_NETWORK_H_
