#ifndef PORTICO_DATAPLANE_LISTENER_CONNECTION_BUDGET_H_
#define PORTICO_DATAPLANE_LISTENER_CONNECTION_BUDGET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/base/intrusive_list.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/shared/budget.h"

namespace portico::listener {

// The client connections that the process may hold, as the listeners of one worker see them. Over the limit one client
// is accepted and nothing more: it waits, without TLS and codec, until a connection has ended. Connections that have
// been idle for kIdleMin or longer make room for it, here first, and the longest idle first; else those of one other
// worker after another. Until there is room nobody is accepted, and whoever else wants to connect waits in the kernel's
// queue and costs us nothing. One thread.
//
//   if (budget.TryTake()) serve(stream)              → GiveBack at its end
//   else { keep the stream; budget.BeginWaiting(); }    → Holder::LetIn: TryTake, EndWaiting, serve
class ConnectionBudget final : private shared::Budget::Member::Handler, private event::Timer::Handler {
 public:
  // Who was let in has this long to say something, and who had an answer to ask for more.
  static constexpr base::Duration kIdleMin = std::chrono::seconds(1);
  // While somebody waits and nobody was idle.
  static constexpr base::Duration kLookAgain = std::chrono::milliseconds(100);
  // An HTTP/2 connection that was told to go has this long before another one is in its stead.
  static constexpr base::Duration kLeavingTime = std::chrono::seconds(2);
  // In one look, where the limit has become lower; then others have their turn.
  static constexpr size_t kClosesMax = 64;

  // Who accepts, and holds connections. Leaves by itself when it dies.
  class Holder : private base::ListLink<struct BudgetTag> {
   public:
    // full() has changed. It must not take or give back connections.
    virtual void OnBudgetChanged() = 0;
    // There is room for one. False: nobody waits here.
    virtual bool LetIn() = 0;
    // Of the connection that has been idle for longest; nullopt: none is.
    virtual std::optional<base::MonotonicTime> IdleSince() = 0;
    // Begins to close that one.
    virtual void CloseIdle() = 0;

   protected:
    ~Holder() = default;

   private:
    friend class ConnectionBudget;
    friend class base::IntrusiveList<Holder, struct BudgetTag>;
  };

  // `total`: what all workers count. The loop outlives it.
  ConnectionBudget(event::Loop& loop, std::shared_ptr<shared::Budget> total);

  void Join(Holder& holder) { holders_.PushBack(holder); }

  // nullopt: as many as come. Fewer than there are: those there are stay, as far as nobody waits.
  void set_connections_max(std::optional<size_t> connections_max);

  bool TryTake() { return slots_.TryTake(connections_max_); }
  // Above the limit: one that waited in the queue of a port that is closed.
  void Take() { slots_.Take(); }
  void GiveBack() {
    if (leaving_ > 0) --leaving_;
    slots_.Return();
  }
  // Of one holder after another; LetIn may come as soon as this has returned.
  void BeginWaiting();
  void EndWaiting();

  bool full() const { return waiting_ > 0; }
  size_t connections() const { return slots_.held(); }

 private:
  void OnRoom() override;
  size_t OnWanted(size_t count) override;
  void OnTimer(event::Timer& timer) override;

  void LetOneIn();
  void Seek();
  Holder* LongestIdle();
  void TellHolders();

  event::Loop& loop_;
  base::IntrusiveList<Holder, struct BudgetTag> holders_;
  size_t connections_max_ = SIZE_MAX;
  size_t waiting_ = 0;  // holders that keep a stream
  size_t leaving_ = 0;  // connections that were told to go to make room
  base::MonotonicTime leaves_until_{};
  shared::Budget::Member slots_;
  event::Timer timer_;
};

}  // namespace portico::listener

#endif  // PORTICO_DATAPLANE_LISTENER_CONNECTION_BUDGET_H_
