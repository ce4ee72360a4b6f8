#ifndef PORTICO_DATAPLANE_NET_NAME_WATCH_H_
#define PORTICO_DATAPLANE_NET_NAME_WATCH_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/random.h"
#include "dataplane/base/time.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/net/address.h"
#include "dataplane/net/resolver.h"

namespace portico::net {

struct NameLimits {
  // An answer that holds for no time at all is asked for again once a second.
  base::Duration ttl_min = std::chrono::seconds(1);
  // Whoever moves a service does not wait for the week that its old record says.
  base::Duration ttl_max = std::chrono::minutes(5);
  // A family without addresses. The time that its zone says (RFC 2308) c-ares does not tell.
  base::Duration no_address_pause = std::chrono::seconds(30);
  // After a lookup that failed: the first time, twice as long each time, and the longest. Half of each is drawn at
  // random, so that many proxies do not return to a server at once.
  base::Duration retry_pause_min = std::chrono::seconds(1);
  base::Duration retry_pause_max = std::chrono::seconds(30);
  // As many as a Cluster may list. Of more the first in their order: which these are does not depend on the answer's.
  size_t addresses_max = 1000;
};

// Where one name leads, followed: A and AAAA, each asked for again when its time to live is over. The addresses are
// those of both families together, sorted, so that the same answer in another order is the same.
//
// What was known stays until there is something better: a lookup that fails changes nothing, whatever it fails with,
// and neither does the answer that there is no address at all. A server that is down, or a record that is gone for a
// moment, must not take down what it names. A family whose records are gone goes if the other one has some.
//
//   NameWatch watch(loop, resolver, random, "orders.internal", handler);
//   → OnLookup(…) for each lookup; OnAddresses(…) first when something is known, or nothing can be, and with each
//   change
class NameWatch {
 public:
  // Does nothing to the watch.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnLookup(Family family, const Resolution& resolution) = 0;
    // With port 0. None: both families were asked, and no address is known.
    virtual void OnAddresses(const std::vector<Address>& addresses) = 0;
  };

  // Asks at once. All outlive it.
  NameWatch(event::Loop& loop, Resolver& resolver, base::Random& random, std::string name, Handler& handler,
            const NameLimits& limits = {});
  NameWatch(const NameWatch&) = delete;
  NameWatch& operator=(const NameWatch&) = delete;

  const std::string& name() const { return name_; }
  const std::vector<Address>& addresses() const { return addresses_; }

 private:
  // One family of addresses.
  struct Half final : Resolver::Handler, event::Timer::Handler {
    Half(NameWatch& its_watch, Family its_family);
    void Ask();
    void OnTimer(event::Timer&) override { Ask(); }
    void OnResolved(Resolution resolution) override;

    NameWatch& watch;
    const Family family;
    event::Timer timer;
    std::unique_ptr<Resolver::Lookup> lookup;  // nullptr: none is under way
    std::vector<Address> addresses;            // of the last answer
    bool asked = false;                        // a lookup is over
    int failures = 0;                          // in a row
  };

  void OnResolved(Half& half, const Resolution& resolution);
  base::Duration PauseAfter(const Half& half, const Resolution& resolution);
  void Tell();

  event::Loop& loop_;
  Resolver& resolver_;
  base::Random& random_;
  const std::string name_;
  NameWatch::Handler& handler_;
  const NameLimits limits_;
  std::vector<Address> addresses_;  // that were told
  bool told_ = false;
  Half v4_, v6_;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_NAME_WATCH_H_
