#include "dataplane/listener/connection_budget.h"

#include <utility>

#include "api/base/check.h"

namespace portico::listener {

ConnectionBudget::ConnectionBudget(event::Loop& loop, std::shared_ptr<shared::Budget> total)
    : loop_(loop), slots_(std::move(total), loop, *this), timer_(loop.timers(), *this) {}

void ConnectionBudget::set_connections_max(std::optional<size_t> connections_max) {
  connections_max_ = connections_max.value_or(SIZE_MAX);
  if (waiting_ == 0) return;
  slots_.StopWaiting();
  while (waiting_ > 0 && slots_.HasRoom(connections_max_))
    LetOneIn();
  if (waiting_ > 0) Seek();
}

void ConnectionBudget::BeginWaiting() {
  if (++waiting_ == 1) TellMembers();
  Seek();
}

void ConnectionBudget::EndWaiting() {
  PORTICO_CHECK(waiting_ > 0);
  if (--waiting_ > 0) return;
  slots_.StopWaiting();
  timer_.Cancel();
  TellMembers();
}

void ConnectionBudget::OnRoom() {
  if (waiting_ > 0) LetOneIn();
  if (waiting_ > 0) Seek();
}

void ConnectionBudget::LetOneIn() {
  for (Member* member = members_.front(); member != nullptr; member = members_.Next(*member))
    if (member->LetIn()) return;
}

// In this order: who has room to give does not ask for it elsewhere.
void ConnectionBudget::Seek() {
  CloseIdle();
  slots_.Wait(connections_max_);
  timer_.Set(loop_.Now() + kLookAgain);
}

void ConnectionBudget::CloseIdle() {
  if (loop_.Now() < leaves_until_) return;
  const size_t before = connections();
  for (Member* member = members_.front(); member != nullptr; member = members_.Next(*member)) {
    if (!member->CloseIdle()) continue;
    if (connections() == before) leaves_until_ = loop_.Now() + kLeavingTime;
    return;
  }
}

// Another worker waits.
void ConnectionBudget::OnWanted() {
  if (waiting_ > 0) return;
  CloseIdle();
  timer_.Set(loop_.Now() + kLookAgain);
}

void ConnectionBudget::OnTimer(event::Timer&) {
  if (waiting_ > 0) return Seek();
  if (slots_.OthersWait()) OnWanted();
}

void ConnectionBudget::TellMembers() {
  for (Member* member = members_.front(); member != nullptr; member = members_.Next(*member))
    member->OnBudgetChanged();
}

}  // namespace portico::listener
