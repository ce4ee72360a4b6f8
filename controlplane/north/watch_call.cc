#include "controlplane/north/watch_call.h"

#include <utility>

#include "controlplane/access/judge.h"
#include "controlplane/model/messages.h"
#include "controlplane/north/errors.h"
#include "controlplane/north/shown.h"

namespace portico::north {
namespace {

constexpr char kOtherRights[] = "what the caller may read has changed; watch from the start";

}  // namespace

WatchCall::WatchCall(const portico::v1::WatchRequest& request, const Gatekeeper& gatekeeper,
                     std::function<void(const std::shared_ptr<WatchCall>&)> ended)
    : request_(request), gatekeeper_(gatekeeper), ended_(std::move(ended)) {}

std::shared_ptr<WatchCall> WatchCall::Make(const portico::v1::WatchRequest& request, const Gatekeeper& gatekeeper,
                                           std::function<void(const std::shared_ptr<WatchCall>&)> ended) {
  std::shared_ptr<WatchCall> watch(new WatchCall(request, gatekeeper, std::move(ended)));
  watch->self_ = watch;
  return watch;
}

void WatchCall::Begin(Caller caller) {
  absl::MutexLock lock(&mutex_);
  scope_ = caller.rights.Reads();
  caller_ = std::move(caller);
}

void WatchCall::JudgeStart(const check::Configuration& start) {
  bool same = false;
  {
    absl::MutexLock lock(&mutex_);
    same = gatekeeper_.ReadsAt(caller_.credentials, start) == scope_;
  }
  if (!same) FinishOnce(ToGrpc(absl::OutOfRangeError(kOtherRights)));
}

void WatchCall::JudgeAgain() {
  access::Credentials credentials;
  access::Scope scope;
  {
    absl::MutexLock lock(&mutex_);
    credentials = caller_.credentials;
    scope = scope_;
  }
  const absl::StatusOr<access::Rights> rights = gatekeeper_.RightsOf(credentials);
  if (!rights.ok()) return FinishOnce(ToGrpc(rights.status()));
  const absl::Status may = access::JudgeRead(*rights, request_.namespace_());
  if (!may.ok()) return FinishOnce(ToGrpc(may));
  if (rights->Reads() != scope) {
    return FinishOnce(ToGrpc(absl::OutOfRangeError(kOtherRights)));
  }
  absl::MutexLock lock(&mutex_);
  caller_.rights = *rights;  // it may expire at another time
}

bool WatchCall::EndIfExpired() {
  {
    absl::MutexLock lock(&mutex_);
    if (gatekeeper_.now_micros() < caller_.rights.expires_micros) return false;
  }
  FinishOnce(ToGrpc(absl::UnauthenticatedError("the token has expired")));
  return true;
}

bool WatchCall::done() const {
  absl::MutexLock lock(&mutex_);
  return done_;
}

bool WatchCall::Sees(const check::ResourceKey& key) const {
  return (request_.kind().empty() || request_.kind() == key.kind) &&
         (request_.namespace_().empty() || request_.namespace_() == key.name_space) && scope_.Has(key.name_space);
}

void WatchCall::OnModel(model::SharedModel model, const std::set<check::ResourceKey>& changed) {
  if (EndIfExpired()) return;
  absl::MutexLock lock(&mutex_);
  if (finished_ || (model_ != nullptr && model->revision <= model_->revision)) return;
  model_ = std::move(model);
  for (const check::ResourceKey& key : changed) {
    if (Sees(key)) owed_.insert(key);
  }
  if (!writing_) Write();
}

// Tells what is owed as it is now; a message that is not the last of its revision says so.
void WatchCall::Write() {
  if (finished_ || model_ == nullptr) return;
  if (owed_.empty() && !first_) return;
  response_.Clear();
  size_t bytes = 0;
  auto key = owed_.begin();
  for (; key != owed_.end() && bytes < kBytesMax; key = owed_.erase(key)) {
    if (const portico::v1::Resource* resource = model_->configuration.Find(*key); resource != nullptr) {
      *response_.add_resources() = Shown(*resource);
      bytes += resource->ByteSizeLong();
    } else if (!first_ || request_.after_revision() != 0) {
      *response_.add_deleted() = model::ToName(*key);
      bytes += key->name.size();
    }
  }
  response_.set_epoch(model_->epoch);
  response_.set_more(!owed_.empty());
  response_.set_revision(owed_.empty() ? model_->revision : told_);
  if (owed_.empty()) {
    told_ = model_->revision;
    first_ = false;
  }
  writing_ = true;
  StartWrite(&response_);
}

void WatchCall::OnWriteDone(bool ok) {
  if (!ok) return FinishOnce(grpc::Status::CANCELLED);
  if (EndIfExpired()) return;
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  Write();
}

void WatchCall::Refuse(const grpc::Status& status) {
  FinishOnce(status);
}

void WatchCall::End() {
  FinishOnce(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the control plane ends; watch again"));
}

void WatchCall::OnCancel() {
  FinishOnce(grpc::Status::CANCELLED);
}

void WatchCall::FinishOnce(const grpc::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(finished_, true)) return;
  }
  Finish(status);
}

void WatchCall::OnDone() {
  {
    absl::MutexLock lock(&mutex_);
    done_ = true;
  }
  const std::shared_ptr<WatchCall> last = std::move(self_);
  ended_(last);
}

}  // namespace portico::north
