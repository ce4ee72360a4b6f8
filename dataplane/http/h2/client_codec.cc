#include "dataplane/http/h2/client_codec.h"

#include <algorithm>
#include <utility>

#include "dataplane/http/h2/session.h"

namespace portico::http {

class Http2ClientSession final : public Session {
 public:
  Http2ClientSession(ClientEvents& events, const Limits& limits) : Session(false, events, limits), events_(events) {}

  StreamId SendRequest(const RequestHead& head, bool end, base::Arena& arena);
  uint32_t CanSend() const;

 private:
  Stream* BeginStream(StreamId) override { return nullptr; }
  void HeadReceived(Stream& stream, bool ends) override;
  void TrailersRefused(Stream& stream) override { ResetTooLarge(stream); }

  ClientEvents& events_;
};

void Http2ClientSession::HeadReceived(Stream& stream, bool ends) {
  switch (stream.reader.FinishResponse(ends)) {
    case SectionReader::Verdict::kWhole:
      break;
    case SectionReader::Verdict::kRefused:
      ResetTooLarge(stream);
      return;
    case SectionReader::Verdict::kMalformed:
      stream.reason = ResetReason::kProtocol;
      SubmitReset(stream, NGHTTP2_PROTOCOL_ERROR);
      return;
  }
  ResponseHead head = stream.reader.TakeResponse();
  if (head.status >= 200) {
    stream.has_head = true;
    events_.OnResponse(stream.id, std::move(head));
  } else if (++stream.informationals > limits_.informational_max) {
    ResetTooLarge(stream);
  } else {
    events_.OnInformational(stream.id, std::move(head));
  }
}

StreamId Http2ClientSession::SendRequest(const RequestHead& head, bool end, base::Arena& arena) {
  if (CanSend() == 0) return 0;
  std::vector<nghttp2_nv>& lines =
      Lines({{":method", head.method}, {":scheme", head.scheme}, {":path", head.path}, {":authority", head.authority}},
            head.fields);
  // A request of HTTP/1.0 without host has none (RFC 9113 section 8.3.1: then the pseudo-field is left out).
  if (head.authority.empty()) lines.erase(lines.begin() + 3);
  if (head.expects_continue && !end) lines.push_back(ToLine("expect", "100-continue", false));
  const nghttp2_data_provider provider = Provider();
  const int32_t id =
      nghttp2_submit_request(nghttp2_.get(), nullptr, lines.data(), lines.size(), end ? nullptr : &provider, nullptr);
  if (id <= 0) return 0;
  Add(static_cast<StreamId>(id), arena).said_end = end;
  return static_cast<StreamId>(id);
}

uint32_t Http2ClientSession::CanSend() const {
  if (closed() || peer_drains_ || nghttp2_session_check_request_allowed(nghttp2_.get()) == 0) return 0;
  // nghttp2 answers 100 before the peer's SETTINGS have come.
  const uint32_t streams_max =
      nghttp2_session_get_remote_settings(nghttp2_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  const auto open = static_cast<uint32_t>(std::min<size_t>(streams_.size(), streams_max));
  return streams_max - open;
}

Http2ClientCodec::Http2ClientCodec(ClientEvents& events, const Limits& limits)
    : session_(std::make_unique<Http2ClientSession>(events, limits)) {}
Http2ClientCodec::~Http2ClientCodec() = default;

bool Http2ClientCodec::Feed(base::Slice input) {
  return session_->Feed(std::move(input));
}
void Http2ClientCodec::FeedEnd(bool clean) {
  session_->FeedEnd();
}
bool Http2ClientCodec::Resume() {
  return !session_->closed();
}
bool Http2ClientCodec::WantsInput() const {
  return !session_->closed();
}
bool Http2ClientCodec::Idle() const {
  return session_->Idle();
}
bool Http2ClientCodec::WantsClose() const {
  return session_->WantsClose();
}
std::string_view Http2ClientCodec::error() const {
  return session_->error();
}
void Http2ClientCodec::SendContent(StreamId id, base::Buffer& content, bool end) {
  session_->SendContent(id, content, end);
}
void Http2ClientCodec::SendTrailers(StreamId id, const Fields& trailers) {
  session_->SendTrailers(id, trailers);
}
size_t Http2ClientCodec::Unsent(StreamId id) const {
  return session_->Unsent(id);
}
void Http2ClientCodec::Consumed(StreamId id, size_t bytes) {
  session_->Consumed(id, bytes);
}
void Http2ClientCodec::Reset(StreamId id, ResetReason reason) {
  session_->Reset(id, reason);
}
void Http2ClientCodec::Produce(base::Buffer& out) {
  session_->Produce(out);
}
StreamId Http2ClientCodec::SendRequest(const RequestHead& head, bool end, base::Arena& arena) {
  return session_->SendRequest(head, end, arena);
}
uint32_t Http2ClientCodec::CanSend() const {
  return session_->CanSend();
}
uint32_t Http2ClientCodec::misbehaviours() const {
  return session_->misbehaviours();
}

}  // namespace portico::http
