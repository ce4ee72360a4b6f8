#ifndef PORTICO_DATAPLANE_NET_ARES_RESOLVER_H_
#define PORTICO_DATAPLANE_NET_ARES_RESOLVER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/time.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/net/address.h"
#include "dataplane/net/resolver.h"

namespace portico::net {

struct AresLimits {
  // For a server's answer, the first time; twice as long each time all of them have been asked. A resolver nearby
  // answers what it knows in a millisecond and what it must ask for in some hundred.
  base::Duration answer_timeout = std::chrono::seconds(1);
  int tries = 3;  // of each server: a lost datagram or two cost no lookup
  // The whole lookup, however many servers there are. Requests may be waiting for it.
  base::Duration lookup_timeout = std::chrono::seconds(10);
  // What the hosts file says has no time to live. Soon enough for whoever edits it, and seldom enough to be read for
  // each of a thousand names.
  base::Duration hosts_ttl = std::chrono::seconds(30);
};

// DNS by c-ares over UDP, and TCP for what was truncated, on one loop: its sockets and time limits are the loop's,
// there is no thread. (When a try is over c-ares decides by a clock of its own; when a lookup is, the loop's.) The
// hosts file is looked into first: it is how machines and containers name what no server knows. A name that is there
// has the addresses that it has there and no others: no server is asked for its other family. The file is read on the
// loop, so this belongs to a loop that serves nobody.
//
// Each lookup asks by sockets of its own, and reads the system's resolv.conf anew: a change of it needs no restart, and
// an idle resolver holds nothing.
class AresResolver final : public Resolver {
 public:
  // `servers`: who is asked, one after another; none: those of resolv.conf. The loop outlives it.
  explicit AresResolver(event::LibeventLoop& loop, const std::vector<Address>& servers = {},
                        const AresLimits& limits = {});

  std::unique_ptr<Lookup> Resolve(std::string_view name, Family family, Handler& handler) override;

 private:
  event::LibeventLoop& loop_;
  const std::string servers_;  // "127.0.0.1:53,[::1]:53"
  const AresLimits limits_;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_ARES_RESOLVER_H_
