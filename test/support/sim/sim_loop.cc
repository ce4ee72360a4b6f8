#include "test/support/sim/sim_loop.h"

#include <algorithm>
#include <utility>

#include "api/base/text.h"

namespace portico::sim {

namespace {

// 2026-01-01T00:00:00Z less the hour at which the world's own clock begins.
constexpr base::Duration kWallOffset = std::chrono::seconds(1'767'225'600) - std::chrono::hours(1000);

}  // namespace

SimLoop::SimLoop(SimWorld& world, std::string_view name) : world_(world), name_(name), id_(world.AddLoop(*this)) {
  BeginTurn(world_.Now());
  timers().Advance(Now());
  // Timers may be set from outside of any turn, before the world runs.
  TurnSoon();
}

SimLoop::~SimLoop() {
  RunDeletions();
  tasks_.clear();
  RunDeletions();
  world_.RemoveLoop(id_);
}

void SimLoop::Post(std::function<void()> task) {
  tasks_.push_back(std::move(task));
  TurnSoon();
}

base::WallTime SimLoop::WallNow() const {
  return base::WallTime(Now().time_since_epoch() + kWallOffset);
}

void SimLoop::AddReady(Ready& ready) {
  if (ready.linked()) return;
  if (world_.Chance(2)) {
    ready_.PushFront(ready);
  } else {
    ready_.PushBack(ready);
  }
  TurnSoon();
}

void SimLoop::TurnSoon() {
  TurnAt(world_.Now() + world_.Between(base::Duration(1), kTurnDelayMax));
}

void SimLoop::TurnAt(base::MonotonicTime time) {
  if (scheduled_at_ && *scheduled_at_ <= time) return;
  scheduled_at_ = time;
  world_.At(time, [world = &world_, id = id_, number = ++turn_number_] {
    SimLoop* loop = world->FindLoop(id);
    if (loop != nullptr && loop->turn_number_ == number) loop->Turn();
  });
}

void SimLoop::Turn() {
  scheduled_at_.reset();
  BeginTurn(world_.Now());
  world_.Trace(base::Concat("turn ", name_));
  base::IntrusiveList<Ready, struct ReadyTag> ready;
  while (Ready* one = ready_.front()) {
    one->Unlink();
    ready.PushBack(*one);
  }
  while (Ready* one = ready.front()) {
    one->Unlink();
    one->Dispatch();
  }
  for (const auto& task : std::exchange(tasks_, {}))
    task();
  EndTurn();
  ScheduleNext();
}

void SimLoop::ScheduleNext() {
  if (!ready_.empty() || !tasks_.empty() || HasTurnEnds()) TurnSoon();
  if (const auto next = timers().NextExpiry())
    TurnAt(std::max(*next, world_.Now()) + world_.Between(base::Duration(1), kTurnDelayMax));
}

}  // namespace portico::sim
