#include "controlplane/xds/discovery_call.h"

#include <grpc/support/time.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/slice.h>

#include <utility>
#include <vector>

#include "api/base/text.h"

namespace portico::xds {
namespace {

using Shared = std::shared_ptr<const std::string>;

// The bytes themselves, kept until the last stream has sent them.
grpc::Slice SliceOf(const Shared& bytes) {
  const auto release = [](void* held) { delete static_cast<Shared*>(held); };
  return grpc::Slice(const_cast<char*>(bytes->data()), bytes->size(), release, new Shared(bytes));
}

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(base::ToStd(status.message()))};
}

}  // namespace

DiscoveryCall* DiscoveryCall::Make(std::shared_ptr<const Setting> setting, grpc::CallbackServerContext& context,
                                   Peer peer) {
  const std::shared_ptr<DiscoveryCall> call(new DiscoveryCall(std::move(setting), context));
  call->self_ = call;
  const absl::StatusOr<uint64_t> id = call->setting_->mailbox->Open(call, std::move(peer));
  if (id.ok()) {
    call->id_ = *id;
    call->setting_->counters->OnOpened();
    call->SetAlarm(call->silence_, call->setting_->introduction_timeout_ms, &DiscoveryCall::OnSilence);
    call->Read();
  } else {
    call->setting_->counters->OnRefused();
    call->Finish(id.status());
  }
  return call.get();
}

void DiscoveryCall::SetAlarm(grpc::Alarm& alarm, int64_t timeout_ms, void (DiscoveryCall::*on_alarm)()) {
  alarm.Set(gpr_time_from_millis(timeout_ms, GPR_TIMESPAN), [weak = weak_from_this(), on_alarm](bool rang) {
    const std::shared_ptr<DiscoveryCall> call = weak.lock();
    if (rang && call != nullptr) ((*call).*on_alarm)();
  });
}

void DiscoveryCall::OnSilence() {
  {
    absl::MutexLock lock(&mutex_);
    if (introduced_) return;
  }
  Finish(absl::DeadlineExceededError(base::ToAbsl(base::Concat("no request within ", setting_->introduction_timeout_ms,
                                                               " ms; the first says who asks for which gateway"))));
}

void DiscoveryCall::OnStalled() {
  absl::MutexLock lock(&mutex_);
  if (!done_) context_.TryCancel();
}

void DiscoveryCall::Write(Session::Response response) {
  std::vector<grpc::Slice> slices;
  slices.reserve(response.fields.size() + 2);
  slices.emplace_back(response.head);
  for (const Shared& field : response.fields)
    slices.push_back(SliceOf(field));
  if (!setting_->signature->empty()) slices.push_back(SliceOf(setting_->signature));
  absl::MutexLock lock(&mutex_);
  if (finished_) return;
  response_ = grpc::ByteBuffer(slices.data(), slices.size());
  setting_->counters->OnResponse(response_.Length(), response.mark);
  StartWrite(&response_);
}

void DiscoveryCall::Read() {
  absl::MutexLock lock(&mutex_);
  if (!finished_) StartRead(&request_);
}

// The last that is done with gRPC: whoever comes later finds it finished.
void DiscoveryCall::Finish(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(finished_, true)) return;
  }
  SetAlarm(stalled_, setting_->farewell_timeout_ms, &DiscoveryCall::OnStalled);
  ServerBidiReactor::Finish(ToGrpc(status));
}

absl::StatusOr<Feed::Request> DiscoveryCall::TakeRequest() {
  if (request_.Length() > setting_->request_bytes_max) {
    return absl::ResourceExhaustedError(base::ToAbsl(
        base::Concat("a request of ", request_.Length(), " bytes; at most ", setting_->request_bytes_max)));
  }
  Feed::Request request;
  bool good = false;
  {
    grpc::ProtoBufferReader reader(&request_);
    good = reader.status().ok() && request.ParseFromZeroCopyStream(&reader);
  }
  request_.Clear();  // the next may be a day away
  if (!good) return absl::InvalidArgumentError("not a DeltaDiscoveryRequest");
  return request;
}

void DiscoveryCall::OnReadDone(bool ok) {
  if (!ok) return Finish(absl::OkStatus());  // the client says that it is done
  {
    absl::MutexLock lock(&mutex_);
    introduced_ = true;
  }
  silence_.Cancel();
  absl::StatusOr<Feed::Request> request = TakeRequest();
  if (!request.ok()) return Finish(request.status());
  setting_->counters->OnRequest(*request);
  setting_->mailbox->OnRequest(id_, *std::move(request));
}

void DiscoveryCall::OnWriteDone(bool ok) {
  response_.Clear();
  if (!ok) return Finish(absl::CancelledError());
  setting_->mailbox->OnWritten(id_);
}

void DiscoveryCall::OnCancel() {
  Finish(absl::CancelledError());
}

void DiscoveryCall::OnDone() {
  {
    absl::MutexLock lock(&mutex_);
    done_ = true;
  }
  silence_.Cancel();
  stalled_.Cancel();
  const std::shared_ptr<DiscoveryCall> last = std::move(self_);
  if (id_ == 0) return;
  setting_->counters->OnClosed();
  setting_->mailbox->OnClosed(id_);
}

}  // namespace portico::xds
