#ifndef PORTICO_DATAPLANE_SHARED_BUDGET_H_
#define PORTICO_DATAPLANE_SHARED_BUDGET_H_

#include <atomic>
#include <cstddef>
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
// gives one back can't snatch it again. The other members hear OnWanted, and give up what they keep without use.
class Budget : public std::enable_shared_from_this<Budget> {
 private:
  struct Seat;   // what of a member other threads may know
  struct Grant;  // a slot on its way to a member

 public:
  // On its loop's thread, save for the making. It gives back what it took before it dies.
  class Member {
   public:
    class Handler {
     public:
      // TryTake succeeds, once. What is not taken before this returns goes to the next who waits.
      virtual void OnRoom() = 0;
      // Others wait: at each beginning of theirs, but not once more before this has been called.
      virtual void OnWanted() = 0;

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
    // Once is enough until OnRoom; again is allowed. The handler is not called before this returns.
    void Wait(size_t max);
    void StopWaiting();
    bool OthersWait() const;
    size_t held() const { return held_; }
    // What each member would have if all had the same; at least 1.
    size_t FairShare(size_t max) const;

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
  bool TryAdd(size_t max);
  void GiveBack();
  void Serve() PORTICO_EXCLUDES(mutex_);
  void ServeLocked() PORTICO_REQUIRES(mutex_);
  void AskOthers(const Seat& who) PORTICO_REQUIRES(mutex_);
  void LeaveLine(const Seat& seat) PORTICO_REQUIRES(mutex_);

  // Sequentially consistent, both: who gives back changes `taken_` and then reads `waiting_`, who begins to wait the
  // other way round, so at least one of them sees the other.
  std::atomic<size_t> taken_ = 0;
  std::atomic<size_t> waiting_ = 0;  // the length of `line_`
  std::atomic<size_t> member_count_ = 0;
  Mutex mutex_;
  std::vector<std::shared_ptr<Seat>> members_ PORTICO_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Seat>> line_ PORTICO_GUARDED_BY(mutex_);  // a loop each: short
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_BUDGET_H_
