#include "controlplane/xds/feed_thread.h"

#include "controlplane/xds/feed.h"

namespace portico::xds {

FeedThread::FeedThread(const Follow& follow, fleet::Fleet& fleet, size_t streams_max, size_t holder_streams_max)
    : mailbox_(std::make_shared<Mailbox>(streams_max, holder_streams_max)) {
  const Beginning beginning = follow([mailbox = mailbox_](const model::Step& step) { mailbox->OnStep(step); });
  thread_ = std::thread([mailbox = mailbox_, beginning, &fleet] {
    Feed feed(*beginning.model, beginning.made_us, fleet);
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
