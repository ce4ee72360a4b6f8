#ifndef PORTICO_TEST_SUPPORT_SIM_SIM_WORLD_H_
#define PORTICO_TEST_SUPPORT_SIM_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/base/random.h"
#include "dataplane/base/time.h"
#include "dataplane/net/address.h"
#include "test/support/sim/fault_plan.h"

namespace portico::sim {

class SimAcceptor;
class SimConnection;
class SimLoop;

// A world in virtual time on one thread: a queue of events, everything random in it from one seed, and a trace of what
// happened. Any number of loops (processes, workers, clients) live in it; their networks reach each other by address.
//
//   SimWorld world(seed);                          // make it first, let it die last
//   SimLoop loop(world, "proxy");
//   SimNetwork network(world, loop, "10.0.0.1");   // the host's address
//   world.RunUntil([&] { return client.done(); }, std::chrono::seconds(60));
//   EXPECT_EQ(world.Leaks(), "");                  // after everything under test was destroyed
//
// A seed run twice leaves the same trace, if the code under test hangs on nothing but its arguments.
class SimWorld {
 public:
  static constexpr uint64_t kStepsPerRunMax = 20'000'000;  // a run that is still going after them spins

  explicit SimWorld(uint64_t seed);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  base::MonotonicTime Now() const { return now_; }
  base::Random& random() { return random_; }
  // True once in `one_in`.
  bool Chance(uint64_t one_in) { return random_.Below(one_in) == 0; }
  // From `min` to `max`, both included.
  base::Duration Between(base::Duration min, base::Duration max);

  // Chooses the plan of each connection that somebody begins. Without it all are FaultPlan().
  using PlanChooser = std::function<FaultPlan(const net::Address& to, base::Random& random)>;
  void set_plan_chooser(PlanChooser chooser) { choose_plan_ = std::move(chooser); }

  // Runs events until the predicate holds (true), or nothing is left or the time is over (false).
  bool RunUntil(const std::function<bool()>& predicate, base::Duration within);
  // Until nothing is left to happen. False: something still was after that time.
  bool RunUntilIdle(base::Duration within);
  void RunFor(base::Duration duration);

  // What has not been given back, in words; "" if all of it has: streams, acceptors, connections, timers.
  std::string Leaks() const;
  size_t live_streams() const { return live_streams_; }
  size_t live_acceptors() const { return live_acceptors_; }

  // Adds a line to the trace: its hash always, its text if kept.
  void Trace(std::string_view line);
  void KeepTraceText() { keep_text_ = true; }
  uint64_t trace_hash() const { return trace_hash_; }
  const std::string& trace_text() const { return trace_text_; }

 private:
  friend class SimAcceptor;
  friend class SimConnection;
  friend class SimLoop;
  friend class SimNetwork;
  friend class SimStream;

  // Runs `event` then; events of one time in an order that the seed chooses. The event must hold whatever it names by
  // number and look it up: what it wants may be gone.
  void At(base::MonotonicTime time, std::function<void()> event);
  void After(base::Duration delay, std::function<void()> event) { At(now_ + delay, std::move(event)); }

  uint64_t AddLoop(SimLoop& loop);
  void RemoveLoop(uint64_t id) { loops_.erase(id); }
  SimLoop* FindLoop(uint64_t id) const;
  SimConnection* FindConnection(uint64_t id) const;
  // Drops the connection at the end of the event if both its ends are gone.
  void Forget(SimConnection& connection);
  std::vector<SimAcceptor*>& AcceptorsAt(const net::Address& address) { return acceptors_[address]; }
  uint16_t NextPort() { return next_port_++; }

  const uint64_t seed_;
  base::Random random_;
  base::MonotonicTime now_;
  PlanChooser choose_plan_;
  std::map<std::pair<base::MonotonicTime, std::pair<uint64_t, uint64_t>>, std::function<void()>> events_;
  uint64_t next_id_ = 1;
  uint16_t next_port_ = 10'000;
  std::map<uint64_t, SimLoop*> loops_;
  std::map<uint64_t, std::unique_ptr<SimConnection>> connections_;
  std::map<net::Address, std::vector<SimAcceptor*>> acceptors_;
  size_t live_streams_ = 0;
  size_t live_acceptors_ = 0;
  uint64_t trace_hash_;
  bool keep_text_ = false;
  std::string trace_text_;
};

}  // namespace portico::sim

#endif  // PORTICO_TEST_SUPPORT_SIM_SIM_WORLD_H_
