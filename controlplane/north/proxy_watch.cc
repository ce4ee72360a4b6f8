#include "controlplane/north/proxy_watch.h"

#include <utility>

#include "api/base/text.h"
#include "controlplane/access/judge.h"
#include "controlplane/north/errors.h"

namespace portico::north {

std::shared_ptr<ProxyWatch> ProxyWatch::Make(const Gatekeeper& gatekeeper,
                                             std::function<void(const std::shared_ptr<ProxyWatch>&)> ended) {
  std::shared_ptr<ProxyWatch> made(new ProxyWatch(gatekeeper, std::move(ended)));
  made->self_ = made;
  return made;
}

void ProxyWatch::Admit(const Caller& caller, std::set<std::string> gateways) {
  absl::MutexLock lock(&mutex_);
  credentials_ = caller.credentials;
  expires_micros_ = caller.rights.expires_micros;
  scope_ = {std::move(gateways), caller.rights.Reads()};
}

void ProxyWatch::Begin(fleet::Fleet& fleet) {
  following_ = fleet.Follow([this](const fleet::Notice& notice) { OnNotice(notice); });
}

void ProxyWatch::JudgeAgain() {
  access::Credentials credentials;
  access::Scope readable;
  {
    absl::MutexLock lock(&mutex_);
    credentials = credentials_;
    readable = scope_.readable;
  }
  const absl::StatusOr<access::Rights> rights = gatekeeper_.RightsOf(credentials);
  if (!rights.ok()) return Refuse(ToGrpc(rights.status()));
  if (rights->Reads() == readable) {
    absl::MutexLock lock(&mutex_);
    expires_micros_ = rights->expires_micros;
    return;
  }
  const absl::Status may = access::JudgeRead(*rights, "");
  Refuse(ToGrpc(may.ok() ? absl::UnavailableError("what the caller may read has changed; watch again") : may));
}

bool ProxyWatch::EndIfExpired() {
  {
    absl::MutexLock lock(&mutex_);
    if (gatekeeper_.now_micros() < expires_micros_) return false;
  }
  Refuse(ToGrpc(absl::UnauthenticatedError("the token has expired")));
  return true;
}

void ProxyWatch::OnNotice(const fleet::Notice& notice) {
  if (EndIfExpired()) return;
  absl::MutexLock lock(&mutex_);
  revision_ = notice.revision;
  for (const fleet::SharedProxy& proxy : notice.changed) {
    if (scope_.Has(proxy->gateway())) owed_[{proxy->gateway(), proxy->node_id(), proxy->instance()}] = proxy;
  }
  for (const fleet::Key& key : notice.gone) {
    if (scope_.Has(key.gateway)) owed_[key] = nullptr;
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
  if (EndIfExpired()) return;
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
