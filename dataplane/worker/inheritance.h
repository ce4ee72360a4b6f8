#ifndef PORTICO_DATAPLANE_WORKER_INHERITANCE_H_
#define PORTICO_DATAPLANE_WORKER_INHERITANCE_H_

#include <cstddef>
#include <vector>

#include "dataplane/net/listening_socket.h"

namespace portico::worker {

// Who of `count` workers gets which of the listening sockets that another process had, by worker. Each address by
// itself: with as many sockets as workers everybody gets one; with fewer, those who get none open their own; with more,
// some get one more than others, and with it more of the connections, since the kernel spreads these over the sockets
// evenly. Pure.
std::vector<std::vector<net::ListeningSocket>> Spread(std::vector<net::ListeningSocket> sockets, size_t count);

}  // namespace portico::worker

#endif  // PORTICO_DATAPLANE_WORKER_INHERITANCE_H_
