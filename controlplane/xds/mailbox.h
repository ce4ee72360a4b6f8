#ifndef PORTICO_CONTROLPLANE_XDS_MAILBOX_H_
#define PORTICO_CONTROLPLANE_XDS_MAILBOX_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "controlplane/model/model.h"
#include "controlplane/xds/admission.h"
#include "controlplane/xds/feed.h"

namespace portico::xds {

// What waits for the feed's thread. Bounded however slow that is: a stream has one request under way and one write, and
// steps that wait become one. Any thread.
class Mailbox {
 public:
  // At most so many streams, and so many of one holder (HolderOf): whoever has gone mad locks nobody else out.
  explicit Mailbox(size_t streams_max, size_t holder_streams_max = SIZE_MAX)
      : streams_max_(streams_max), holder_streams_max_(holder_streams_max) {}

  // A new stream's id. kResourceExhausted: there are too many; kUnavailable: after End.
  absl::StatusOr<uint64_t> Open(std::shared_ptr<Outlet> outlet, Peer peer);
  // The next may come after the outlet's Read.
  void OnRequest(uint64_t id, Feed::Request request);
  void OnWritten(uint64_t id);
  // The last of a stream.
  void OnClosed(uint64_t id);
  void OnStep(const model::Step& step);
  // Nothing is taken in any more.
  void End();

  // The feed's thread: waits for something, at most until the next tick, and does all of it. False: it has ended, and
  // so has the feed.
  bool Deliver(Feed& feed);
  static constexpr int64_t kTickMicros = 10'000'000;

 private:
  struct Letters {
    std::shared_ptr<Outlet> outlet = nullptr;  // of a new stream, with its peer
    Peer peer = {};
    std::optional<Feed::Request> request = std::nullopt;
    bool written = false;
    bool closed = false;
  };
  struct Steps {
    model::SharedModel after;  // nullptr: none waits
    std::map<check::ResourceKey, model::ChangeKind> changes;
  };

  static void Deliver(Feed& feed, uint64_t id, Letters letters);
  int64_t UntilTick(const Feed& feed);

  const size_t streams_max_;
  const size_t holder_streams_max_;
  int64_t next_tick_us_ = 0;  // the feed's thread's, by the feed's clock
  absl::Mutex mutex_;
  std::map<uint64_t, std::string> open_ ABSL_GUARDED_BY(mutex_);   // and who holds each
  std::map<std::string, size_t> holders_ ABSL_GUARDED_BY(mutex_);  // and how many each has
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Letters> letters_ ABSL_GUARDED_BY(mutex_);  // of the streams that have some
  Steps steps_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace portico::xds

#endif  // PORTICO_CONTROLPLANE_XDS_MAILBOX_H_
