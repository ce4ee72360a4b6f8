#include "dataplane/upstream/connection.h"

#include <algorithm>
#include <utility>

#include "api/base/check.h"

namespace portico::upstream {
namespace {

using call::Error;
using call::ErrorKind;

constexpr int kVectorsMax = 16;
constexpr int kReadsPerTurnMax = 16;  // then others have their turn: 256 KiB

// What befell a request of which nothing had left.
Error NothingSent() {
  return {ErrorKind::kConnectionTerminated, true, "the connection ended before the request was sent"};
}

}  // namespace

Connection::Connection(event::Loop& loop, base::BlockPool& pool, std::unique_ptr<net::ByteStream> stream, Owner& owner,
                       Terms terms)
    : loop_(loop),
      pool_(pool),
      stream_(std::move(stream)),
      owner_(owner),
      terms_(terms),
      timer_(loop.timers(), *this),
      output_(&pool) {
  stream_->set_handler(this);
  timer_.Set(loop_.Now() + terms_.connect_timeout);
}

Connection::~Connection() {
  PORTICO_CHECK(streams_.empty(), "a connection dies under its streams");
}

http::StreamId Connection::Send(const http::RequestHead& head, bool end, base::Arena& arena, StreamOwner& owner) {
  PORTICO_CHECK(state_ == State::kOpen);
  const http::StreamId id = codec_->SendRequest(head, end, arena);
  if (id == 0) return 0;
  used_ = true;
  new_streams_ = true;
  streams_.push_back({.id = id, .owner = &owner, .sent_end = end});
  timer_.Cancel();
  loop_.AtTurnEnd(*this);
  return id;
}

void Connection::SendContent(http::StreamId id, base::Buffer& content, bool end) {
  codec_->SendContent(id, content, end);
  if (end) MarkSent(id);
  loop_.AtTurnEnd(*this);
}

void Connection::SendTrailers(http::StreamId id, const http::Fields& trailers) {
  codec_->SendTrailers(id, trailers);
  MarkSent(id);
  loop_.AtTurnEnd(*this);
}

void Connection::Consumed(http::StreamId id, size_t bytes) {
  codec_->Consumed(id, bytes);
  loop_.AtTurnEnd(*this);
}

void Connection::Cancel(http::StreamId id) {
  if (TakeOwner(id) == nullptr) return;
  codec_->Reset(id, http::ResetReason::kCancelled);
  freed_ = true;
  loop_.AtTurnEnd(*this);
}

void Connection::Drain() {
  draining_ = true;
  loop_.AtTurnEnd(*this);
}

void Connection::Close(const Error& error) {
  if (state_ == State::kClosed) return;
  const bool opened = state_ == State::kOpen;
  state_ = State::kClosed;
  timer_.Forget();
  stream_->set_handler(nullptr);
  // An owner may cancel other streams of this connection while it is told.
  while (!streams_.empty()) {
    const Stream stream = streams_.back();
    streams_.pop_back();
    stream.owner->OnStreamError(stream.sending ? error : NothingSent());
  }
  output_.Clear();
  owner_.OnClosed(*this, opened, error);
}

void Connection::OnOpen(bool ok) {
  if (!ok) return Close(terms_.security == nullptr ? NotConnected() : terms_.security->WhyNotOpen(*stream_));
  if (const std::string_view wrong = WrongProtocol(); !wrong.empty()) {
    return Close({ErrorKind::kTlsProtocolError, true, wrong});
  }
  writable_ = true;
  if (!terms_.http2) return Opened();
  state_ = State::kGreeting;
  loop_.AtTurnEnd(*this);
}

void Connection::Opened() {
  state_ = State::kOpen;
  timer_.Set(loop_.Now() + terms_.idle_timeout);
  owner_.OnOpened(*this);
  if (state_ == State::kOpen) loop_.AtTurnEnd(*this);
}

// What goes beyond a limit that the origin has not told yet would be refused, and a server that is none of HTTP/2 is
// found out before any request depends on it.
void Connection::FinishGreeting() {
  if (codec_->WantsClose()) return CloseMalformed();
  if (!greeted_) return;
  if (codec_->CanSend() > 0) return Opened();
  Close({ErrorKind::kDestinationUnavailable, true, "the origin takes no requests on a new connection"});
}

// A server that knows no ALPN speaks HTTP/1.1 (RFC 7301 section 3.2); HTTP/2 must have been agreed on (RFC 9113
// section 3.2). In clear there is nothing to agree by.
std::string_view Connection::WrongProtocol() const {
  const net::TlsInfo tls = stream_->tls();
  if (tls.version.empty()) return {};
  if (terms_.http2) return tls.alpn == "h2" ? "" : "the origin does not speak HTTP/2";
  return tls.alpn.empty() || tls.alpn == "http/1.1" ? "" : "the origin does not speak HTTP/1.1";
}

void Connection::OnReadable() {
  readable_ = true;
  Drive();
}

void Connection::OnWritable() {
  writable_ = true;
  Drive();
}

// Everything that moves bytes comes through here; nothing in it runs inside a codec's event.
void Connection::Drive() {
  if (!alive()) return;
  ReadAll();
  if (state_ == State::kGreeting && Flush()) FinishGreeting();
  AfterEvents();
}

void Connection::OnTurnEnd() {
  if (!alive()) return;
  if (!codec_->Resume()) return CloseMalformed();
  Drive();
}

// What the codec still has to say, to the origin and to the owners, comes first.
void Connection::CloseMalformed() {
  if (alive()) Flush();
  Close({ErrorKind::kHttpProtocolError, false, "the origin's response is malformed"});
}

void Connection::AfterEvents() {
  if (state_ != State::kOpen) return;
  if (!Flush()) return;
  if (streams_.empty() && (draining_ || codec_->WantsClose())) {
    return Close({ErrorKind::kConnectionTerminated, true, "the connection has ended"});
  }
  if (std::exchange(freed_, false)) {
    if (streams_.empty()) timer_.Set(loop_.Now() + terms_.idle_timeout);
    owner_.OnAvailable(*this);
  }
}

void Connection::ReadAll() {
  for (int reads = 0; alive() && readable_ && codec_->WantsInput(); ++reads) {
    if (reads == kReadsPerTurnMax) return loop_.AtTurnEnd(*this);
    if (!ReadOnce()) return;
  }
}

bool Connection::ReadOnce() {
  base::Block* block = pool_.Get();
  const net::IoResult result = stream_->Read(block->bytes(), block->capacity());
  base::Slice input = base::Slice::Adopt(block, result.bytes);
  switch (result.status) {
    case net::IoStatus::kOk:
      heard_ = true;
      // Said before it can have heard the request: no answer to it, but it would pass for one (RFC 9112 section 9.3).
      if (!terms_.http2 && !streams_.empty() && !streams_.front().sending) {
        Close(NothingSent());
        return false;
      }
      if (!codec_->Feed(std::move(input))) {
        CloseMalformed();
        return false;
      }
      return alive();
    case net::IoStatus::kWouldBlock:
      readable_ = false;
      return false;
    case net::IoStatus::kEnd:
    case net::IoStatus::kFailed:
      readable_ = false;
      if (!heard_ && terms_.security != nullptr) end_ = terms_.security->WhyRefused(*stream_).value_or(end_);
      codec_->FeedEnd(result.status == net::IoStatus::kEnd);
      Close(end_);
      return false;
  }
  return false;
}

void Connection::BeginSending() {
  if (!std::exchange(new_streams_, false)) return;
  for (Stream& stream : streams_) {
    if (!std::exchange(stream.sending, true)) stream.owner->OnSending();
  }
}

// False: the connection is closed.
bool Connection::Flush() {
  for (;;) {
    BeginSending();
    codec_->Produce(output_);
    if (!alive()) return false;
    if (output_.empty() || !writable_) return true;
    BeginSending();  // of those that came with an OnSendReady
    struct iovec vectors[kVectorsMax];
    const int count = output_.Gather(vectors, kVectorsMax);
    const net::IoResult result = stream_->Write(vectors, count);
    if (result.status == net::IoStatus::kFailed) {
      // What the origin said before it closed may still wait in the socket: an early answer to an upload that it did
      // not want to read. So writing stops, and reading finds the end.
      output_.Clear();
      writable_ = false;
      readable_ = true;
      ReadAll();
      return alive();
    }
    if (result.status == net::IoStatus::kWouldBlock) {
      writable_ = false;
      return true;
    }
    output_.Consume(result.bytes);
  }
}

void Connection::OnTimer(event::Timer&) {
  if (state_ == State::kConnecting || state_ == State::kGreeting) {
    return Close({ErrorKind::kConnectionTimeout, true, "no connection was made in time"});
  }
  if (streams_.empty()) Close({ErrorKind::kConnectionTerminated, true, "the connection was idle for too long"});
}

Connection::Stream* Connection::Find(http::StreamId id) {
  const auto found = std::find_if(streams_.begin(), streams_.end(), [id](const Stream& s) { return s.id == id; });
  return found == streams_.end() ? nullptr : &*found;
}

void Connection::MarkSent(http::StreamId id) {
  if (Stream* stream = Find(id)) stream->sent_end = true;
}

Connection::StreamOwner* Connection::TakeOwner(http::StreamId id) {
  Stream* stream = Find(id);
  if (stream == nullptr) return nullptr;
  StreamOwner* owner = stream->owner;
  *stream = streams_.back();
  streams_.pop_back();
  return owner;
}

void Connection::OnInformational(http::StreamId id, http::ResponseHead head) {
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  stream->heard = true;
  stream->owner->OnInformational(head);
}

void Connection::OnResponse(http::StreamId id, http::ResponseHead head) {
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  stream->heard = true;
  stream->owner->OnResponse(std::move(head));
}

void Connection::OnContent(http::StreamId id, base::Slice content) {
  Stream* stream = Find(id);
  if (stream == nullptr) return codec_->Consumed(id, content.size());
  stream->owner->OnContent(std::move(content));
}

void Connection::OnTrailers(http::StreamId id, http::Fields trailers) {
  if (Stream* stream = Find(id)) stream->owner->OnTrailers(std::move(trailers));
}

void Connection::OnMessageEnd(http::StreamId id) {
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  // An answer before the whole request: the rest is of no use to the origin (RFC 9113 section 8.1), and HTTP/1.1
  // can't skip it, so that connection ends (RFC 9112 section 9.3).
  const bool left = stream->sent_end && codec_->Unsent(id) == 0 && (terms_.http2 || output_.empty());
  if (!left) {
    codec_->Reset(id, http::ResetReason::kNoError);
    draining_ = draining_ || !terms_.http2;
  }
  StreamOwner* owner = TakeOwner(id);
  freed_ = true;
  loop_.AtTurnEnd(*this);
  owner->OnEnd();
}

void Connection::OnReset(http::StreamId id, http::ResetReason reason) {
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  const Error error = ErrorOf(reason, *stream);
  StreamOwner* owner = TakeOwner(id);
  freed_ = true;
  loop_.AtTurnEnd(*this);
  owner->OnStreamError(error);
}

// What a stream's early end means to the call that waits for it.
Error Connection::ErrorOf(http::ResetReason reason, const Stream& stream) const {
  switch (reason) {
    case http::ResetReason::kRefused:
      return {ErrorKind::kConnectionTerminated, true, "the origin refused the stream"};
    case http::ResetReason::kClosed:
      if (!stream.sending) return NothingSent();
      if (!stream.heard) return end_;
      return {ErrorKind::kConnectionTerminated, false, "the origin closed in the middle of its response"};
    case http::ResetReason::kProtocol:
      return {ErrorKind::kHttpProtocolError, false, "the origin's response is malformed"};
    case http::ResetReason::kTooLarge:
      return {ErrorKind::kHttpProtocolError, false, "the origin's response is over a limit"};
    case http::ResetReason::kInternal:
      // The codec has a text if the request itself can't be sent; else the origin said so.
      if (!codec_->error().empty()) return {ErrorKind::kHttpProtocolError, false, codec_->error()};
      [[fallthrough]];
    default:
      return {ErrorKind::kConnectionTerminated, false, "the origin reset the stream"};
  }
}

void Connection::OnSendReady(http::StreamId id) {
  if (Stream* stream = Find(id)) stream->owner->OnSendReady();
}

void Connection::OnPeerDrains() {
  draining_ = true;
}

}  // namespace portico::upstream
