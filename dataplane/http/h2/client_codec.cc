#include "dataplane/http/h2/client_codec.h"

#include <algorithm>
#include <utility>

#include "dataplane/http/h2/session.h"

namespace portico::http::h2 {

class ClientSession final : public Session {
 public:
  ClientSession(ClientEvents& events, const Limits& limits, std::string_view scheme)
      : Session(false, events, limits, nullptr), events_(events), scheme_(scheme) {}

  StreamId SendRequest(const RequestHead& head, bool end, base::Arena& arena);
  uint32_t CanSend() const;

 private:
  Stream* BeginStream(StreamId) override { return nullptr; }
  void HeadReceived(Stream& stream, bool ends) override;
  void TrailersRefused(Stream& stream) override { ResetTooLarge(stream); }
  void SettingsReceived() override { events_.OnRoomChanged(); }

  ClientEvents& events_;
  const std::string_view scheme_;  // "": the request's
};

void ClientSession::HeadReceived(Stream& stream, bool ends) {
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

StreamId ClientSession::SendRequest(const RequestHead& head, bool end, base::Arena& arena) {
  if (CanSend() == 0) return 0;
  const std::string_view scheme = scheme_.empty() ? head.scheme : scheme_;
  std::vector<nghttp2_nv>& lines =
      Lines({{":method", head.method}, {":scheme", scheme}, {":path", head.path}, {":authority", head.authority}},
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

uint32_t ClientSession::CanSend() const {
  if (closed() || peer_drains_ || nghttp2_session_check_request_allowed(nghttp2_.get()) == 0) return 0;
  // nghttp2 answers 100 before the peer's SETTINGS have come.
  const uint32_t streams_max =
      nghttp2_session_get_remote_settings(nghttp2_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  const auto open = static_cast<uint32_t>(std::min<size_t>(streams_.size(), streams_max));
  return streams_max - open;
}

ClientCodec::ClientCodec(ClientEvents& events, const Limits& limits, std::string_view scheme)
    : session_(std::make_unique<ClientSession>(events, limits, scheme)) {}
ClientCodec::~ClientCodec() = default;

bool ClientCodec::Feed(base::Slice input) {
  return session_->Feed(std::move(input));
}
void ClientCodec::FeedEnd(bool clean) {
  session_->FeedEnd();
}
bool ClientCodec::Resume() {
  return !session_->closed();
}
bool ClientCodec::WantsInput() const {
  return !session_->closed();
}
bool ClientCodec::Idle() const {
  return session_->Idle();
}
bool ClientCodec::WantsClose() const {
  return session_->WantsClose();
}
std::string_view ClientCodec::error() const {
  return session_->error();
}
void ClientCodec::SendContent(StreamId id, base::Buffer& content, bool end) {
  session_->SendContent(id, content, end);
}
void ClientCodec::SendTrailers(StreamId id, const Fields& trailers) {
  session_->SendTrailers(id, trailers);
}
size_t ClientCodec::Unsent(StreamId id) const {
  return session_->Unsent(id);
}
void ClientCodec::Consumed(StreamId id, size_t bytes) {
  session_->Consumed(id, bytes);
}
void ClientCodec::Reset(StreamId id, ResetReason reason) {
  session_->Reset(id, reason);
}
void ClientCodec::Produce(base::Buffer& out) {
  session_->Produce(out);
}
StreamId ClientCodec::SendRequest(const RequestHead& head, bool end, base::Arena& arena) {
  return session_->SendRequest(head, end, arena);
}
uint32_t ClientCodec::CanSend() const {
  return session_->CanSend();
}
uint32_t ClientCodec::misbehaviours() const {
  return session_->misbehaviours();
}

}  // namespace portico::http::h2
