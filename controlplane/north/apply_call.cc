#include "controlplane/north/apply_call.h"

#include <variant>

#include "absl/status/status.h"
#include "controlplane/north/convert.h"
#include "controlplane/north/errors.h"
#include "controlplane/north/old_proxies.h"

namespace portico::north {

ApplyCall::ApplyCall(grpc::CallbackServerContext& context, portico::v1::ApplyResponse& response,
                     CountedChanges& changes, const Gatekeeper& gatekeeper, Writer& writer, fleet::Fleet* fleet)
    : context_(context),
      response_(response),
      changes_(changes),
      gatekeeper_(gatekeeper),
      writer_(writer),
      fleet_(fleet) {
  // Of strangers nothing is gathered.
  const absl::Status known = gatekeeper_.CallerOf(context_).status();
  if (known.ok()) {
    StartRead(&request_);
  } else {
    Finish(ToGrpc(known));
  }
}

void ApplyCall::OnReadDone(bool ok) {
  if (ok) {
    const absl::Status status = gather_.Add(request_);
    request_.Clear();
    if (!status.ok()) return Finish(ToGrpc(status));
    return StartRead(&request_);
  }
  if (context_.IsCancelled()) return Finish(grpc::Status::CANCELLED);
  if (writer_.Post([this] { Run(); })) return;
  Finish(ToGrpc(absl::ResourceExhaustedError("too many changes wait; try again")));
}

void ApplyCall::Run() {
  if (context_.IsCancelled()) return Finish(grpc::Status::CANCELLED);
  const absl::StatusOr<Caller> caller = gatekeeper_.CallerOf(context_);
  if (!caller.ok()) return Finish(ToGrpc(caller.status()));
  std::variant<change::Outcome, change::Refusal> result =
      changes_.Apply(gather_.Take(), caller->record(), gatekeeper_.JudgeOf(*caller));
  if (const auto* refusal = std::get_if<change::Refusal>(&result)) return Finish(ToGrpc(*refusal));
  auto& outcome = std::get<change::Outcome>(result);
  if (fleet_ != nullptr) WarnOfOldProxies(*fleet_, outcome);
  response_ = ToResponse(outcome);
  Finish(grpc::Status::OK);
}

}  // namespace portico::north
