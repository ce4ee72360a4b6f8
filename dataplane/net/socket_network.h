#ifndef PORTICO_DATAPLANE_NET_SOCKET_NETWORK_H_
#define PORTICO_DATAPLANE_NET_SOCKET_NETWORK_H_

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/net/listening_socket.h"
#include "dataplane/net/network.h"
#include "dataplane/net/reset_check.h"
#include "dataplane/net/socket_acceptor.h"

namespace portico::net {

// The real sockets of one loop.
//
// Listening sockets can come from another process and go to one (takeover/):
//
//   network.Adopt(sockets, ports)   → Listen on one of their addresses takes them (all of them, as one acceptor)
//   network.Release()               → the other process has let go: we accept, and what nobody asked for is closed
//   …
//   network.ShareSockets()          → for the successor
//   network.GiveUp(addresses)       → it serves
class SocketNetwork final : public Network {
 public:
  // The loop outlives it. `warn` gets what goes wrong beside the road ("accepting on … rests: …"); on the loop's
  // thread.
  explicit SocketNetwork(event::LibeventLoop& loop, SocketAcceptor::WarningSink warn = nullptr);

  std::unique_ptr<ByteStream> Connect(const Address& address) override;
  absl::StatusOr<std::unique_ptr<Acceptor>> Listen(const Address& address, const ListenOptions& options,
                                                   Acceptor::Handler& handler) override;
  absl::Status ProbePort(const Address& address) override;

  // The other process accepts on `ports`, so until Release nobody does here: an adopted socket is held, and a new one
  // on such a port does not listen yet, so that nothing is lost with this process. What is adopted is kept for the next
  // Listen too: a configuration may be refused.
  void Adopt(std::vector<ListeningSocket> sockets, std::set<uint16_t> ports);
  void Release();

  // Another descriptor of every socket that listens here. kResourceExhausted: there are none left.
  absl::StatusOr<std::vector<ListeningSocket>> ShareSockets();
  // Stops accepting on these addresses; who waits in the queues is the successor's.
  void GiveUp(const std::set<Address>& addresses);

 private:
  absl::StatusOr<std::unique_ptr<Acceptor>> TakeAdopted(const Address& address, int backlog,
                                                        Acceptor::Handler& handler);
  std::unique_ptr<Acceptor> MakeAcceptor(ListeningSocket socket, bool held, int backlog, Acceptor::Handler& handler);

  event::LibeventLoop& loop_;
  ResetCheck resets_;
  SocketAcceptor::WarningSink warn_;
  std::vector<ListeningSocket> adopted_;
  std::set<uint16_t> held_ports_;
  base::IntrusiveList<SocketAcceptor, struct AcceptorTag> acceptors_;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_SOCKET_NETWORK_H_
