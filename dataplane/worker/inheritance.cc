#include "dataplane/worker/inheritance.h"

#include <map>
#include <utility>

namespace portico::worker {

std::vector<std::vector<net::ListeningSocket>> Spread(std::vector<net::ListeningSocket> sockets, size_t count) {
  std::vector<std::vector<net::ListeningSocket>> by_worker(count);
  // Each address begins with another worker: what is left over is not all the first one's.
  std::map<net::Address, size_t> next;
  for (net::ListeningSocket& socket : sockets) {
    size_t& worker = next.try_emplace(socket.address, next.size()).first->second;
    by_worker[worker++ % count].push_back(std::move(socket));
  }
  return by_worker;
}

}  // namespace portico::worker
