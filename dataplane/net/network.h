#ifndef PORTICO_DATAPLANE_NET_NETWORK_H_
#define PORTICO_DATAPLANE_NET_NETWORK_H_

#include <memory>

#include "absl/status/statusor.h"
#include "dataplane/net/address.h"
#include "dataplane/net/byte_stream.h"

namespace portico::net {

// Accepts connections on one address, for one loop. Destroying it stops and closes the listening socket (or its share
// of it); Drain() accepts what already waits in the queue, and then stops.
class Acceptor {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // The stream is open. Called several times per event, at most kAcceptsPerTurnMax.
    virtual void OnAccept(std::unique_ptr<ByteStream> stream) = 0;
  };
  static constexpr int kAcceptsPerTurnMax = 64;  // so that a flood of connections does not starve those there are

  virtual ~Acceptor() = default;
  virtual const Address& local() const = 0;  // with the real port if 0 was asked for
  // Stops accepting while over a limit of connections, and goes on.
  virtual void Pause() = 0;
  virtual void Resume() = 0;
  virtual void Drain() = 0;
};

struct ListenOptions {
  int backlog = 4096;      // the kernel caps it at net.core.somaxconn
  bool share_port = true;  // SO_REUSEPORT: one acceptor per worker
  bool v6_only = true;     // an IPv6 socket takes no IPv4; listeners on all addresses open both
};

// The world of sockets as one worker sees it, bound to that worker's loop. Implementations: SocketNetwork and the
// simulation's. Outlives its streams and acceptors.
class Network {
 public:
  virtual ~Network() = default;
  // Begins to connect; never fails at once: OnOpen(false) comes in a later turn. No timeout of its own.
  virtual std::unique_ptr<ByteStream> Connect(const Address& address) = 0;
  // The handler outlives the acceptor. Errors name the address and the reason ("127.0.0.1:80: address in use").
  virtual absl::StatusOr<std::unique_ptr<Acceptor>> Listen(const Address& address, const ListenOptions& options,
                                                           Acceptor::Handler& handler) = 0;
  // Fails if another process has the port, even with SO_REUSEPORT: binds a socket without it and closes it again.
  // For port 0 always ok.
  virtual absl::Status ProbePort(const Address& address) = 0;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_NETWORK_H_
