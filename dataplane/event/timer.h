#ifndef PORTICO_DATAPLANE_EVENT_TIMER_H_
#define PORTICO_DATAPLANE_EVENT_TIMER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/base/intrusive_list.h"
#include "dataplane/base/time.h"

namespace portico::event {

class TimerWheel;

// A deadline that is cheap to move: setting it later than before only stores the new time, and the wheel finds out when
// the old one comes up (a lazy deadline). One per connection or exchange; destroying it cancels it. OnTimer runs at or
// after the deadline, at most one tick (TimerWheel::kTick) late, never early, from the loop, once per Set.
class Timer : private base::ListLink<struct TimerTag> {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnTimer(Timer& timer) = 0;
  };

  // Both outlive the timer.
  Timer(TimerWheel& wheel, Handler& handler) : wheel_(wheel), handler_(handler) {}
  ~Timer() { Forget(); }

  void Set(base::MonotonicTime deadline);
  // Does not leave the wheel: the slot finds nothing to do when it comes up.
  void Cancel() { deadline_.reset(); }
  // Leaves the wheel as well. For a connection that goes idle and must hold nothing.
  void Forget();
  std::optional<base::MonotonicTime> deadline() const { return deadline_; }

 private:
  friend class TimerWheel;
  friend class base::IntrusiveList<Timer, struct TimerTag>;

  TimerWheel& wheel_;
  Handler& handler_;
  std::optional<base::MonotonicTime> deadline_;
  uint64_t slot_tick_ = 0;  // when the wheel will look at it; meaningful while linked
};

// A hierarchical timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987): setting and
// cancelling in constant time, however many there are. It knows no clock: the loop tells it the time.
class TimerWheel {
 public:
  static constexpr base::Duration kTick = std::chrono::milliseconds(1);
  static constexpr int kLevels = 5;  // 64 slots each: 64^5 ticks are 12 days; later deadlines wait in the last slot
  static constexpr int kSlotsPerLevel = 64;

  TimerWheel() = default;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Runs whatever is due at `now`; handlers may set and destroy any timer. Returns how many ran.
  size_t Advance(base::MonotonicTime now);
  // The earliest time at which Advance could have something to do; nullopt: nothing is set. May be early, never late.
  std::optional<base::MonotonicTime> NextExpiry() const;
  // Counts insertions into slots: "no timer call per exchange" is a test over this.
  uint64_t insertions() const { return insertions_; }
  size_t size() const { return size_; }  // timers that hold a slot

 private:
  friend class Timer;
  using Slot = base::IntrusiveList<Timer, struct TimerTag>;
  struct Place {
    int level;
    int slot;
    uint64_t tick;  // when the slot begins
  };

  void Insert(Timer& timer);
  void Remove(Timer& timer);
  std::optional<Place> NextSlot() const;
  void EmptySlot(Slot& slot, Slot& due);

  std::array<std::array<Slot, kSlotsPerLevel>, kLevels> slots_;
  mutable std::array<uint64_t, kLevels> occupied_{};  // a bit per slot that may hold timers; NextSlot prunes it
  uint64_t tick_ = 0;                                 // everything up to it has run
  uint64_t insertions_ = 0;
  size_t size_ = 0;
};

}  // namespace portico::event

#endif  // PORTICO_DATAPLANE_EVENT_TIMER_H_
