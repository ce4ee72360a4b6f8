#include "controlplane/north/errors.h"

#include <string>

#include "api/base/text.h"
#include "api/base/utf8.h"
#include "api/check/violation.h"
#include "api/google/rpc/error_details.pb.h"
#include "api/google/rpc/status.pb.h"
#include "api/wire/names.h"

namespace portico::north {
namespace {

// gRPC puts errors in a header field, and peers take 8 KiB of those by default.
constexpr size_t kMessageBytesMax = 2000;
constexpr size_t kDetailBytesMax = 5000;

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      base::Utf8Prefix(base::ToStd(status.message()), kMessageBytesMax));
}

grpc::Status ToGrpc(const change::Refusal& refusal) {
  const grpc::Status plain = ToGrpc(refusal.status);
  if (refusal.violations.empty()) return plain;
  google::rpc::BadRequest request;
  size_t bytes = 0;
  for (const check::Violation& violation : refusal.violations) {
    google::rpc::BadRequest::FieldViolation out;
    out.set_field(base::Concat(violation.key.kind, " ", wire::ResourceName(violation.key),
                               violation.path.empty() ? "" : ": ", violation.path));
    out.set_description(violation.message);
    bytes += out.ByteSizeLong() + 4;
    if (bytes > kDetailBytesMax) break;  // the message says how many there are
    *request.add_field_violations() = std::move(out);
  }
  google::rpc::Status detail;
  detail.set_code(plain.error_code());
  detail.set_message(plain.error_message());
  detail.add_details()->PackFrom(request);
  return grpc::Status(plain.error_code(), plain.error_message(), detail.SerializeAsString());
}

}  // namespace portico::north
