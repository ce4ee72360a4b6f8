#ifndef PORTICO_DATAPLANE_EVENT_FD_EVENT_H_
#define PORTICO_DATAPLANE_EVENT_FD_EVENT_H_

#include <cstddef>

#include "dataplane/base/intrusive_list.h"
#include "dataplane/event/libevent_loop.h"

namespace portico::event {

struct FdReadiness {
  bool readable = false;
  bool writable = false;
  bool closed = false;  // the peer has sent a FIN (EPOLLRDHUP): read until the end, a short read does not mean "empty"
};

// One file descriptor's place in the loop: one registration for its whole life, no system call to pause and go on.
//
//   FdEvent event_{loop, *this};   event_.Watch(fd, FdEvent::Interest::kStream);
//   → OnFdEvent(…) …               close(fd) only after Unwatch or the end of the FdEvent
//
// Loop's thread only. It may be destroyed inside another's OnFdEvent, then it gets none; not inside its own.
class FdEvent : private base::ListLink<struct TriggeredTag> {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnFdEvent(FdReadiness ready) = 0;
  };
  enum class Interest {
    kStream,              // reading, writing and the peer's FIN, edge-triggered: told once per change
    kReadable,            // reading, level-triggered: told in every turn while something is there
    kReadableOrWritable,  // both, level-triggered: for a library that reads and writes by itself and not to the end
  };

  // Both outlive it.
  FdEvent(LibeventLoop& loop, Handler& handler);
  ~FdEvent();
  FdEvent(const FdEvent&) = delete;
  FdEvent& operator=(const FdEvent&) = delete;

  // False: the kernel has no room for it (errno says why).
  [[nodiscard]] bool Watch(int fd, Interest interest);
  void Unwatch();
  bool watched() const { return watched_; }
  // Calls the handler in the next turn, as if this had been reported; adds up with what was triggered before. Needs no
  // descriptor: a connection that failed before it had one tells so by this.
  void Trigger(FdReadiness ready);

 private:
  friend class LibeventLoop;
  friend class base::IntrusiveList<FdEvent, struct TriggeredTag>;
  static constexpr size_t kEventBytes = 128;  // sizeof(struct event), which stays out of this header

  static void OnEvent(int fd, short what, void* self);
  struct event* event() { return reinterpret_cast<struct event*>(event_); }

  LibeventLoop& loop_;
  Handler& handler_;
  alignas(void*) std::byte event_[kEventBytes];
  FdReadiness triggered_;
  bool watched_ = false;
};

}  // namespace portico::event

#endif  // PORTICO_DATAPLANE_EVENT_FD_EVENT_H_
