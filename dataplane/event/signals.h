#ifndef PORTICO_DATAPLANE_EVENT_SIGNALS_H_
#define PORTICO_DATAPLANE_EVENT_SIGNALS_H_

#include <vector>

#include "dataplane/base/file_descriptor.h"
#include "dataplane/event/fd_event.h"

namespace portico::event {

// Signals as events of a loop (signalfd), so that no code ever runs in a signal handler. It blocks them in the calling
// thread for good: make it in main before any thread is started, and they are blocked in all of them.
//
//   SignalWatch signals(loop, {SIGTERM, SIGHUP}, *this);   → OnSignal(SIGTERM)
class SignalWatch : private FdEvent::Handler {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // Several of one kind that come before the loop turns are one.
    virtual void OnSignal(int number) = 0;
  };

  // Loop and handler outlive it.
  SignalWatch(LibeventLoop& loop, const std::vector<int>& numbers, Handler& handler);

 private:
  void OnFdEvent(FdReadiness ready) override;

  Handler& handler_;
  base::FileDescriptor fd_;
  FdEvent event_;
};

}  // namespace portico::event

#endif  // PORTICO_DATAPLANE_EVENT_SIGNALS_H_
