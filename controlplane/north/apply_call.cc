#include "controlplane/north/apply_call.h"

#include <variant>

#include "absl/status/status.h"
#include "controlplane/north/convert.h"
#include "controlplane/north/errors.h"

namespace portico::north {

ApplyCall::ApplyCall(grpc::CallbackServerContext& context, portico::v1::ApplyResponse& response,
                     CountedChanges& changes, const Gatekeeper& gatekeeper, Writer& writer)
    : context_(context), response_(response), changes_(changes), gatekeeper_(gatekeeper), writer_(writer) {
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
  const std::variant<change::Outcome, change::Refusal> result =
      changes_.Apply(gather_.Take(), caller->record(), gatekeeper_.JudgeOf(*caller));
  if (const auto* refusal = std::get_if<change::Refusal>(&result)) return Finish(ToGrpc(*refusal));
  response_ = ToResponse(std::get<change::Outcome>(result));
  Finish(grpc::Status::OK);
}

}  // namespace portico::north
