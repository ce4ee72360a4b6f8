#include "controlplane/north/apply_call.h"

#include <variant>

#include "absl/status/status.h"
#include "controlplane/north/caller.h"
#include "controlplane/north/convert.h"
#include "controlplane/north/errors.h"

namespace portico::north {

ApplyCall::ApplyCall(grpc::CallbackServerContext& context, portico::v1::ApplyResponse& response,
                     CountedChanges& changes, Writer& writer)
    : context_(context), response_(response), changes_(changes), writer_(writer) {
  StartRead(&request_);
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
  const std::variant<change::Outcome, change::Refusal> result = changes_.Apply(gather_.Take(), CallerOf(context_));
  if (const auto* refusal = std::get_if<change::Refusal>(&result)) return Finish(ToGrpc(*refusal));
  response_ = ToResponse(std::get<change::Outcome>(result));
  Finish(grpc::Status::OK);
}

}  // namespace portico::north
