#ifndef PORTICO_CONTROLPLANE_XDS_FEED_THREAD_H_
#define PORTICO_CONTROLPLANE_XDS_FEED_THREAD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/model/model.h"
#include "controlplane/xds/mailbox.h"

namespace portico::xds {

// How the configuration is followed: the argument is told each step from now on, on any thread; the result is what it
// was told from, and when that revision was made (microseconds since 1970 UTC; 0: nobody knows). Whoever may follow
// can't write.
struct Beginning {
  model::SharedModel model;
  int64_t made_us = 0;
};
using Follow = std::function<Beginning(std::function<void(const model::Step& step)>)>;

// The thread of the feed, which follows the configuration until End.
class FeedThread {
 public:
  // Steps may be told after this is gone; `fleet` outlives it. The limits are the mailbox's.
  FeedThread(const Follow& follow, fleet::Fleet& fleet, size_t streams_max, size_t holder_streams_max);
  ~FeedThread() { End(); }

  // The way to the feed from other threads.
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

  // When it returns every stream is finished. Again is nothing. Not on the feed's thread: not from an Outlet.
  void End();

 private:
  const std::shared_ptr<Mailbox> mailbox_;  // the follower's too: following has no end
  absl::Mutex ending_;
  std::thread thread_ ABSL_GUARDED_BY(ending_);
};

}  // namespace portico::xds

#endif  // PORTICO_CONTROLPLANE_XDS_FEED_THREAD_H_
