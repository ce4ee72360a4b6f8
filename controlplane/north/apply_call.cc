#include "controlplane/north/apply_call.h"

#include <variant>

#include "absl/status/status.h"
#include "controlplane/access/judge.h"
#include "controlplane/north/convert.h"
#include "controlplane/north/errors.h"
#include "controlplane/north/old_proxies.h"

namespace portico::north {

ApplyCall::ApplyCall(grpc::CallbackServerContext& context, portico::v1::ApplyResponse& response, const Service& service)
    : context_(context), response_(response), service_(service) {
  const absl::Status admitted = Admit();
  if (admitted.ok()) {
    StartRead(&request_);
  } else {
    Finish(ToGrpc(admitted));
  }
}

// Of strangers, and of whoever may write nothing, nothing is gathered.
absl::Status ApplyCall::Admit() {
  const absl::StatusOr<Caller> caller = service_.gatekeeper.CallerOf(context_);
  if (!caller.ok()) return caller.status();
  if (absl::Status may = access::JudgeWrite(caller->rights, ""); !may.ok()) return may;
  place_ = service_.places.Take(caller->holder());
  return place_ == nullptr ? service_.places.Refusal() : absl::OkStatus();
}

void ApplyCall::OnReadDone(bool ok) {
  if (ok) {
    const absl::Status status = gather_.Add(request_);
    request_.Clear();
    if (!status.ok()) return Finish(ToGrpc(status));
    return StartRead(&request_);
  }
  if (context_.IsCancelled()) return Finish(grpc::Status::CANCELLED);
  if (service_.writer.Post([this] { Run(); })) return;
  Finish(ToGrpc(absl::ResourceExhaustedError("too many changes wait; try again")));
}

void ApplyCall::Run() {
  if (context_.IsCancelled()) return Finish(grpc::Status::CANCELLED);
  const absl::StatusOr<Caller> caller = service_.gatekeeper.CallerOf(context_);
  if (!caller.ok()) return Finish(ToGrpc(caller.status()));
  std::variant<change::Outcome, change::Refusal> result =
      service_.changes.Apply(gather_.Take(), caller->record(), service_.gatekeeper.JudgeOf(*caller));
  if (const auto* refusal = std::get_if<change::Refusal>(&result)) return Finish(ToGrpc(*refusal));
  auto& outcome = std::get<change::Outcome>(result);
  if (service_.fleet != nullptr) WarnOfOldProxies(*service_.fleet, outcome);
  response_ = ToResponse(outcome);
  Finish(grpc::Status::OK);
}

}  // namespace portico::north
