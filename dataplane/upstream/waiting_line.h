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

// A call that waits for a connection. In one line at most; leaves it by itself when it is destroyed.
class Waiter : public base::ListLink<struct WaiterTag> {
 public:
  virtual ~Waiter() { LeaveLine(); }
  // Each of them: no longer in line, and may line up again. None of them calls whoever made the call.
  // CanSend() is true; use it now.
  virtual void OnConnection(Endpoint& endpoint, Connection& connection) = 0;
  virtual void OnNoConnection(Endpoint& endpoint, const call::Error& error) = 0;
  // The cluster may have room for another connection: choose again.
  virtual void OnRoom() = 0;

 protected:
  void LeaveLine();

 private:
  friend class WaitingLine;
  WaitingLine* line_ = nullptr;
};

// Those who wait at one place, first come first served: at an endpoint, whose connection is on its way, or at the
// cluster, whose limit of connections is reached. Counts them, and into what the cluster counts in all workers.
class WaitingLine {
 public:
  // Outlives the line.
  explicit WaitingLine(shared::Budget::Member& pending) : pending_(pending) {}

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void Join(Waiter& waiter) {
    waiters_.PushBack(waiter);
    waiter.line_ = this;
    ++size_;
    pending_.Take();
  }
  // Takes out whoever came first, or nullptr.
  Waiter* TakeFirst() {
    Waiter* first = waiters_.front();
    if (first != nullptr) first->LeaveLine();
    return first;
  }
  // Whoever came first goes to the end of another line, until `size` are left.
  void MoveTo(WaitingLine& other, size_t size) {
    while (size_ > size)
      other.Join(*TakeFirst());
  }

 private:
  friend class Waiter;
  base::IntrusiveList<Waiter, struct WaiterTag> waiters_;
  shared::Budget::Member& pending_;
  size_t size_ = 0;
};

inline void Waiter::LeaveLine() {
  if (line_ == nullptr) return;
  Unlink();
  --line_->size_;
  line_->pending_.Return();
  line_ = nullptr;
}

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_WAITING_LINE_H_
