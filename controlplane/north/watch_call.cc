#include "controlplane/north/watch_call.h"

#include <utility>

#include "controlplane/model/messages.h"
#include "controlplane/north/shown.h"

namespace portico::north {

WatchCall::WatchCall(const portico::v1::WatchRequest& request,
                     std::function<void(const std::shared_ptr<WatchCall>&)> ended)
    : request_(request), ended_(std::move(ended)) {}

std::shared_ptr<WatchCall> WatchCall::Make(const portico::v1::WatchRequest& request,
                                           std::function<void(const std::shared_ptr<WatchCall>&)> ended) {
  std::shared_ptr<WatchCall> watch(new WatchCall(request, std::move(ended)));
  watch->self_ = watch;
  return watch;
}

bool WatchCall::done() const {
  absl::MutexLock lock(&mutex_);
  return done_;
}

bool WatchCall::Sees(const check::ResourceKey& key) const {
  return (request_.kind().empty() || request_.kind() == key.kind) &&
         (request_.namespace_().empty() || request_.namespace_() == key.name_space);
}

void WatchCall::OnModel(model::SharedModel model, const std::set<check::ResourceKey>& changed) {
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
