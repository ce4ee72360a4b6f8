#include "controlplane/north/proxy_watch.h"

#include <utility>

#include "api/base/text.h"

namespace portico::north {

std::shared_ptr<ProxyWatch> ProxyWatch::Make(std::set<std::string> gateways,
                                             std::function<void(const std::shared_ptr<ProxyWatch>&)> ended) {
  std::shared_ptr<ProxyWatch> made(new ProxyWatch(std::move(gateways), std::move(ended)));
  made->self_ = made;
  return made;
}

void ProxyWatch::Begin(fleet::Fleet& fleet) {
  following_ = fleet.Follow([this](const fleet::Notice& notice) { OnNotice(notice); });
}

void ProxyWatch::OnNotice(const fleet::Notice& notice) {
  absl::MutexLock lock(&mutex_);
  revision_ = notice.revision;
  for (const fleet::SharedProxy& proxy : notice.changed) {
    if (Sees(proxy->gateway())) owed_[{proxy->gateway(), proxy->node_id(), proxy->instance()}] = proxy;
  }
  for (const fleet::Key& key : notice.gone) {
    if (Sees(key.gateway)) owed_[key] = nullptr;
  }
  if (!writing_) Write();
}

void ProxyWatch::Write() {
  if (finished_ || (owed_.empty() && !first_ && told_ == revision_)) return;
  response_.Clear();
  size_t bytes = 0;
  auto next = owed_.begin();
  for (; next != owed_.end() && bytes < kBytesMax; next = owed_.erase(next)) {
    if (next->second == nullptr) {
      response_.add_gone(base::Concat(next->first.node_id, "/", next->first.instance));
      bytes += response_.gone(response_.gone_size() - 1).size();
    } else {
      *response_.add_proxies() = *next->second;
      bytes += next->second->ByteSizeLong();
    }
  }
  if (owed_.empty()) told_ = revision_;
  response_.set_revision(told_);
  first_ = false;
  writing_ = true;
  StartWrite(&response_);
}

void ProxyWatch::OnWriteDone(bool ok) {
  if (!ok) return Refuse(grpc::Status::CANCELLED);
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  Write();
}

void ProxyWatch::Refuse(const grpc::Status& status) {
  mutex_.Lock();
  const bool again = std::exchange(finished_, true);
  mutex_.Unlock();
  if (!again) Finish(status);
}

void ProxyWatch::OnDone() {
  following_ = nullptr;  // waits for a notice that is under way
  const std::shared_ptr<ProxyWatch> last = std::move(self_);
  ended_(last);
}

}  // namespace portico::north
