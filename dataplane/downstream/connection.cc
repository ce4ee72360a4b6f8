#include "dataplane/downstream/connection.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "api/base/check.h"
#include "dataplane/http/h1/server_codec.h"
#include "dataplane/http/h2/server_codec.h"

namespace portico::downstream {
namespace {

constexpr int kVectorsMax = 16;

// The beginning of HTTP/2's preface (RFC 9113 section 3.4). No HTTP/1.1 method is "PRI": four bytes decide.
constexpr std::string_view kPrefaceStart = "PRI ";

}  // namespace

Connection::Connection(event::Loop& loop, base::BlockPool& pool, std::unique_ptr<net::ByteStream> stream, Owner& owner,
                       std::shared_ptr<const http::Limits> limits, Timeouts timeouts)
    : loop_(loop),
      pool_(pool),
      stream_(std::move(stream)),
      owner_(owner),
      limits_(std::move(limits)),
      timeouts_(timeouts),
      timer_(loop.timers(), *this),
      output_(&pool) {
  stream_->set_handler(this);
  timer_.Set(loop_.Now() + timeouts_.open);
  if (stream_->open()) Begin();
}

Connection::~Connection() {
  PORTICO_CHECK(exchanges_.empty(), "a connection dies under its exchanges");
}

void Connection::OnOpen(bool ok) {
  if (!ok) return Close();
  Begin();
  Drive();
}

void Connection::Begin() {
  writable_ = true;
  idle_since_ = loop_.Now();
  timer_.Set(loop_.Now() + timeouts_.idle);
  state_ = State::kDetecting;
  const std::string_view alpn = stream_->tls().alpn;
  if (!alpn.empty()) Serve(alpn == "h2");
}

void Connection::Serve(bool http2) {
  http2_ = http2;
  state_ = State::kServing;
  http::ServerEvents& events = *this;
  if (http2) {
    codec_ = std::make_unique<http::h2::ServerCodec>(events, *limits_, &pool_);
    timer_.Set(loop_.Now() + timeouts_.request_head);  // for its preface
  } else {
    const std::string_view scheme = stream_->tls().version.empty() ? "http" : "https";
    codec_ = std::make_unique<http::h1::ServerCodec>(*limits_, events, &pool_, scheme);
  }
  if (drain_ != DrainStep::kNone) codec_->Drain(drain_ == DrainStep::kFinal);
}

// False: more bytes are needed to tell. Otherwise `input` holds all that came so far.
bool Connection::Detect(base::Slice& input) {
  first_bytes_ += input.view().substr(0, kPrefaceStart.size() - first_bytes_.size());
  const bool matches = kPrefaceStart.substr(0, first_bytes_.size()) == first_bytes_;
  if (matches && first_bytes_.size() < kPrefaceStart.size()) return false;
  Serve(matches);
  return true;
}

void Connection::OnReadable() {
  readable_ = true;
  Drive();
}

void Connection::OnWritable() {
  writable_ = true;
  Drive();
}

void Connection::OnTurnEnd() {
  Drive();
}

// Everything that moves bytes comes through here; nothing in it runs inside a codec's event.
void Connection::Drive() {
  if (state_ == State::kServing && !codec_->Resume()) close_after_flush_ = true;
  ReadSome();
  if (state_ == State::kServing && Flush()) FinishOrWait();
}

void Connection::ReadSome() {
  for (int reads = 0; readable_ && state_ != State::kClosed; ++reads) {
    if (state_ == State::kOpening || close_after_flush_) return;
    // While the codec wants nothing, one block is read ahead all the same: a client that has reset the connection is
    // noticed by reading alone, and its exchange must not go on for nobody.
    const bool ahead = state_ == State::kServing && !codec_->WantsInput();
    if (ahead && read_ahead_) return;
    if (reads == kReadsPerTurnMax) return loop_.AtTurnEnd(*this);
    if (!ReadOnce()) return;
    read_ahead_ = ahead;
  }
}

bool Connection::ReadOnce() {
  base::Block* block = pool_.Get();
  const net::IoResult result = stream_->Read(block->bytes(), block->capacity());
  base::Slice input = base::Slice::Adopt(block, result.bytes);
  if (result.status == net::IoStatus::kOk) {
    TakeInput(std::move(input));
    return true;
  }
  readable_ = false;
  if (result.status == net::IoStatus::kWouldBlock) return false;
  if (state_ != State::kServing) {
    Close();
    return false;
  }
  // A client may end its side and still wait for the answer (RFC 9112 section 9.6); whether it does is the codec's to
  // know. A connection that failed takes no answer.
  codec_->FeedEnd(result.status == net::IoStatus::kEnd);
  if (result.status == net::IoStatus::kFailed) Close();
  return false;
}

void Connection::TakeInput(base::Slice input) {
  if (state_ == State::kLingering) return;
  if (state_ == State::kDetecting) {
    const size_t before = first_bytes_.size();
    if (!Detect(input)) {
      if (before == 0) timer_.Set(loop_.Now() + timeouts_.request_head);
      return;
    }
    if (before > 0 && !codec_->Feed(base::Slice::Copy(std::string_view(first_bytes_).substr(0, before)))) {
      close_after_flush_ = true;
    }
    first_bytes_ = std::string();
  }
  const bool greeted = codec_->Greeted();
  if (!codec_->Feed(std::move(input))) close_after_flush_ = true;
  if (!greeted && codec_->Greeted() && exchanges_.empty()) AwaitRequest();
}

// False: the connection is closed.
bool Connection::Flush() {
  for (;;) {
    codec_->Produce(output_);
    if (state_ != State::kServing) return false;
    const uint64_t message_frames = codec_->message_frames();
    if (!http2_ || std::exchange(message_frames_, message_frames) != message_frames) output_answers_ = true;
    if (output_.empty() || !writable_) return true;
    struct iovec vectors[kVectorsMax];
    const int count = output_.Gather(vectors, kVectorsMax);
    const net::IoResult result = stream_->Write(vectors, count);
    if (result.status == net::IoStatus::kFailed) {
      Close();
      return false;
    }
    if (result.status == net::IoStatus::kWouldBlock) {
      writable_ = false;
      return true;
    }
    output_.Consume(result.bytes);
    // Answers to PING and the like take no answer off us; but if a reset was the last that was to be read, all is.
    const bool reads_answer = std::exchange(output_answers_, output_answers_ && http2_ && !output_.empty());
    if (reads_answer) leaving_ = false;  // its time begins anew
    if (exchanges_.empty() && (reads_answer || (must_read_ && !Unread()))) AwaitRequest();
  }
}

void Connection::FinishOrWait() {
  const bool ends = close_after_flush_ || codec_->WantsClose() || (drain_ == DrainStep::kFinal && codec_->Idle());
  if (ends && output_.empty()) return Linger();
  // A pipelined request that waited for the answers before it to be written.
  if (!http2_ && exchanges_.empty() && output_.empty() && !codec_->WantsInput()) loop_.AtTurnEnd(*this);
  const bool rest_is_theirs = ends || (!exchanges_.empty() && late_head_ == 0 && !AnswersAreDue());
  if (!rest_is_theirs) {
    leaving_ = false;
    if (!exchanges_.empty() && late_head_ == 0) timer_.Cancel();
  } else if (!leaving_) {
    leaving_ = true;
    timer_.Set(loop_.Now() + kLeave);
  }
}

bool Connection::AnswersAreDue() const {
  return std::any_of(exchanges_.begin(), exchanges_.end(), [](const Entry& entry) { return !entry.response_ended; });
}

void Connection::Linger() {
  if (abort_) {
    stream_->AbortOnClose();
    return Close();
  }
  stream_->ShutdownWrite();
  ResetExchanges();
  state_ = State::kLingering;
  timer_.Set(loop_.Now() + kLinger);
  close_after_flush_ = leaving_ = false;
  readable_ = true;  // what waits is dropped; a FIN ends it at once
  loop_.AtTurnEnd(*this);
}

void Connection::ResetExchanges() {
  std::vector<Entry> left = std::move(exchanges_);
  exchanges_.clear();
  for (Entry& entry : left) {
    entry.exchange->OnReset(http::ResetReason::kClosed);
    loop_.DeleteLater(std::move(entry.exchange));
  }
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  timer_.Forget();
  stream_->set_handler(nullptr);
  if (abort_ || CutsResponse()) stream_->AbortOnClose();
  ResetExchanges();
  output_.Clear();
  owner_.OnClosed(*this);
}

// HTTP/1.1: a FIN now could be taken for the end of a response that is not whole.
bool Connection::CutsResponse() const {
  return !http2_ && std::any_of(exchanges_.begin(), exchanges_.end(),
                                [](const Entry& entry) { return entry.response_begun && !entry.response_ended; });
}

bool Connection::idle() const {
  const bool stands = state_ == State::kDetecting || state_ == State::kServing;
  return stands && drain_ != DrainStep::kFinal && exchanges_.empty() && first_bytes_.empty() && late_head_ == 0 &&
         !Unread();
}

bool Connection::Unread() const {
  return !output_.empty() || (codec_ != nullptr && !codec_->Idle());
}

// Who has not read all of its answers yet is not idle, but must go on reading.
void Connection::AwaitRequest() {
  idle_since_ = loop_.Now();
  if (!codec_->Greeted()) return;
  must_read_ = Unread();
  timer_.Set(loop_.Now() + (must_read_ ? std::min(timeouts_.idle, kLeave) : timeouts_.idle));
}

void Connection::OnTimer(event::Timer&) {
  if (leaving_) return Close();
  if (exchanges_.empty() && Unread()) return Close();  // answers that nobody reads, kLeave long
  if (state_ == State::kServing && late_head_ != 0) return AnswerLateHead();
  if (state_ == State::kServing && !exchanges_.empty()) return;
  if (state_ == State::kServing && http2_) {
    // The client is told that nothing it sent was lost (RFC 9113 section 9.1).
    codec_->Drain(true);
    close_after_flush_ = true;
    return loop_.AtTurnEnd(*this);
  }
  Close();
}

// RFC 9110 section 15.5.9. HTTP/2: the head's frames are held up in the middle, and with them the whole connection.
void Connection::AnswerLateHead() {
  const http::StreamId id = std::exchange(late_head_, 0);
  close_after_flush_ = true;
  if (Entry* entry = Find(id); entry != nullptr && !http2_) {
    entry->request_ended = true;
    codec_->Drain(true);  // the answer says connection: close
    entry->exchange->OnBadRequest({408, "the request head did not come in time"});
  }
  loop_.AtTurnEnd(*this);
}

void Connection::Drain(bool final) {
  drain_ = final ? DrainStep::kFinal : std::max(drain_, DrainStep::kWarned);
  if (state_ == State::kServing) codec_->Drain(final);
  if (final && (state_ == State::kDetecting || state_ == State::kOpening)) return Close();
  loop_.AtTurnEnd(*this);
}

void Connection::AgeWarning() {
  if (drain_ == DrainStep::kAged && http2_) return Drain(true);
  if (drain_ == DrainStep::kWarned) drain_ = DrainStep::kAged;
}

Connection::Entry* Connection::Find(http::StreamId id) {
  const auto found = std::find_if(exchanges_.begin(), exchanges_.end(), [id](const Entry& e) { return e.id == id; });
  return found == exchanges_.end() ? nullptr : &*found;
}

std::unique_ptr<ExchangeEvents> Connection::Take(http::StreamId id) {
  Entry* entry = Find(id);
  if (entry == nullptr) return nullptr;
  std::unique_ptr<ExchangeEvents> exchange = std::move(entry->exchange);
  if (entry != &exchanges_.back()) *entry = std::move(exchanges_.back());
  exchanges_.pop_back();
  if (late_head_ == id) late_head_ = 0;
  if (exchanges_.empty()) AwaitRequest();
  leaving_ = false;
  read_ahead_ = false;
  loop_.AtTurnEnd(*this);
  return exchange;
}

void Connection::RetireIfEnded(http::StreamId id) {
  Entry* entry = Find(id);
  if (entry == nullptr || !entry->request_ended || !entry->response_ended) return;
  loop_.DeleteLater(Take(id));
}

void Connection::SendResponse(http::StreamId id, const http::ResponseHead& head, bool end) {
  Entry* entry = Find(id);
  if (entry == nullptr) return;
  codec_->SendResponse(id, head, end);
  entry->response_begun = entry->response_begun || head.status >= 200;
  entry->response_ended = end;
  loop_.AtTurnEnd(*this);
  RetireIfEnded(id);
}

void Connection::SendContent(http::StreamId id, base::Buffer& content, bool end) {
  Entry* entry = Find(id);
  if (entry == nullptr) return content.Clear();
  codec_->SendContent(id, content, end);
  entry->response_ended = end;
  loop_.AtTurnEnd(*this);
  RetireIfEnded(id);
}

void Connection::SendTrailers(http::StreamId id, const http::Fields& trailers) {
  Entry* entry = Find(id);
  if (entry == nullptr) return;
  codec_->SendTrailers(id, trailers);
  entry->response_ended = true;
  loop_.AtTurnEnd(*this);
  RetireIfEnded(id);
}

void Connection::Consumed(http::StreamId id, size_t bytes) {
  if (Find(id) == nullptr) return;
  codec_->Consumed(id, bytes);
  loop_.AtTurnEnd(*this);
}

void Connection::Reset(http::StreamId id, http::ResetReason reason) {
  const Entry* entry = Find(id);
  abort_ = abort_ || (!http2_ && entry != nullptr && entry->response_begun && !entry->response_ended);
  std::unique_ptr<ExchangeEvents> exchange = Take(id);
  if (exchange == nullptr) return;
  codec_->Reset(id, reason);
  loop_.DeleteLater(std::move(exchange));
}

base::Arena& Connection::OnRequestBegin(http::StreamId id) {
  exchanges_.push_back({id, owner_.NewExchange(*this, id)});
  late_head_ = id;
  timer_.Set(loop_.Now() + timeouts_.request_head);
  return exchanges_.back().exchange->arena();
}

void Connection::OnRequest(http::StreamId id, http::RequestHead head) {
  if (late_head_ == id) late_head_ = 0;
  if (Entry* entry = Find(id)) entry->exchange->OnRequest(std::move(head));
}

void Connection::OnBadRequest(http::StreamId id, http::MessageError error) {
  if (late_head_ == id) late_head_ = 0;
  Entry* entry = Find(id);
  if (entry == nullptr) return;
  entry->request_ended = true;
  entry->exchange->OnBadRequest(error);
}

void Connection::OnContent(http::StreamId id, base::Slice content) {
  content_bytes_ += content.size();
  Entry* entry = Find(id);
  if (entry == nullptr || entry->response_ended) return codec_->Consumed(id, content.size());
  entry->exchange->OnContent(std::move(content));
}

void Connection::OnTrailers(http::StreamId id, http::Fields trailers) {
  if (Entry* entry = Find(id)) entry->exchange->OnTrailers(std::move(trailers));
}

void Connection::OnMessageEnd(http::StreamId id) {
  Entry* entry = Find(id);
  if (entry == nullptr) return;
  entry->request_ended = true;
  if (entry->response_ended) return RetireIfEnded(id);
  entry->exchange->OnRequestEnd();
}

void Connection::OnReset(http::StreamId id, http::ResetReason reason) {
  std::unique_ptr<ExchangeEvents> exchange = Take(id);
  if (exchange == nullptr) return;
  exchange->OnReset(reason);
  loop_.DeleteLater(std::move(exchange));
}

void Connection::OnSendReady(http::StreamId id) {
  if (Entry* entry = Find(id)) entry->exchange->OnSendReady();
}

}  // namespace portico::downstream
