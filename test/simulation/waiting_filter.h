#ifndef PORTICO_TEST_SIMULATION_WAITING_FILTER_H_
#define PORTICO_TEST_SIMULATION_WAITING_FILTER_H_

#include <memory>

#include "dataplane/event/loop.h"
#include "dataplane/filter/filter.h"
#include "test/simulation/judge.h"

namespace portico::simulation {

// Says of each request what its script wants: passes or denies it, at once, later or never. Besides, somebody goes on
// holding its handle and uses it long after, whether the exchange is still there or not.
class WaitingFilterConfig final : public filter::FilterConfig {
 public:
  // The worker's loop. Both outlive whatever holds the configuration.
  WaitingFilterConfig(event::Loop& loop, Judge& judge) : loop_(loop), judge_(judge) {}
  std::unique_ptr<filter::Filter> MakeFilter(filter::WorkerSlots& slots) const override;

 private:
  event::Loop& loop_;
  Judge& judge_;
};

}  // namespace portico::simulation

#endif  // PORTICO_TEST_SIMULATION_WAITING_FILTER_H_
