#include "dataplane/grpc/stream.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/statusor.h"
#include "api/base/text.h"

namespace portico::grpc {
namespace {

// "application/grpc", alone or with a format or parameters; not application/grpc-web.
bool IsGrpcType(std::string_view content_type) {
  constexpr std::string_view kType = "application/grpc";
  const std::string type = base::LowerAscii(content_type);
  if (!type.starts_with(kType)) return false;
  return type.size() == kType.size() || type[kType.size()] == '+' || type[kType.size()] == ';';
}

// At most eight digits (PROTOCOL-HTTP2.md, Timeout); never shorter than asked for.
std::string TimeoutText(base::Duration timeout) {
  constexpr int64_t kMost = 99'999'999;
  const int64_t micros = timeout.count();
  if (micros <= kMost) return base::Concat(micros, "u");
  if (micros / 1000 < kMost) return base::Concat(micros / 1000 + 1, "m");
  return base::Concat(std::min(micros / 1'000'000 + 1, kMost), "S");
}

}  // namespace

Stream::Stream(call::Backend& backend, const StreamRequest& request, StreamHandler& handler, size_t message_bytes_max)
    : handler_(handler), head_(arena_), reader_(message_bytes_max) {
  MakeHead(request);
  call::CallRequest call{.head = &head_, .end = false, .arena = &arena_, .attempt_timeout = request.timeout};
  call_ = backend.Start(call, *this);
}

Stream::~Stream() {
  if (destroyed_ != nullptr) *destroyed_ = true;
}

void Stream::MakeHead(const StreamRequest& request) {
  head_.method = "POST";
  head_.scheme = "http";  // the backend knows better
  head_.authority = arena_.Copy(request.authority);
  head_.path = arena_.Copy(request.path);
  head_.version = http::Version::kHttp2;
  if (request.timeout.has_value()) head_.fields.Add("grpc-timeout", TimeoutText(*request.timeout));
  head_.fields.Add(http::FieldId::kTe, "trailers");
  head_.fields.Add(http::FieldId::kContentType, "application/grpc");
  head_.fields.Add(http::FieldId::kUserAgent, request.user_agent);
  for (const auto& [name, value] : request.metadata)
    head_.fields.Add(name, value);
}

void Stream::Send(std::string_view message) {
  if (call_ == nullptr) return;
  base::Buffer content;
  AppendMessage(message, content);
  call_->SendContent(content, false);
}

void Stream::HalfClose() {
  if (call_ == nullptr) return;
  base::Buffer nothing;
  call_->SendContent(nothing, true);
}

void Stream::Resume() {
  paused_ = false;
  Deliver();
}

void Stream::OnResponse(http::ResponseHead head) {
  http_status_ = head.status;
  // Trailers-Only, also of a server that frames it as a head with an empty content.
  if (head.framing.ends_with_head || head.fields.Find("grpc-status").has_value()) {
    status_ = ReadStatus(head.fields, head.status);
    return;
  }
  if (head.status != 200) return Fail(ReadStatus(head.fields, head.status));
  if (IsGrpcType(head.fields.Find(http::FieldId::kContentType).value_or(""))) return;
  Fail({Code::kUnknown, "the response's content-type is not application/grpc"});
}

void Stream::OnContent(base::Slice content) {
  unread_.Append(std::move(content));
  Deliver();
}

void Stream::OnTrailers(http::Fields trailers) {
  status_ = ReadStatus(trailers, http_status_);
}

void Stream::OnEnd() {
  ended_ = true;
  call_.reset();
  if (!status_.has_value()) status_ = ReadStatus(http::Fields(arena_), http_status_);
  Deliver();
}

void Stream::OnError(const call::Error& error) {
  Fail(StatusOf(error));
}

void Stream::Fail(Status status) {
  call_.reset();
  unread_.Clear();
  told_ = true;
  handler_.OnEnd(std::move(status));
}

void Stream::Deliver() {
  if (destroyed_ != nullptr) return;  // called by the handler: whoever called that goes on
  bool destroyed = false;
  destroyed_ = &destroyed;
  while (!paused_ && !told_ && !unread_.empty()) {
    const size_t before = unread_.size();
    absl::StatusOr<std::optional<std::string>> message = reader_.Read(unread_);
    if (!message.ok()) {
      destroyed_ = nullptr;
      const bool too_large = message.status().code() == absl::StatusCode::kResourceExhausted;
      return Fail({too_large ? Code::kResourceExhausted : Code::kInternal,
                   std::string(base::ToStd(message.status().message()))});
    }
    if (call_ != nullptr) call_->Consumed(before - unread_.size());
    if (!message->has_value()) continue;
    handler_.OnMessage(*std::move(*message));
    if (destroyed) return;
  }
  destroyed_ = nullptr;
  if (paused_ || told_ || !ended_) return;
  if (status_->ok() && !reader_.between_messages()) status_ = {Code::kInternal, "the response ends inside a message"};
  told_ = true;
  handler_.OnEnd(*std::move(status_));
}

}  // namespace portico::grpc
