#ifndef PORTICO_DATAPLANE_SHARED_BUDGET_H_
#define PORTICO_DATAPLANE_SHARED_BUDGET_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/poster.h"
#include "dataplane/shared/mutex.h"

namespace portico::shared {

// A number of slots that several loops share: never more are taken than whoever takes the last one allows. To take or
// to give back is one atomic operation while nobody waits. Each loop has a Member:
//
//   if (member.TryTake(max)) …            → later member.Return()
//   else member.Wait(max)                 → OnRoom, once a slot is ours: TryTake succeeds; Wait again for the next one
//
// Loops wait first come, first served, one slot at a time; a slot given back is handed to the first of them, so whoever
// gives one back can't snatch it again. With each Wait the members are asked, one after another and beginning with who
// waits, to give up what they keep without use, until enough comes back.
class Budget : public std::enable_shared_from_this<Budget> {
 private:
  struct Seat;      // what of a member other threads may know
  struct Grant;     // a slot on its way to a member
  struct Question;  // "what can you give up?" on its way to a member

 public:
  // On its loop's thread, save for the making. It gives back what it took before it dies.
  class Member {
   public:
    class Handler {
     public:
      // TryTake succeeds, once. What is not taken before this returns goes to the next who waits.
      virtual void OnRoom() = 0;
      // So many slots are missing, to this member or to others. Return() what is kept without use, at most so many; the
      // answer says how many more will come back soon without being asked for again.
      virtual size_t OnWanted(size_t count) = 0;

     protected:
      ~Handler() = default;
    };

    // `loop` and `handler` outlive it.
    Member(std::shared_ptr<Budget> budget, base::Poster& loop, Handler& handler);
    ~Member();
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    // TryTake would succeed, if nobody else comes first.
    bool HasRoom(size_t max) const { return granted_ > 0 || (budget_->waiting_ == 0 && budget_->taken_ < max); }
    bool TryTake(size_t max);
    void Take();  // above the limit
    void Return();
    // Once is enough until OnRoom. Again: asks anew, with another limit if it is another; the place in line stays. The
    // handler is not called before this returns.
    void Wait(size_t max);
    void StopWaiting();
    bool OthersWait() const;
    // Somebody waits who has less: one slot more for it and one less here would still be no less than it has then. Who
    // has none gets one from everybody in turn if there are fewer slots than members.
    bool OwesOne() const;
    size_t held() const { return held_; }

   private:
    friend class Budget;
    const std::shared_ptr<Budget> budget_;
    Handler& handler_;
    const std::shared_ptr<Seat> seat_;
    size_t held_ = 0;
    size_t granted_ = 0;  // by the OnRoom that is being called
  };

  size_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  // A member, as its budget's lock guards it.
  struct Place {
    std::shared_ptr<Seat> seat;
    uint64_t turn = 0;      // in line, the lowest first; 0: does not wait
    size_t max = 0;         // of its Wait, as what follows
    size_t held = 0;        // then
    bool promised = false;  // a grant is on its way to it
    size_t later = 0;       // what it answered to the last question
  };

  bool TryAdd(size_t max);
  void GiveBack() PORTICO_EXCLUDES(mutex_);
  void ServeLocked() PORTICO_REQUIRES(mutex_);
  Place& PlaceOf(const Seat& seat) PORTICO_REQUIRES(mutex_);
  const Place* First(const Seat* apart_from = nullptr) const PORTICO_REQUIRES(mutex_);
  void LeaveLine(Place& place) PORTICO_REQUIRES(mutex_);
  size_t Missing() const PORTICO_REQUIRES(mutex_);
  void Ask(const Seat& first) PORTICO_REQUIRES(mutex_);
  void AskNext() PORTICO_REQUIRES(mutex_);

  // Sequentially consistent, both: who gives back changes `taken_` and then reads `waiting_`, who begins to wait the
  // other way round, so at least one of them sees the other.
  std::atomic<size_t> taken_ = 0;
  std::atomic<size_t> waiting_ = 0;  // places in line
  mutable Mutex mutex_;
  std::vector<Place> places_ PORTICO_GUARDED_BY(mutex_);  // a loop each: few
  uint64_t last_turn_ PORTICO_GUARDED_BY(mutex_) = 0;
  bool asking_ PORTICO_GUARDED_BY(mutex_) = false;  // a question is on its way
  size_t to_ask_ PORTICO_GUARDED_BY(mutex_) = 0;    // how many members, from `next_asked_` on
  size_t next_asked_ PORTICO_GUARDED_BY(mutex_) = 0;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_BUDGET_H_
