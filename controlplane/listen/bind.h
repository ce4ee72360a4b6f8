#ifndef PORTICO_CONTROLPLANE_LISTEN_BIND_H_
#define PORTICO_CONTROLPLANE_LISTEN_BIND_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace portico::listen {

// An open socket.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(other.Release()) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  int descriptor() const { return descriptor_; }
  // The caller closes it.
  int Release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

// A TCP socket at `address` (IP:PORT, [IPv6]:PORT; port 0: a free one) that does not listen yet. kFailedPrecondition:
// "--api_address=127.0.0.1:80: cannot be listened at: Permission denied", with `flag` as what names the address.
absl::StatusOr<Socket> Bind(std::string_view flag, const std::string& address);

// The port that a socket has.
int PortOf(const Socket& socket);

// "[::1]:80" with the port 81: "[::1]:81".
std::string WithPort(const std::string& address, int port);

}  // namespace portico::listen

#endif  // PORTICO_CONTROLPLANE_LISTEN_BIND_H_
