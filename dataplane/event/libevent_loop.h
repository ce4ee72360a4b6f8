#ifndef PORTICO_DATAPLANE_EVENT_LIBEVENT_LOOP_H_
#define PORTICO_DATAPLANE_EVENT_LIBEVENT_LOOP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "dataplane/base/file_descriptor.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/base/time.h"
#include "dataplane/event/loop.h"
#include "dataplane/shared/task_queue.h"

struct event;
struct event_base;

namespace portico::event {

class FdEvent;

// The loop over libevent (epoll) and the real clocks. Descriptors join by FdEvent; libevent itself is seen nowhere
// outside this folder.
//
//   LibeventLoop loop;  …register things…  loop.Run();   // returns after Stop()
//
// It may be made on another thread than the one that runs it, as long as one happens after the other. Stop belongs to
// the loop's thread; from elsewhere: loop.Post([&loop] { loop.Stop(); }).
class LibeventLoop final : public Loop {
 public:
  LibeventLoop();
  ~LibeventLoop() override;

  void Post(std::function<void()> task) override;
  base::WallTime WallNow() const override { return wall_now_; }

  // Turns until Stop was called; the turn in which that happens is ended properly.
  void Run();
  void Stop() { stopping_ = true; }
  // One turn, for tests and for loops that are driven by something else. Waits for the first event only if it may.
  void Turn(bool may_wait);

  // How often the one libevent timer was set: "no timer call per exchange" is a test over this.
  uint64_t timer_arms() const { return timer_arms_; }

 private:
  friend class FdEvent;
  struct Free {
    void operator()(struct event* event) const;
    void operator()(struct event_base* base) const;
  };

  static void OnTimer(int fd, short what, void* self);
  static void OnWake(int fd, short what, void* self);
  struct event_base* base() { return base_.get(); }
  // libevent has no hook between waiting and the first handler, so every handler comes by here first and the first one
  // fixes the turn's time.
  void BeginTurnOnce();
  void ArmTimer();

  std::unique_ptr<struct event_base, Free> base_;
  base::FileDescriptor wake_fd_;  // an eventfd
  std::unique_ptr<struct event, Free> wake_;
  std::unique_ptr<struct event, Free> timer_;
  std::optional<base::MonotonicTime> armed_for_;
  uint64_t timer_arms_ = 0;
  base::WallTime wall_now_{};
  bool turn_begun_ = false;
  bool stopping_ = false;
  base::IntrusiveList<FdEvent, struct TriggeredTag> triggered_;  // for the next turn
  shared::TaskQueue tasks_;
};

}  // namespace portico::event

#endif  // PORTICO_DATAPLANE_EVENT_LIBEVENT_LOOP_H_
