#include "dataplane/event/timer.h"

#include <algorithm>
#include <bit>

namespace portico::event {
namespace {

constexpr int kBitsPerLevel = 6;
static_assert(1 << kBitsPerLevel == TimerWheel::kSlotsPerLevel);

// The first tick at or after the time: a timer is never early.
uint64_t TickOf(base::MonotonicTime time) {
  const auto since = time.time_since_epoch();
  if (since.count() <= 0) return 0;
  return static_cast<uint64_t>((since + TimerWheel::kTick - base::Duration(1)) / TimerWheel::kTick);
}

// How many ticks a slot of the level spans, as a shift.
int Shift(int level) {
  return level * kBitsPerLevel;
}

}  // namespace

void Timer::Set(base::MonotonicTime deadline) {
  deadline_ = deadline;
  const uint64_t tick = TickOf(deadline);
  if (linked()) {
    if (slot_tick_ <= tick) return;  // the wheel looks earlier than that anyway, and moves it on then
    wheel_.Remove(*this);
  }
  slot_tick_ = tick;
  wheel_.Insert(*this);
}

void Timer::Forget() {
  deadline_.reset();
  if (linked()) wheel_.Remove(*this);
}

void TimerWheel::Insert(Timer& timer) {
  ++insertions_;
  ++size_;
  // Never into the slot that has run already.
  const uint64_t tick = std::max(timer.slot_tick_, tick_ + 1);
  int level = 0;
  while (level + 1 < kLevels && (tick >> Shift(level)) - (tick_ >> Shift(level)) >= kSlotsPerLevel)
    ++level;
  const uint64_t farthest = (tick_ >> Shift(level)) + kSlotsPerLevel - 1;
  const uint64_t place = std::min(tick >> Shift(level), farthest);
  const int index = static_cast<int>(place % kSlotsPerLevel);
  // A timer beyond the last level is looked at when that slot comes up, and put in again.
  timer.slot_tick_ = std::min(tick, ((place + 1) << Shift(level)) - 1);
  slots_[level][index].PushBack(timer);
  occupied_[level] |= uint64_t{1} << index;
}

void TimerWheel::Remove(Timer& timer) {
  timer.Unlink();
  --size_;
}

// The tick at which the level's next occupied slot begins; UINT64_MAX: none.
uint64_t TimerWheel::NextSlotTick(int level) const {
  if (occupied_[level] == 0) return UINT64_MAX;
  const uint64_t current = tick_ >> Shift(level);
  // Slots after the current one, in the order in which they come up.
  const uint64_t rotated = std::rotr(occupied_[level], static_cast<int>((current + 1) % kSlotsPerLevel));
  return (current + 1 + static_cast<uint64_t>(std::countr_zero(rotated))) << Shift(level);
}

std::optional<base::MonotonicTime> TimerWheel::NextExpiry() const {
  uint64_t next = UINT64_MAX;
  for (int level = 0; level < kLevels; ++level)
    next = std::min(next, NextSlotTick(level));
  if (next == UINT64_MAX) return std::nullopt;
  return base::MonotonicTime(kTick * static_cast<int64_t>(next));
}

size_t TimerWheel::Advance(base::MonotonicTime now) {
  // Rounded down: the tick has passed wholly.
  const auto now_tick = static_cast<uint64_t>(std::max<int64_t>(now.time_since_epoch() / kTick, 0));
  size_t ran = 0;
  while (tick_ < now_tick) {
    uint64_t next = UINT64_MAX;
    for (int level = 0; level < kLevels; ++level)
      next = std::min(next, NextSlotTick(level));
    tick_ = std::min(next, now_tick);
    if (next > now_tick) break;
    // From the widest level down, so that what it holds reaches the finer ones in time.
    for (int level = kLevels - 1; level >= 0; --level) {
      const uint64_t within = (uint64_t{1} << Shift(level)) - 1;
      if ((tick_ & within) != 0) continue;
      RunSlot(level, static_cast<int>((tick_ >> Shift(level)) % kSlotsPerLevel), now_tick, ran);
    }
  }
  return ran;
}

void TimerWheel::RunSlot(int level, int index, uint64_t now_tick, size_t& ran) {
  occupied_[level] &= ~(uint64_t{1} << index);
  // Taken out first: a handler may set a timer into this very slot, a turn of the wheel later.
  Slot due;
  while (Timer* timer = slots_[level][index].front()) {
    timer->Unlink();
    due.PushBack(*timer);
  }
  while (Timer* timer = due.front()) {
    Remove(*timer);
    if (!timer->deadline_) continue;  // cancelled: it leaves the wheel now
    const uint64_t tick = TickOf(*timer->deadline_);
    if (tick > tick_) {
      timer->slot_tick_ = tick;
      Insert(*timer);
      continue;
    }
    timer->deadline_.reset();
    ++ran;
    timer->handler_.OnTimer(*timer);
  }
}

}  // namespace portico::event
