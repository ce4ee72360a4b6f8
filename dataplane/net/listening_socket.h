#ifndef PORTICO_DATAPLANE_NET_LISTENING_SOCKET_H_
#define PORTICO_DATAPLANE_NET_LISTENING_SOCKET_H_

#include "absl/status/statusor.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/net/address.h"

namespace portico::net {

// A listening socket on its way from one owner to another: between processes (takeover/), or to a worker. However many
// descriptors of it there are, it is one queue of connections, and lives until the last of them is closed.
struct ListeningSocket {
  base::FileDescriptor fd;
  Address address;
  bool share_port = false;  // SO_REUSEPORT: others may listen on the address too

  // Looks at a descriptor of unknown origin, and makes it non-blocking. kInvalidArgument: it is no TCP socket that
  // listens.
  static absl::StatusOr<ListeningSocket> Examine(base::FileDescriptor fd);
  // Another descriptor of the same socket. kResourceExhausted: there is none left.
  absl::StatusOr<ListeningSocket> Duplicate() const;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_LISTENING_SOCKET_H_
