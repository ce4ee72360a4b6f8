#ifndef PORTICO_DATAPLANE_DOWNSTREAM_SITE_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_SITE_H_

#include <memory>
#include <string_view>

#include "dataplane/base/random.h"
#include "dataplane/cache/worker_cache.h"
#include "dataplane/call/call.h"
#include "dataplane/compose/budget.h"
#include "dataplane/event/loop.h"
#include "dataplane/filter/worker_slots.h"
#include "dataplane/observe/access_log.h"
#include "dataplane/snapshot/snapshot.h"

namespace portico::downstream {

// What an exchange asks of the worker it lives in. Outlives every exchange.
class Host {
 public:
  virtual event::Loop& loop() = 0;
  virtual base::Random& random() = 0;
  virtual filter::WorkerSlots& slots() = 0;
  virtual compose::Budget& composition_budget() = 0;
  virtual cache::WorkerCache& cache() = 0;
  virtual call::ReplayBudget& replay_budget() = 0;
  // The cluster of that name (Snapshot::clusters), nullptr if there is none. Whoever holds it keeps it alive, also when
  // a newer configuration has dropped it; let go of it where things die (Loop::DeleteLater), not inside its callback.
  virtual std::shared_ptr<call::Backend> FindBackend(std::string_view name) = 0;
  // Once for each exchange, also for an aborted one. The texts of `record` live as long as the call.
  virtual void OnExchangeEnd(const observe::ExchangeRecord& record) = 0;

 protected:
  ~Host() = default;
};

// Where requests arrive: one port of one worker. Its owner, the listener, puts a newer port in when the configuration
// is swapped; an exchange looks at it when it begins and when its request head is there. Outlives every exchange.
struct Site {
  Host& host;
  std::shared_ptr<const snapshot::Port> port;
};

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_SITE_H_
