#include "controlplane/north/apply_call.h"

#include <grpc/support/time.h>

#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "controlplane/access/judge.h"
#include "controlplane/north/convert.h"
#include "controlplane/north/errors.h"
#include "controlplane/north/old_proxies.h"

namespace portico::north {

bool ApplyCall::Gathering::End() {
  absl::MutexLock lock(&mutex);
  return !std::exchange(over, true);
}

ApplyCall::ApplyCall(grpc::CallbackServerContext& context, portico::v1::ApplyResponse& response, const Service& service)
    : context_(context), response_(response), service_(service) {
  if (const absl::Status admitted = Admit(); !admitted.ok()) {
    Finish(ToGrpc(admitted));
    return;
  }
  // A span of time counts from now. The call is there as long as nobody has finished it.
  const gpr_timespec span = gpr_time_from_millis(service_.gather_time.count(), GPR_TIMESPAN);
  alarm_.Set(span, [this, gathering = gathering_](bool is_time) {
    if (is_time && gathering->End()) Finish(ToGrpc(absl::DeadlineExceededError("the change did not come in time")));
  });
  Read();
}

absl::StatusOr<Caller> ApplyCall::WhoMayWrite() const {
  absl::StatusOr<Caller> caller = service_.gatekeeper.CallerOf(context_);
  if (!caller.ok()) return caller;
  if (absl::Status may = access::JudgeWrite(caller->rights, ""); !may.ok()) return may;
  return caller;
}

// Of strangers, and of whoever may write nothing, nothing is gathered.
absl::Status ApplyCall::Admit() {
  const absl::StatusOr<Caller> caller = WhoMayWrite();
  if (!caller.ok()) return caller.status();
  place_ = service_.places.Take(caller->holder());
  return place_ == nullptr ? service_.places.Refusal() : absl::OkStatus();
}

void ApplyCall::Read() {
  absl::MutexLock lock(&gathering_->mutex);
  if (!gathering_->over) StartRead(&request_);
}

void ApplyCall::Refuse(const grpc::Status& status) {
  if (gathering_->End()) Finish(status);
}

void ApplyCall::OnReadDone(bool ok) {
  if (ok) {
    absl::Status status = WhoMayWrite().status();
    if (status.ok()) status = gather_.Add(request_);
    request_.Clear();
    return status.ok() ? Read() : Refuse(ToGrpc(status));
  }
  if (!gathering_->End()) return;
  if (context_.IsCancelled()) return Finish(grpc::Status::CANCELLED);
  if (service_.writer.Post([this] { Run(); })) return;
  Finish(ToGrpc(absl::ResourceExhaustedError("too many changes wait; try again")));
}

void ApplyCall::Run() {
  const grpc::Status status = Store();
  place_.reset();  // so that it is free when the caller hears: it may change more at once
  Finish(status);
}

grpc::Status ApplyCall::Store() {
  if (context_.IsCancelled()) return grpc::Status::CANCELLED;
  const absl::StatusOr<Caller> caller = service_.gatekeeper.CallerOf(context_);
  if (!caller.ok()) return ToGrpc(caller.status());
  std::variant<change::Outcome, change::Refusal> result =
      service_.changes.Apply(gather_.Take(), caller->record(), service_.gatekeeper.JudgeOf(*caller));
  if (const auto* refusal = std::get_if<change::Refusal>(&result)) return ToGrpc(*refusal);
  auto& outcome = std::get<change::Outcome>(result);
  if (service_.fleet != nullptr) WarnOfOldProxies(*service_.fleet, outcome);
  response_ = ToResponse(outcome);
  return grpc::Status::OK;
}

}  // namespace portico::north
