#include "dataplane/shared/budget.h"

#include <algorithm>
#include <utility>

#include "api/base/check.h"

namespace portico::shared {

struct Budget::Seat {
  explicit Seat(base::Poster& its_loop) : loop(its_loop) {}

  base::Poster& loop;               // posted to under the budget's lock alone, and only while the member is there
  Member* member = nullptr;         // of the loop's thread; nullptr: it has gone
  std::atomic<bool> waits = false;  // is in the line
  size_t max = 0;                   // guarded by the budget's lock, as what follows
  bool promised = false;            // a grant is on its way to it
  bool asked = false;               // OnWanted is on its way
};

// Lives in a task. If that never runs, or the member has gone, the slot goes to somebody else.
struct Budget::Grant {
  Grant(std::shared_ptr<Budget> its_budget, std::shared_ptr<Seat> its_seat)
      : budget(std::move(its_budget)), seat(std::move(its_seat)) {}
  ~Grant() {
    if (!delivered) budget->GiveBack();
  }
  Grant(const Grant&) = delete;
  Grant& operator=(const Grant&) = delete;

  void Deliver() {
    if (seat->member == nullptr) return;
    delivered = true;
    {
      MutexLock lock(budget->mutex_);
      seat->promised = false;
    }
    ++seat->member->granted_;
    seat->member->handler_.OnRoom();
    if (seat->member == nullptr || seat->member->granted_ == 0) return;
    --seat->member->granted_;
    budget->GiveBack();
  }

  const std::shared_ptr<Budget> budget;
  const std::shared_ptr<Seat> seat;
  bool delivered = false;
};

Budget::Member::Member(std::shared_ptr<Budget> budget, base::Poster& loop, Handler& handler)
    : budget_(std::move(budget)), handler_(handler), seat_(std::make_shared<Seat>(loop)) {
  seat_->member = this;
  MutexLock lock(budget_->mutex_);
  budget_->members_.push_back(seat_);
  ++budget_->member_count_;
}

Budget::Member::~Member() {
  PORTICO_CHECK(held_ == 0 && granted_ == 0, "a member of a budget dies with slots");
  seat_->member = nullptr;
  MutexLock lock(budget_->mutex_);
  std::erase(budget_->members_, seat_);
  --budget_->member_count_;
  budget_->LeaveLine(*seat_);
}

bool Budget::Member::TryTake(size_t max) {
  if (granted_ > 0) {
    --granted_;
  } else if (budget_->waiting_ != 0 || !budget_->TryAdd(max)) {
    return false;
  }
  ++held_;
  return true;
}

void Budget::Member::Take() {
  ++budget_->taken_;
  ++held_;
}

void Budget::Member::Return() {
  PORTICO_CHECK(held_ > 0);
  --held_;
  budget_->GiveBack();
}

void Budget::Member::Wait(size_t max) {
  MutexLock lock(budget_->mutex_);
  if (seat_->promised) return;
  seat_->max = max;
  if (!seat_->waits) {
    seat_->waits = true;
    budget_->line_.push_back(seat_);
    budget_->waiting_ = budget_->line_.size();
  }
  budget_->ServeLocked();
  if (seat_->waits) budget_->AskOthers(*seat_);
}

void Budget::Member::StopWaiting() {
  if (!seat_->waits) return;
  MutexLock lock(budget_->mutex_);
  budget_->LeaveLine(*seat_);
}

bool Budget::Member::OthersWait() const {
  const size_t waiting = budget_->waiting_.load(std::memory_order_relaxed);
  return waiting > (seat_->waits.load(std::memory_order_relaxed) ? 1 : 0);
}

size_t Budget::Member::FairShare(size_t max) const {
  return std::max<size_t>(1, max / budget_->member_count_);
}

bool Budget::TryAdd(size_t max) {
  size_t taken = taken_;
  while (taken < max)
    if (taken_.compare_exchange_weak(taken, taken + 1)) return true;
  return false;
}

void Budget::GiveBack() {
  --taken_;
  if (waiting_ != 0) Serve();
}

void Budget::Serve() {
  MutexLock lock(mutex_);
  ServeLocked();
}

// A loop's Post only stores the task, so nobody's code runs under the lock; and a loop whose member is in the line is
// still there.
void Budget::ServeLocked() {
  while (!line_.empty() && TryAdd(line_.front()->max)) {
    const std::shared_ptr<Seat> first = line_.front();
    line_.erase(line_.begin());
    first->waits = false;
    first->promised = true;
    waiting_ = line_.size();
    first->loop.Post([grant = std::make_shared<Grant>(shared_from_this(), first)] { grant->Deliver(); });
  }
}

void Budget::AskOthers(const Seat& who) {
  for (const std::shared_ptr<Seat>& seat : members_) {
    if (seat.get() == &who || std::exchange(seat->asked, true)) continue;
    seat->loop.Post([budget = shared_from_this(), seat] {
      {
        MutexLock lock(budget->mutex_);
        seat->asked = false;
      }
      if (seat->member != nullptr && seat->member->OthersWait()) seat->member->handler_.OnWanted();
    });
  }
}

// Behind one that goes there may be one that is content with less.
void Budget::LeaveLine(const Seat& seat) {
  const auto place = std::find_if(line_.begin(), line_.end(), [&](const auto& one) { return one.get() == &seat; });
  if (place == line_.end()) return;
  (*place)->waits = false;
  line_.erase(place);
  waiting_ = line_.size();
  ServeLocked();
}

}  // namespace portico::shared
