#ifndef PORTICO_DATAPLANE_NET_LOOKUP_QUEUE_H_
#define PORTICO_DATAPLANE_NET_LOOKUP_QUEUE_H_

#include <cstddef>
#include <memory>
#include <string_view>

#include "dataplane/base/intrusive_list.h"
#include "dataplane/event/loop.h"
#include "dataplane/net/resolver.h"

namespace portico::net {

struct LookupLimits {
  // At a time. Each has sockets of its own, and a thousand names that are asked for at once, as at a start, would be
  // two thousand datagrams at once, of which a server's buffer drops some. With a millisecond for an answer so many are
  // done in a fraction of a second; where every server is silent it is a limit of what is tried, not of what is found.
  size_t lookups_max = 64;
};

// A resolver's lookups, so many at a time; the others wait, and are begun in the order in which they came. A lookup has
// its time from when it begins.
class LookupQueue final : public Resolver, private event::TurnEnd {
 public:
  // All outlive it.
  LookupQueue(event::Loop& loop, Resolver& resolver, const LookupLimits& limits = {});
  ~LookupQueue() override;

  std::unique_ptr<Lookup> Resolve(std::string_view name, Family family, Handler& handler) override;

 private:
  class Entry;

  // One is over. What waits is begun when the turn ends: of many that go at once, none is begun to be dropped.
  void Release();
  void OnTurnEnd() override;

  event::Loop& loop_;
  Resolver& resolver_;
  const LookupLimits limits_;
  size_t under_way_ = 0;
  base::IntrusiveList<Entry, struct LookupQueueTag> waiting_;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_LOOKUP_QUEUE_H_
