#ifndef PORTICO_DATAPLANE_EVENT_LOOP_H_
#define PORTICO_DATAPLANE_EVENT_LOOP_H_

#include <memory>
#include <vector>

#include "dataplane/base/intrusive_list.h"
#include "dataplane/base/poster.h"
#include "dataplane/base/time.h"
#include "dataplane/event/timer.h"

namespace portico::event {

// Something that is destroyed at the end of the turn, so that nothing dies inside its own callback.
class Deletable {
 public:
  virtual ~Deletable() = default;
};

// Something that wants to run once at the end of this turn, after all events and before the deletions: an HTTP/2
// connection gathers the turn's frames and writes them here.
class TurnEnd : private base::ListLink<struct TurnEndTag> {
 public:
  virtual ~TurnEnd() = default;
  virtual void OnTurnEnd() = 0;

 private:
  friend class Loop;
  friend class base::IntrusiveList<TurnEnd, struct TurnEndTag>;
};

// One thread's loop. A turn: wait for events → their handlers → posted tasks → timers that are due → OnTurnEnd of
// whoever asked → deletions. Now() is fixed within a turn. The two implementations differ only in how they wait and in
// where the time comes from: LibeventLoop (this folder) and the simulation's (test/support/sim).
//
// Everything but Post belongs to the loop's own thread. The loop outlives whatever is registered with it; what waits in
// DeleteLater when the loop ends is destroyed with it.
class Loop : public base::Poster {
 public:
  Loop();
  ~Loop() override;

  base::MonotonicTime Now() const { return now_; }
  virtual base::WallTime WallNow() const = 0;  // as of this turn
  TimerWheel& timers() { return timers_; }

  // Asks for one OnTurnEnd; asking again in the same turn changes nothing. During OnTurnEnd one may ask again: it runs
  // in the same turn, at most kTurnEndRoundsMax rounds, the rest in the next turn.
  void AtTurnEnd(TurnEnd& task);
  void DeleteLater(std::unique_ptr<Deletable> object);

 protected:
  static constexpr int kTurnEndRoundsMax = 8;

  // For implementations: sets the time of a new turn, and ends a turn (timers, turn ends, deletions).
  void BeginTurn(base::MonotonicTime now) { now_ = now; }
  void EndTurn();
  // Destroys what waits. An implementation's destructor calls it first, while its own parts still stand.
  void RunDeletions();
  bool HasTurnEnds() const { return !turn_ends_.empty(); }

 private:
  void RunTurnEnds();

  base::MonotonicTime now_{};
  TimerWheel timers_;
  base::IntrusiveList<TurnEnd, struct TurnEndTag> turn_ends_;
  std::vector<std::unique_ptr<Deletable>> deletions_;
  std::vector<std::unique_ptr<Deletable>> dying_;  // empty between rounds; kept for its memory
};

}  // namespace portico::event

#endif  // PORTICO_DATAPLANE_EVENT_LOOP_H_
