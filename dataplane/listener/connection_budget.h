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
// is accepted and nothing more: it waits, without TLS and codec, until a connection has ended. Idle connections, here
// or in another worker, make room for it; until there is any nobody is accepted, and whoever else wants to connect
// waits in the kernel's queue and costs us nothing. One thread.
//
//   if (budget.TryTake()) serve(stream)              → GiveBack at its end
//   else { keep the stream; budget.BeginWaiting(); }    → Member::LetIn: TryTake, EndWaiting, serve
class ConnectionBudget final : private shared::Budget::Member::Handler, private event::Timer::Handler {
 public:
  // While somebody waits and nobody was idle.
  static constexpr base::Duration kLookAgain = std::chrono::milliseconds(100);
  // An HTTP/2 connection that was told to go has this long before another one is.
  static constexpr base::Duration kLeavingTime = std::chrono::seconds(2);

  // Somebody who accepts. Leaves by itself when it dies.
  class Member : private base::ListLink<struct BudgetTag> {
   public:
    // full() has changed. It must not take or give back connections.
    virtual void OnBudgetChanged() = 0;
    // There is room for one. False: nobody waits here.
    virtual bool LetIn() = 0;
    // Begins to close the connection that has been idle for longest. False: there is none.
    virtual bool CloseIdle() = 0;

   protected:
    ~Member() = default;

   private:
    friend class ConnectionBudget;
    friend class base::IntrusiveList<Member, struct BudgetTag>;
  };

  // `total`: what all workers count. The loop outlives it.
  ConnectionBudget(event::Loop& loop, std::shared_ptr<shared::Budget> total);

  void Join(Member& member) { members_.PushBack(member); }

  // nullopt: as many as come. Fewer than there are: those there are stay.
  void set_connections_max(std::optional<size_t> connections_max);

  bool TryTake() { return slots_.TryTake(connections_max_); }
  // Above the limit: one that waited in the queue of a port that is closed.
  void Take() { slots_.Take(); }
  void GiveBack() {
    leaves_until_ = {};
    slots_.Return();
  }
  // Of one member after another; LetIn may come as soon as this has returned.
  void BeginWaiting();
  void EndWaiting();

  bool full() const { return waiting_ > 0; }
  size_t connections() const { return slots_.held(); }

 private:
  void OnRoom() override;
  void OnWanted() override;
  void OnTimer(event::Timer& timer) override;

  void LetOneIn();
  void Seek();
  void CloseIdle();
  void TellMembers();

  event::Loop& loop_;
  base::IntrusiveList<Member, struct BudgetTag> members_;
  size_t connections_max_ = SIZE_MAX;
  size_t waiting_ = 0;                  // members that keep a stream
  base::MonotonicTime leaves_until_{};  // one that makes room is on its way out
  shared::Budget::Member slots_;
  event::Timer timer_;
};

}  // namespace portico::listener

#endif  // PORTICO_DATAPLANE_LISTENER_CONNECTION_BUDGET_H_
