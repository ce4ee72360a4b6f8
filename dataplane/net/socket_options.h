#ifndef PORTICO_DATAPLANE_NET_SOCKET_OPTIONS_H_
#define PORTICO_DATAPLANE_NET_SOCKET_OPTIONS_H_

#include <sys/socket.h>

#include "dataplane/net/address.h"

namespace portico::net {

// Switches a boolean option on or off. False: errno says why.
inline bool SetFlag(int fd, int level, int option, bool on = true) {
  const int value = on ? 1 : 0;
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

// Where a socket is bound; 0.0.0.0:0 if the kernel does not say.
inline Address LocalAddress(int fd) {
  struct sockaddr_storage storage;
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<struct sockaddr*>(&storage);
  return ::getsockname(fd, address, &size) == 0 ? Address::FromSocketAddress(address) : Address();
}

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_SOCKET_OPTIONS_H_
