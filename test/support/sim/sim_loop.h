#ifndef PORTICO_TEST_SUPPORT_SIM_SIM_LOOP_H_
#define PORTICO_TEST_SUPPORT_SIM_SIM_LOOP_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/intrusive_list.h"
#include "dataplane/base/time.h"
#include "dataplane/event/loop.h"
#include "test/support/sim/sim_world.h"

namespace portico::sim {

// Something of the simulated network that has to tell its handler something in its loop's next turn.
class Ready : private base::ListLink<struct ReadyTag> {
 public:
  virtual void Dispatch() = 0;

 protected:
  ~Ready() = default;

 private:
  friend class SimLoop;
  friend class base::IntrusiveList<Ready, struct ReadyTag>;
};

// A loop in a SimWorld. It turns when there is something to do, a little later than it could, so that turns of
// different loops mix in every way.
class SimLoop final : public event::Loop {
 public:
  static constexpr base::Duration kTurnDelayMax = std::chrono::microseconds(30);

  // The world outlives it.
  SimLoop(SimWorld& world, std::string_view name);
  ~SimLoop() override;

  void Post(std::function<void()> task) override;
  base::WallTime WallNow() const override;
  std::string_view name() const { return name_; }

  // For the simulated network: calls Dispatch in a coming turn, in any order among what is ready then.
  void AddReady(Ready& ready);

 private:
  void TurnAt(base::MonotonicTime time);
  void TurnSoon();
  void Turn();
  void ScheduleNext();

  SimWorld& world_;
  const std::string name_;
  const uint64_t id_;
  uint64_t turn_number_ = 0;                         // turns that were scheduled before and are overtaken do nothing
  std::optional<base::MonotonicTime> scheduled_at_;  // the next turn
  base::IntrusiveList<Ready, struct ReadyTag> ready_;
  std::vector<std::function<void()>> tasks_;
};

}  // namespace portico::sim

#endif  // PORTICO_TEST_SUPPORT_SIM_SIM_LOOP_H_
