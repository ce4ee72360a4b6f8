#ifndef PORTICO_DATAPLANE_UPSTREAM_WAITING_LINE_H_
#define PORTICO_DATAPLANE_UPSTREAM_WAITING_LINE_H_

#include <cstddef>
#include <utility>

#include "dataplane/base/intrusive_list.h"
#include "dataplane/call/error.h"

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
// cluster, whose limit of connections is reached. Counts them, and into the cluster's total.
class WaitingLine {
 public:
  // The total outlives the line.
  explicit WaitingLine(size_t& total) : total_(total) {}

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void Join(Waiter& waiter) {
    waiters_.PushBack(waiter);
    waiter.line_ = this;
    ++size_;
    ++total_;
  }
  // Takes out whoever came first, or nullptr.
  Waiter* TakeFirst() {
    Waiter* first = waiters_.front();
    if (first != nullptr) first->LeaveLine();
    return first;
  }
  // Everybody goes to the end of another line.
  void MoveTo(WaitingLine& other) {
    while (Waiter* waiter = TakeFirst())
      other.Join(*waiter);
  }

 private:
  friend class Waiter;
  base::IntrusiveList<Waiter, struct WaiterTag> waiters_;
  size_t& total_;
  size_t size_ = 0;
};

inline void Waiter::LeaveLine() {
  if (line_ == nullptr) return;
  Unlink();
  --line_->size_;
  --line_->total_;
  line_ = nullptr;
}

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_WAITING_LINE_H_
