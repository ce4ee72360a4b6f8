#include "dataplane/event/timer.h"

#include <algorithm>
#include <bit>

namespace portico::event {

namespace {

constexpr int kBitsPerLevel = 6;
static_assert(1 << kBitsPerLevel == TimerWheel::kSlotsPerLevel);
constexpr uint64_t kSlotMask = TimerWheel::kSlotsPerLevel - 1;
// The furthest that a slot can begin ahead. One slot less than the top level has, so that the slot of "now" is never
// taken for one that lies a whole turn ahead.
constexpr uint64_t kTicksAheadMax = kSlotMask << (kBitsPerLevel * (TimerWheel::kLevels - 1));

uint64_t TickAtOrBefore(base::MonotonicTime time) {
  return static_cast<uint64_t>(std::max<int64_t>(time.time_since_epoch() / TimerWheel::kTick, 0));
}

// Rounded up, so that a timer is never early; without adding first, so that the last of all times does not overflow.
uint64_t TickAtOrAfter(base::MonotonicTime time) {
  const bool between_ticks = time.time_since_epoch() % TimerWheel::kTick > base::Duration::zero();
  return TickAtOrBefore(time) + (between_ticks ? 1 : 0);
}

}  // namespace

void Timer::Set(base::MonotonicTime deadline) {
  deadline_ = deadline;
  if (linked()) {
    if (slot_tick_ <= TickAtOrAfter(deadline)) return;
    wheel_.Remove(*this);
  }
  wheel_.Insert(*this);
}

void Timer::Forget() {
  deadline_.reset();
  if (linked()) wheel_.Remove(*this);
}

// The level is the highest digit (to the base of 64) in which the expiry differs from now: everything in a slot shares
// the digits above it with now, so slots never hold two rounds, and moving on empties exactly one slot at a time.
void TimerWheel::Insert(Timer& timer) {
  const uint64_t expiry = std::clamp(TickAtOrAfter(*timer.deadline_), tick_ + 1, tick_ + kTicksAheadMax);
  const int highest_bit = std::bit_width(expiry ^ tick_) - 1;
  const int level = std::min(highest_bit / kBitsPerLevel, kLevels - 1);
  const int shift = level * kBitsPerLevel;
  const uint64_t slot = (expiry >> shift) & kSlotMask;
  timer.slot_tick_ = expiry >> shift << shift;
  slots_[level][slot].PushBack(timer);
  occupied_[level] |= uint64_t{1} << slot;
  ++insertions_;
  ++size_;
}

void TimerWheel::Remove(Timer& timer) {
  timer.Unlink();
  --size_;
}

// Slots of a lower level begin before those of a higher one, so the first level that has any has the earliest.
std::optional<TimerWheel::Place> TimerWheel::NextSlot() const {
  for (int level = 0; level < kLevels; ++level) {
    const uint64_t position = tick_ >> (level * kBitsPerLevel);
    while (occupied_[level] != 0) {
      const int after_now = static_cast<int>((position + 1) & kSlotMask);
      const int distance = std::countr_zero(std::rotr(occupied_[level], after_now)) + 1;
      const int slot = static_cast<int>((position + distance) & kSlotMask);
      if (!slots_[level][slot].empty()) return Place{level, slot, (position + distance) << (level * kBitsPerLevel)};
      occupied_[level] &= ~(uint64_t{1} << slot);
    }
  }
  return std::nullopt;
}

void TimerWheel::EmptySlot(Slot& slot, Slot& due) {
  while (Timer* timer = slot.front()) {
    Remove(*timer);
    if (!timer->deadline_) continue;
    if (TickAtOrAfter(*timer->deadline_) > tick_) {
      Insert(*timer);
    } else {
      due.PushBack(*timer);
      ++size_;
    }
  }
}

// First everything that is due is gathered and the time moved on, then the handlers run: a handler that sets a deadline
// in the past runs again in the next tick, not over and over while the wheel catches up.
size_t TimerWheel::Advance(base::MonotonicTime now) {
  const uint64_t target = TickAtOrBefore(now);
  Slot due;
  for (auto next = NextSlot(); next && next->tick <= target; next = NextSlot()) {
    tick_ = next->tick;
    EmptySlot(slots_[next->level][next->slot], due);
  }
  tick_ = std::max(tick_, target);

  size_t ran = 0;
  while (Timer* timer = due.front()) {
    Remove(*timer);
    if (!timer->deadline_) continue;  // a handler before it cancelled it
    if (TickAtOrAfter(*timer->deadline_) > tick_) {
      Insert(*timer);  // or moved it
      continue;
    }
    timer->deadline_.reset();
    ++ran;
    timer->handler_.OnTimer(*timer);
  }
  return ran;
}

std::optional<base::MonotonicTime> TimerWheel::NextExpiry() const {
  const auto next = NextSlot();
  if (!next) return std::nullopt;
  return base::MonotonicTime(kTick * static_cast<int64_t>(next->tick));
}

}  // namespace portico::event
