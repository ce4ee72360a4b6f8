#ifndef PORTICO_DATAPLANE_LISTENER_CONNECTION_BUDGET_H_
#define PORTICO_DATAPLANE_LISTENER_CONNECTION_BUDGET_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "api/base/check.h"
#include "dataplane/base/intrusive_list.h"

namespace portico::listener {

// The client connections that one worker may hold, over all its listeners. While it is full nobody accepts: whoever
// wants to connect waits in the kernel's queue and costs us nothing. One thread.
class ConnectionBudget {
 public:
  // Somebody who accepts. Leaves by itself when it dies.
  class Member : private base::ListLink<struct BudgetTag> {
   public:
    // full() has changed. It must not take or give back connections.
    virtual void OnBudgetChanged() = 0;

   protected:
    ~Member() = default;

   private:
    friend class ConnectionBudget;
    friend class base::IntrusiveList<Member, struct BudgetTag>;
  };

  void Join(Member& member) { members_.PushBack(member); }

  // nullopt: as many as come. Fewer than there are: those there are stay.
  void set_connections_max(std::optional<size_t> connections_max) {
    connections_max_ = connections_max;
    TellIfChanged();
  }

  // A connection may be taken above the limit: one that waited in the queue of a port that is closed.
  void Take() {
    ++connections_;
    TellIfChanged();
  }
  void GiveBack() {
    PORTICO_CHECK(connections_ > 0);
    --connections_;
    TellIfChanged();
  }

  bool full() const { return full_; }
  size_t connections() const { return connections_; }

 private:
  void TellIfChanged() {
    const bool full = connections_max_ && connections_ >= *connections_max_;
    if (full == full_) return;
    full_ = full;
    for (Member* member = members_.front(); member != nullptr; member = members_.Next(*member))
      member->OnBudgetChanged();
  }

  std::optional<size_t> connections_max_;
  size_t connections_ = 0;
  bool full_ = false;
  base::IntrusiveList<Member, struct BudgetTag> members_;
};

}  // namespace portico::listener

#endif  // PORTICO_DATAPLANE_LISTENER_CONNECTION_BUDGET_H_
