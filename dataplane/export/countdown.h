#ifndef PORTICO_DATAPLANE_EXPORT_COUNTDOWN_H_
#define PORTICO_DATAPLANE_EXPORT_COUNTDOWN_H_

#include "dataplane/base/file_descriptor.h"
#include "dataplane/base/time.h"

namespace portico::exporting {

// A stretch of time that the kernel measures (timerfd), for a thread that waits by poll and has no loop: its descriptor
// is readable once the time is over. Start from any thread.
class Countdown {
 public:
  Countdown();

  // Also anew. More than zero.
  void Start(base::Duration duration);
  // False before the first Start and once the time is over.
  bool running() const;
  int fd() const { return fd_.get(); }

 private:
  base::FileDescriptor fd_;
};

}  // namespace portico::exporting

#endif  // PORTICO_DATAPLANE_EXPORT_COUNTDOWN_H_
