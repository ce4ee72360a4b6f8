#include "dataplane/shared/budget.h"

#include <algorithm>
#include <utility>

#include "api/base/check.h"

namespace portico::shared {

struct Budget::Seat {
  explicit Seat(base::Poster& its_loop) : loop(its_loop) {}

  base::Poster& loop;               // posted to under the budget's lock alone, and only while the member is there
  Member* member = nullptr;         // of the loop's thread; nullptr: it has gone
  std::atomic<bool> waits = false;  // its place is in line; written under the budget's lock
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
      budget->PlaceOf(*seat).promised = false;
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

// Lives in a task. Whether that runs or not, the next member is asked when it goes.
struct Budget::Question {
  Question(std::shared_ptr<Budget> its_budget, std::shared_ptr<Seat> its_seat)
      : budget(std::move(its_budget)), seat(std::move(its_seat)) {}
  ~Question() {
    MutexLock lock(budget->mutex_);
    budget->AskNext();
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  void Deliver() {
    if (seat->member == nullptr) return;
    size_t missing = 0;
    {
      MutexLock lock(budget->mutex_);
      budget->PlaceOf(*seat).later = 0;
      missing = budget->Missing();
    }
    const size_t later = missing == 0 ? 0 : seat->member->handler_.OnWanted(missing);
    if (seat->member == nullptr) return;
    MutexLock lock(budget->mutex_);
    budget->PlaceOf(*seat).later = later;
  }

  const std::shared_ptr<Budget> budget;
  const std::shared_ptr<Seat> seat;
};

Budget::Member::Member(std::shared_ptr<Budget> budget, base::Poster& loop, Handler& handler)
    : budget_(std::move(budget)), handler_(handler), seat_(std::make_shared<Seat>(loop)) {
  seat_->member = this;
  MutexLock lock(budget_->mutex_);
  budget_->places_.push_back({.seat = seat_});
}

Budget::Member::~Member() {
  PORTICO_CHECK(held_ == 0 && granted_ == 0, "a member of a budget dies with slots");
  seat_->member = nullptr;
  MutexLock lock(budget_->mutex_);
  budget_->LeaveLine(budget_->PlaceOf(*seat_));
  std::erase_if(budget_->places_, [this](const Place& place) { return place.seat == seat_; });
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
  Place& place = budget_->PlaceOf(*seat_);
  if (place.promised) return;
  place.max = max;
  place.held = held_;
  if (place.turn == 0) {
    place.turn = ++budget_->last_turn_;
    seat_->waits = true;
    ++budget_->waiting_;
  }
  budget_->ServeLocked();
  if (place.turn != 0) budget_->Ask(*seat_);
}

void Budget::Member::StopWaiting() {
  if (!seat_->waits) return;
  MutexLock lock(budget_->mutex_);
  budget_->LeaveLine(budget_->PlaceOf(*seat_));
}

bool Budget::Member::OthersWait() const {
  const size_t waiting = budget_->waiting_.load(std::memory_order_relaxed);
  return waiting > (seat_->waits.load(std::memory_order_relaxed) ? 1 : 0);
}

bool Budget::Member::OwesOne() const {
  if (held_ == 0 || !OthersWait()) return false;
  MutexLock lock(budget_->mutex_);
  const Place* first = budget_->First(seat_.get());
  if (first == nullptr) return false;
  return held_ > first->held + 1 || (first->held == 0 && held_ * budget_->places_.size() > first->max);
}

bool Budget::TryAdd(size_t max) {
  size_t taken = taken_;
  while (taken < max)
    if (taken_.compare_exchange_weak(taken, taken + 1)) return true;
  return false;
}

void Budget::GiveBack() {
  --taken_;
  if (waiting_ == 0) return;
  MutexLock lock(mutex_);
  ServeLocked();
}

// A loop's Post only stores the task, so nobody's code runs under the lock; and a loop whose member has a place is
// still there.
void Budget::ServeLocked() {
  for (const Place* first = First(); first != nullptr && TryAdd(first->max); first = First()) {
    Place& place = PlaceOf(*first->seat);
    place.turn = 0;
    place.promised = true;
    place.seat->waits = false;
    --waiting_;
    place.seat->loop.Post([grant = std::make_shared<Grant>(shared_from_this(), place.seat)] { grant->Deliver(); });
  }
}

Budget::Place& Budget::PlaceOf(const Seat& seat) {
  const auto place = std::ranges::find_if(places_, [&](const Place& one) { return one.seat.get() == &seat; });
  PORTICO_CHECK(place != places_.end());
  return *place;
}

const Budget::Place* Budget::First(const Seat* apart_from) const {
  const Place* first = nullptr;
  for (const Place& place : places_)
    if (place.turn != 0 && place.seat.get() != apart_from && (first == nullptr || place.turn < first->turn))
      first = &place;
  return first;
}

// Behind one that goes there may be one that is content with less.
void Budget::LeaveLine(Place& place) {
  if (place.turn == 0) return;
  place.turn = 0;
  place.seat->waits = false;
  --waiting_;
  ServeLocked();
}

// What must come back before all who wait have one, apart from what is on its way.
size_t Budget::Missing() const {
  const Place* first = First();
  if (first == nullptr) return 0;
  size_t enough = first->max;
  for (const Place& place : places_)
    enough += place.later;
  const size_t wanted = taken_ + waiting_;
  return wanted > enough ? wanted - enough : 0;
}

// A question that goes round already goes round once more from where it is.
void Budget::Ask(const Seat& first) {
  to_ask_ = places_.size();
  for (size_t i = 0; i < places_.size(); ++i) {
    places_[i].later = 0;
    if (!asking_ && places_[i].seat.get() == &first) next_asked_ = i;
  }
  if (!asking_) AskNext();
}

void Budget::AskNext() {
  asking_ = to_ask_ > 0 && !places_.empty() && Missing() > 0;
  if (!asking_) return;
  --to_ask_;
  const std::shared_ptr<Seat> seat = places_[next_asked_++ % places_.size()].seat;
  seat->loop.Post([question = std::make_shared<Question>(shared_from_this(), seat)] { question->Deliver(); });
}

}  // namespace portico::shared
