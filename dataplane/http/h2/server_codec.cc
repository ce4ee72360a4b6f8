#include "dataplane/http/h2/server_codec.h"

#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/http/h2/session.h"

namespace portico::http::h2 {
namespace {

bool IsContentLength(const nghttp2_nv& line) {
  return std::string_view(reinterpret_cast<const char*>(line.name), line.namelen) == "content-length";
}

constexpr MessageError kTrailersTooLarge = {431, "trailer section too large"};

}  // namespace

class ServerSession final : public Session {
 public:
  ServerSession(ServerEvents& events, const Limits& limits, base::BlockPool* pool)
      : Session(true, events, limits, pool), events_(events) {}

  void SendResponse(StreamId id, const ResponseHead& head, bool end);
  void Drain(bool final);
  bool greeted() const { return greeted_; }

 private:
  Stream* BeginStream(StreamId id) override { return &Add(id, events_.OnRequestBegin(id)); }
  void HeadReceived(Stream& stream, bool ends) override;
  void TrailersRefused(Stream& stream) override;
  void SettingsReceived() override { greeted_ = true; }
  void Refuse(Stream& stream, MessageError error);

  ServerEvents& events_;
  bool greeted_ = false;
  bool warned_ = false;
  bool drained_ = false;
};

void ServerSession::HeadReceived(Stream& stream, bool ends) {
  stream.has_head = true;
  switch (stream.reader.FinishRequest(ends)) {
    case SectionReader::Verdict::kWhole:
      events_.OnRequest(stream.id, stream.reader.TakeRequest());
      return;
    case SectionReader::Verdict::kRefused:
      Refuse(stream, stream.reader.refusal());
      return;
    case SectionReader::Verdict::kMalformed:
      stream.told_end = true;  // what still comes in this frame's flags is not delivered; OnReset is
      SubmitReset(stream, NGHTTP2_PROTOCOL_ERROR);
      return;
  }
}

void ServerSession::Refuse(Stream& stream, MessageError error) {
  stream.discards = true;
  stream.told_end = true;
  stream.head_alone = stream.reader.asks_head_alone();
  events_.OnBadRequest(stream.id, error);
}

void ServerSession::TrailersRefused(Stream& stream) {
  // A response that has begun can't become another one.
  if (stream.head_sent) {
    ResetTooLarge(stream);
  } else {
    Refuse(stream, kTrailersTooLarge);
  }
}

void ServerSession::SendResponse(StreamId id, const ResponseHead& head, bool end) {
  Stream* stream = Find(id);
  if (stream == nullptr || stream->reset) return;
  PORTICO_CHECK(!stream->head_sent, "one final response to a request");
  const std::string status = base::Concat(head.status);
  std::vector<nghttp2_nv>& lines = Lines({{":status", status}}, head.fields);
  // RFC 9110 section 8.6; clients take it for content that is missing. 304 may say what there would be.
  if (NeverHasContent(head.status) && head.status != 304) std::erase_if(lines, IsContentLength);
  const auto stream_id = static_cast<int32_t>(id);
  if (head.status < 200) {
    PORTICO_CHECK(nghttp2_submit_headers(nghttp2_.get(), NGHTTP2_FLAG_NONE, stream_id, nullptr, lines.data(),
                                         lines.size(), nullptr) == 0);
    return;
  }
  end = end || stream->head_alone;
  stream->head_sent = true;
  stream->said_end = end;
  const nghttp2_data_provider provider = Provider();
  PORTICO_CHECK(
      nghttp2_submit_response(nghttp2_.get(), stream_id, lines.data(), lines.size(), end ? nullptr : &provider) == 0);
}

void ServerSession::Drain(bool final) {
  if (closed() || drained_ || (warned_ && !final)) return;
  if (final) {
    const int32_t last_id = nghttp2_session_get_last_proc_stream_id(nghttp2_.get());
    nghttp2_submit_goaway(nghttp2_.get(), NGHTTP2_FLAG_NONE, last_id, NGHTTP2_NO_ERROR, nullptr, 0);
    drained_ = true;
  } else {
    nghttp2_submit_shutdown_notice(nghttp2_.get());
    warned_ = true;
  }
}

ServerCodec::ServerCodec(ServerEvents& events, const Limits& limits, base::BlockPool* pool)
    : session_(std::make_unique<ServerSession>(events, limits, pool)) {}
ServerCodec::~ServerCodec() = default;

bool ServerCodec::Feed(base::Slice input) {
  return session_->Feed(std::move(input));
}
void ServerCodec::FeedEnd(bool clean) {
  session_->FeedEnd();
}
bool ServerCodec::Resume() {
  return !session_->closed();
}
bool ServerCodec::WantsInput() const {
  return !session_->closed();
}
bool ServerCodec::Idle() const {
  return session_->Idle();
}
bool ServerCodec::WantsClose() const {
  return session_->WantsClose();
}
std::string_view ServerCodec::error() const {
  return session_->error();
}
void ServerCodec::SendContent(StreamId id, base::Buffer& content, bool end) {
  session_->SendContent(id, content, end);
}
void ServerCodec::SendTrailers(StreamId id, const Fields& trailers) {
  session_->SendTrailers(id, trailers);
}
size_t ServerCodec::Unsent(StreamId id) const {
  return session_->Unsent(id);
}
bool ServerCodec::TakesMore(StreamId id) {
  return session_->TakesMore(id);
}
void ServerCodec::Consumed(StreamId id, size_t bytes) {
  session_->Consumed(id, bytes);
}
void ServerCodec::Reset(StreamId id, ResetReason reason) {
  session_->Reset(id, reason);
}
void ServerCodec::Produce(base::Buffer& out) {
  session_->Produce(out);
}
void ServerCodec::SendResponse(StreamId id, const ResponseHead& head, bool end) {
  session_->SendResponse(id, head, end);
}
void ServerCodec::Drain(bool final) {
  session_->Drain(final);
}
uint32_t ServerCodec::misbehaviours() const {
  return session_->misbehaviours();
}
uint64_t ServerCodec::message_frames() const {
  return session_->message_frames();
}
bool ServerCodec::Greeted() const {
  return session_->greeted();
}

}  // namespace portico::http::h2
