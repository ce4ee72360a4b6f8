#include "dataplane/listener/connection_budget.h"

#include <utility>

#include "api/base/check.h"

namespace portico::listener {

ConnectionBudget::ConnectionBudget(event::Loop& loop, std::shared_ptr<shared::Budget> total)
    : loop_(loop), slots_(std::move(total), loop, *this), timer_(loop.timers(), *this) {}

void ConnectionBudget::set_connections_max(std::optional<size_t> connections_max) {
  connections_max_ = connections_max.value_or(SIZE_MAX);
  if (waiting_ > 0) Seek();
}

void ConnectionBudget::BeginWaiting() {
  if (++waiting_ == 1) TellHolders();
  Seek();
}

void ConnectionBudget::EndWaiting() {
  PORTICO_CHECK(waiting_ > 0);
  if (--waiting_ > 0) return;
  slots_.StopWaiting();
  timer_.Cancel();
  TellHolders();
}

void ConnectionBudget::OnRoom() {
  if (waiting_ > 0) LetOneIn();
  if (waiting_ > 0) Seek();
}

// Whose turn it was comes last the next time.
void ConnectionBudget::LetOneIn() {
  for (Holder* holder = holders_.front(); holder != nullptr; holder = holders_.Next(*holder)) {
    if (!holder->LetIn()) continue;
    holders_.Remove(*holder);
    return holders_.PushBack(*holder);
  }
}

void ConnectionBudget::Seek() {
  slots_.Wait(connections_max_);
  timer_.Set(loop_.Now() + kLookAgain);
}

// An HTTP/1.1 connection is gone at once, an HTTP/2 connection leaves.
size_t ConnectionBudget::OnWanted(size_t count) {
  if (loop_.Now() >= leaves_until_) leaving_ = 0;
  for (size_t closes = 0; closes < kClosesMax && leaving_ < count; ++closes) {
    Holder* holder = LongestIdle();
    if (holder == nullptr) break;
    const size_t held = connections();
    const size_t leaving = leaving_;
    holder->CloseIdle();
    if (connections() < held) {
      leaving_ = leaving;
      --count;
    } else {
      leaving_ = leaving + 1;
      leaves_until_ = loop_.Now() + kLeavingTime;
    }
  }
  return leaving_;
}

ConnectionBudget::Holder* ConnectionBudget::LongestIdle() {
  Holder* longest = nullptr;
  base::MonotonicTime since = loop_.Now() - kIdleMin;
  for (Holder* holder = holders_.front(); holder != nullptr; holder = holders_.Next(*holder)) {
    const std::optional<base::MonotonicTime> idle_since = holder->IdleSince();
    if (!idle_since || *idle_since > since) continue;
    longest = holder;
    since = *idle_since;
  }
  return longest;
}

void ConnectionBudget::OnTimer(event::Timer&) {
  if (waiting_ > 0) Seek();
}

void ConnectionBudget::TellHolders() {
  for (Holder* holder = holders_.front(); holder != nullptr; holder = holders_.Next(*holder))
    holder->OnBudgetChanged();
}

}  // namespace portico::listener
