#include "controlplane/north/errors.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "api/base/text.h"
#include "api/base/utf8.h"
#include "api/check/violation.h"
#include "api/google/rpc/error_details.pb.h"
#include "api/google/rpc/status.pb.h"
#include "api/wire/names.h"

namespace portico::north {
namespace {

using base::Concat;

// gRPC puts errors into header fields, of which its clients take 8 KiB by default: grpc-message, where each byte that
// is not printable ASCII takes three (gRPC over HTTP/2, "Percent-Byte-Encoded"), and grpc-status-details-bin, which is
// base64 and has the message again. The rest is for the other fields.
constexpr size_t kMessageEncodedMax = 2000;
constexpr size_t kDetailBytesMax = 3900;   // 5200 in base64
constexpr size_t kViolationTextMax = 600;  // of each of its two texts: one always fits
constexpr std::string_view kCut = "...";

size_t EncodedBytes(std::string_view text) {
  size_t bytes = 0;
  for (const char c : text)
    bytes += c >= ' ' && c <= '~' && c != '%' ? 1 : 3;
  return bytes;
}

// The beginning of a text and the whole of `ending`, in at most kMessageEncodedMax once encoded.
std::string Message(std::string_view text, std::string_view ending) {
  std::string whole = base::Utf8Prefix(text, text.size());
  if (EncodedBytes(whole) + EncodedBytes(ending) <= kMessageEncodedMax) return Concat(whole, ending);
  const size_t room = kMessageEncodedMax - EncodedBytes(ending) - kCut.size();
  size_t size = std::min(room, whole.size());
  std::string cut = base::Utf8Prefix(whole, size);
  while (EncodedBytes(cut) > room)
    cut = base::Utf8Prefix(whole, --size);
  return Concat(cut, kCut, ending);
}

google::rpc::BadRequest::FieldViolation ToMessage(const check::Violation& violation) {
  const std::string field = Concat(violation.key.kind, " ", wire::ResourceName(violation.key),
                                   violation.path.empty() ? "" : ": ", violation.path);
  google::rpc::BadRequest::FieldViolation out;
  out.set_field(base::Utf8Prefix(field, kViolationTextMax));
  out.set_description(base::Utf8Prefix(violation.message, kViolationTextMax));
  return out;
}

// The first that fit into so many bytes.
google::rpc::BadRequest BadRequestOf(const check::Violations& violations, size_t bytes_max) {
  google::rpc::BadRequest request;
  for (const check::Violation& violation : violations) {
    *request.add_field_violations() = ToMessage(violation);
    if (request.ByteSizeLong() <= bytes_max) continue;
    request.mutable_field_violations()->RemoveLast();
    break;
  }
  return request;
}

google::rpc::Status DetailOf(absl::StatusCode code, const std::string& message) {
  google::rpc::Status detail;
  detail.set_code(static_cast<int>(code));
  detail.set_message(message);
  return detail;
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), Message(base::ToStd(status.message()), ""));
}

grpc::Status ToGrpc(const change::Refusal& refusal) {
  if (refusal.violations.empty()) return ToGrpc(refusal.status);
  const std::string_view text = base::ToStd(refusal.status.message());
  const size_t all = refusal.violations.size();
  // Both say the same, so what the longest message leaves is what there is for the violations.
  const size_t head = DetailOf(refusal.status.code(), Message(text, "")).ByteSizeLong() + 150;
  const google::rpc::BadRequest request = BadRequestOf(refusal.violations, kDetailBytesMax - head);
  const auto told = static_cast<size_t>(request.field_violations_size());
  const std::string message = Message(text, told == all ? "" : Concat("; the details tell ", told, " of ", all));
  google::rpc::Status detail = DetailOf(refusal.status.code(), message);
  detail.add_details()->PackFrom(request);
  return grpc::Status(static_cast<grpc::StatusCode>(refusal.status.code()), message, detail.SerializeAsString());
}

}  // namespace portico::north
