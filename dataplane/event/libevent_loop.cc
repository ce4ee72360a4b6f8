#include "dataplane/event/libevent_loop.h"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/base/check.h"
#include "dataplane/event/clock.h"
#include "dataplane/event/fd_event.h"

namespace portico::event {

namespace {

// No locks: everything but the eventfd belongs to one thread. No environment: EVENT_NOEPOLL and its like would take
// the edge triggering away. Not EVENT_BASE_FLAG_PRECISE_TIMER: it costs a timerfd call per turn.
struct event_base* NewBase() {
  struct event_config* config = event_config_new();
  PORTICO_CHECK(config != nullptr);
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
  event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_O1 | EV_FEATURE_EARLY_CLOSE);
  struct event_base* base = event_base_new_with_config(config);
  event_config_free(config);
  PORTICO_CHECK(base != nullptr, "no epoll, or no descriptor left for it");
  return base;
}

}  // namespace

void LibeventLoop::Free::operator()(struct event* event) const {
  event_free(event);
}
void LibeventLoop::Free::operator()(struct event_base* base) const {
  event_base_free(base);
}

LibeventLoop::LibeventLoop() : base_(NewBase()), wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  PORTICO_CHECK(wake_fd_.valid(), "no descriptor left for an eventfd");
  wake_.reset(event_new(base(), wake_fd_.get(), EV_READ | EV_PERSIST, &LibeventLoop::OnWake, this));
  timer_.reset(event_new(base(), -1, 0, &LibeventLoop::OnTimer, this));
  PORTICO_CHECK(wake_ != nullptr && timer_ != nullptr && event_add(wake_.get(), nullptr) == 0);
  BeginTurnOnce();
  timers().Advance(Now());  // an empty wheel takes the time over
}

LibeventLoop::~LibeventLoop() {
  RunDeletions();
  (void)tasks_.TakeAll();  // what the tasks held may hold descriptors of this loop
  RunDeletions();
}

void LibeventLoop::Post(std::function<void()> task) {
  if (!tasks_.Push(std::move(task))) return;
  const uint64_t one = 1;
  // It can fail only when the counter is full, and then the loop wakes anyway.
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_.get(), &one, sizeof one);
}

void LibeventLoop::Run() {
  while (!stopping_)
    Turn(true);
  stopping_ = false;
}

void LibeventLoop::Turn(bool may_wait) {
  // Taken before the handlers run: what they trigger is for the turn after this.
  base::IntrusiveList<FdEvent, struct TriggeredTag> triggered;
  while (FdEvent* event = triggered_.front()) {
    event->Unlink();
    triggered.PushBack(*event);
  }
  const bool wait = may_wait && triggered.empty() && !HasTurnEnds() && tasks_.PrepareToSleep();
  if (wait) ArmTimer();

  turn_begun_ = false;
  PORTICO_CHECK(event_base_loop(base(), wait ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
  BeginTurnOnce();
  while (FdEvent* event = triggered.front()) {
    event->Unlink();
    event->handler_.OnFdEvent(std::exchange(event->triggered_, {}));
  }
  for (const shared::TaskQueue::Task& task : tasks_.TakeAll())
    task();
  EndTurn();
}

void LibeventLoop::BeginTurnOnce() {
  if (std::exchange(turn_begun_, true)) return;
  wall_now_ = ReadWallClock();
  BeginTurn(ReadMonotonicClock());
}

// Only for an earlier time than it is set for. A timer that rings too early (its deadline has moved on) costs one empty
// turn and is set again; a call per moved deadline would cost one per exchange.
void LibeventLoop::ArmTimer() {
  const auto next = timers().NextExpiry();
  if (!next || (armed_for_ && *armed_for_ <= *next)) return;
  const auto delay = std::max(*next - ReadMonotonicClock(), base::Duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(delay);
  const struct timeval timeout = {.tv_sec = seconds.count(), .tv_usec = (delay - seconds).count()};
  PORTICO_CHECK(event_add(timer_.get(), &timeout) == 0);
  armed_for_ = next;
  ++timer_arms_;
}

void LibeventLoop::OnTimer(int fd, short what, void* self) {
  auto* loop = static_cast<LibeventLoop*>(self);
  loop->BeginTurnOnce();
  loop->armed_for_.reset();  // the wheel itself runs at the end of the turn
}

void LibeventLoop::OnWake(int fd, short what, void* self) {
  static_cast<LibeventLoop*>(self)->BeginTurnOnce();
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = ::read(fd, &count, sizeof count);
}

}  // namespace portico::event
