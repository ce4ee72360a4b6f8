#include "controlplane/xds/feed_thread.h"

#include "absl/status/statusor.h"
#include "google/protobuf/util/time_util.h"

namespace portico::xds {
namespace {

// When the newest revision was made; 0 if the store does not say.
int64_t MadeOf(const change::Changes& changes, uint64_t revision) {
  const absl::StatusOr<change::Changes::Past> past = changes.History(revision + 1, 1);
  if (!past.ok() || past->revisions.empty()) return 0;
  return google::protobuf::util::TimeUtil::TimestampToMicroseconds(past->revisions[0].time());
}

}  // namespace

FeedThread::FeedThread(change::Changes& changes, fleet::Fleet& fleet, size_t streams_max)
    : mailbox_(std::make_shared<Mailbox>(streams_max)) {
  const model::SharedModel model =
      changes.Follow([mailbox = mailbox_](const model::Step& step) { mailbox->OnStep(step); });
  const int64_t made = MadeOf(changes, model->revision);
  thread_ = std::thread([mailbox = mailbox_, model, made, &fleet] {
    Feed feed(*model, made, fleet);
    while (mailbox->Deliver(feed)) {
    }
  });
}

void FeedThread::End() {
  mailbox_->End();
  absl::MutexLock lock(&ending_);
  if (thread_.joinable()) thread_.join();
}

}  // namespace portico::xds
