#ifndef PORTICO_DATAPLANE_UPSTREAM_WAITING_LINE_H_
#define PORTICO_DATAPLANE_UPSTREAM_WAITING_LINE_H_

#include <cstddef>
#include <utility>

#include "dataplane/base/intrusive_list.h"
#include "dataplane/call/error.h"
#include "dataplane/shared/budget.h"

namespace portico::upstream {

class Connection;
class Endpoint;
class WaitingLine;

// A call that waits for a connection. In one line at most; leaves it by itself when it is destroyed. It takes a place
// among those that may wait before it lines up, unless its own connection is being made, and keeps it from one line to
// the next, so that who has waited is never refused in favour of somebody who has not.
class Waiter : public base::ListLink<struct WaiterTag> {
 public:
  virtual ~Waiter() {
    LeaveLine();
    LeavePlace();
  }
  // Each of them: no longer in line, and may line up again. None of them calls whoever made the call.
  // CanSend() is true; use it now.
  virtual void OnConnection(Endpoint& endpoint, Connection& connection) = 0;
  virtual void OnNoConnection(Endpoint& endpoint, const call::Error& error) = 0;
  // The cluster may have room for another connection: choose again.
  virtual void OnRoom() = 0;

 protected:
  // What the cluster counts in all workers. False: there are `max` already, and this one is none of them.
  bool TakePlace(shared::Budget::Member& pending, size_t max) {
    if (place_ == nullptr && pending.TryTake(max)) place_ = &pending;
    return place_ != nullptr;
  }
  // Waits no more.
  void LeavePlace() {
    if (place_ != nullptr) std::exchange(place_, nullptr)->Return();
  }
  void LeaveLine();
  bool WaitsIn(const WaitingLine& line) const { return line_ == &line; }

 private:
  friend class WaitingLine;
  WaitingLine* line_ = nullptr;
  shared::Budget::Member* place_ = nullptr;
};

// Those who wait at one place, first come first served: at an endpoint, whose connection is on its way, or at the
// cluster, whose limit of connections is reached.
class WaitingLine {
 public:
  // `slots`: what the line waits for in a line of its own, which it leaves with its last waiter; nullptr: nothing.
  // Outlives it.
  explicit WaitingLine(shared::Budget::Member* slots = nullptr) : slots_(slots) {}

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void Join(Waiter& waiter) {
    waiters_.PushBack(waiter);
    waiter.line_ = this;
    ++size_;
  }
  // Takes out whoever came first, or nullptr.
  Waiter* TakeFirst() {
    Waiter* first = waiters_.front();
    if (first != nullptr) first->LeaveLine();
    return first;
  }
  // Those who came first stay, `size` of them; the others go to the end of another line, in their order.
  void MoveTo(WaitingLine& other, size_t size) {
    if (size_ <= size) return;
    Waiter* next = waiters_.front();
    for (; size > 0; --size)
      next = waiters_.Next(*next);
    while (next != nullptr) {
      Waiter& waiter = *next;
      next = waiters_.Next(waiter);
      waiter.LeaveLine();
      other.Join(waiter);
    }
  }

 private:
  friend class Waiter;
  base::IntrusiveList<Waiter, struct WaiterTag> waiters_;
  shared::Budget::Member* const slots_;
  size_t size_ = 0;
};

inline void Waiter::LeaveLine() {
  if (line_ == nullptr) return;
  Unlink();
  WaitingLine& line = *std::exchange(line_, nullptr);
  if (--line.size_ == 0 && line.slots_ != nullptr) line.slots_->StopWaiting();
}

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_WAITING_LINE_H_
