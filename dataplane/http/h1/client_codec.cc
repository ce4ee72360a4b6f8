#include "dataplane/http/h1/client_codec.h"

#include <algorithm>
#include <utility>

#include "dataplane/http/h1/framing.h"
#include "dataplane/http/h1/head_parser.h"
#include "dataplane/http/syntax.h"

namespace portico::http::h1 {
namespace {

constexpr std::string_view kUnaskedBytes = "bytes from the origin server that answer no request";
constexpr std::string_view kBrokenLength = "request does not fit its content-length";

// What would become another message on the wire. Codecs let none in; a filter's rewrite might.
bool CanBeWritten(const RequestHead& head) {
  return IsToken(head.method) && IsTargetText(head.path) && (head.authority.empty() || IsAuthority(head.authority));
}

}  // namespace

ClientCodec::ClientCodec(const Limits& limits, ClientEvents& events, base::BlockPool* pool)
    : limits_(limits), events_(events), content_(limits), writer_(pool) {}

bool ClientCodec::Feed(base::Slice input) {
  if (response_ != ResponseState::kOver && !input.empty()) input_.Append(std::move(input));
  return Process();
}

void ClientCodec::FeedEnd(bool clean) {
  if (!clean) return Over(ResetReason::kClosed);
  end_received_ = true;
  Process();
}

bool ClientCodec::Process() {
  if (in_process_) return true;  // called from inside an event: the loop under way goes on anyway
  in_process_ = true;
  while (!input_.empty() && Step()) {
  }
  if (end_received_ && input_.empty()) TakeEnd();
  if (response_ == ResponseState::kOver) input_.Clear();
  in_process_ = false;
  return response_ != ResponseState::kOver;
}

bool ClientCodec::Step() {
  switch (response_) {
    case ResponseState::kStatusLine:
    case ResponseState::kFields:
      return ReadLines();
    case ResponseState::kContent:
      return ReadContent();
    case ResponseState::kIdle:
    case ResponseState::kEnded:
      Fail(ResetReason::kNoError, kUnaskedBytes);
      return false;
    case ResponseState::kOver:
      break;
  }
  return false;
}

void ClientCodec::BeginStatusLine() {
  response_ = ResponseState::kStatusLine;
  lines_.Begin(LineReader::Unit::kLine, limits_.head_bytes_max, 1);
}

bool ClientCodec::ReadLines() {
  const base::Slice input = input_.Front().Share();  // holds what text() may refer to
  const LineReader::Result result = lines_.Read(input.view());
  input_.Consume(result.used);
  switch (result.outcome) {
    case LineReader::Outcome::kMore:
      break;
    case LineReader::Outcome::kWhole:
      response_ == ResponseState::kStatusLine ? TakeStatusLine(lines_.text()) : TakeFields(lines_.text());
      break;
    case LineReader::Outcome::kBareLineFeed:
      Fail(ResetReason::kProtocol, "line feed without carriage return");
      break;
    case LineReader::Outcome::kTooLong:
    case LineReader::Outcome::kTooManyLines:
      Fail(ResetReason::kTooLarge, "response head too large");
      break;
  }
  return true;
}

void ClientCodec::TakeStatusLine(std::string_view line) {
  head_.emplace(*arena_);
  const MaybeError error = ParseStatusLine(line, *head_);
  if (error.has_value()) return Fail(ResetReason::kProtocol, error->detail);
  response_ = ResponseState::kFields;
  lines_.Begin(LineReader::Unit::kSection, limits_.head_bytes_max - line.size(), limits_.field_count_max);
}

void ClientCodec::TakeFields(std::string_view section) {
  HeadFacts facts;
  const MaybeError error = ParseFieldSection(section, head_->fields, facts);
  if (error.has_value()) return Fail(ResetReason::kProtocol, error->detail);
  const Framing framing = DecideResponseFraming(facts, head_->version, head_->status, to_head_);
  if (framing.error.has_value()) return Fail(ResetReason::kProtocol, framing.error->detail);
  if (head_->status == 101) return Fail(ResetReason::kProtocol, "switching protocols without having been asked");

  ResponseHead head = std::move(*head_);
  head_.reset();
  head.framing.ends_with_head = framing.mode == ContentMode::kNone;
  head.framing.length = facts.content_length;
  head.framing.ends_with_connection = framing.mode == ContentMode::kUntilClose;
  if (head.status < 200) {
    if (++informational_count_ > limits_.informational_max) {
      return Fail(ResetReason::kProtocol, "too many informational responses");
    }
    BeginStatusLine();
    events_.OnInformational(id_, std::move(head));
    return;
  }
  // HTTP/1.0 connections are not kept, whatever their fields say.
  close_ = close_ || facts.close || head.version == Version::kHttp10 || framing.mode == ContentMode::kUntilClose;
  content_.Begin(framing);
  response_ = ResponseState::kContent;
  if (close_) events_.OnPeerDrains();
  if (response_ == ResponseState::kContent) events_.OnResponse(id_, std::move(head));
  if (framing.mode == ContentMode::kNone && response_ == ResponseState::kContent) EndResponse();
}

size_t ClientCodec::Room() const {
  const size_t ahead = std::min(limits_.stream_window_bytes, limits_.read_ahead_bytes);
  return ahead - std::min(unconsumed_bytes_, ahead);
}

bool ClientCodec::ReadContent() {
  const size_t room = Room();
  if (room == 0) return false;
  const base::Slice input = input_.Front().Share();
  const ContentReader::Step step = content_.Next(input.view(), room);
  input_.Consume(step.used);
  if (!step.content.empty()) {
    unconsumed_bytes_ += step.content.size();
    events_.OnContent(id_, input.Keep(step.content));
    if (response_ != ResponseState::kContent) return true;
  }
  switch (step.outcome) {
    case ContentReader::Outcome::kMore:
      break;
    case ContentReader::Outcome::kEnd:
      EndResponse();
      break;
    case ContentReader::Outcome::kMalformed:
      Fail(ResetReason::kProtocol, "malformed chunked content");
      break;
    case ContentReader::Outcome::kTrailersTooLarge:
      Fail(ResetReason::kTooLarge, "trailer section too large");
      break;
  }
  return true;
}

void ClientCodec::EndResponse() {
  if (content_.mode() == ContentMode::kChunked) {
    Fields trailers(*arena_);
    const MaybeError error = ParseTrailerSection(content_.trailer_section(), trailers);
    if (error.has_value()) return Fail(ResetReason::kProtocol, error->detail);
    if (!trailers.empty()) events_.OnTrailers(id_, std::move(trailers));
    if (response_ != ResponseState::kContent) return;
  }
  response_ = ResponseState::kEnded;
  // Whoever sends the next request from inside OnMessageEnd must not get these bytes as its answer.
  if (!input_.empty()) {
    error_ = kUnaskedBytes;
    close_ = true;
  }
  if (request_ == RequestState::kEnded) {
    EndExchange();
  } else {
    close_ = true;  // whether the origin server reads the rest is not known
  }
  events_.OnMessageEnd(id_);
}

void ClientCodec::EndExchange() {
  in_exchange_ = false;
  request_ = RequestState::kNone;
  response_ = close_ ? ResponseState::kOver : ResponseState::kIdle;
}

void ClientCodec::TakeEnd() {
  close_ = true;
  switch (response_) {
    case ResponseState::kContent:
      if (content_.mode() == ContentMode::kUntilClose) {
        EndResponse();
        break;
      }
      [[fallthrough]];
    case ResponseState::kStatusLine:
    case ResponseState::kFields:
      Over(ResetReason::kClosed);
      break;
    case ResponseState::kEnded:
      Over(ResetReason::kNoError);  // the answer is whole, and our content is not wanted any more
      break;
    case ResponseState::kIdle:
    case ResponseState::kOver:
      response_ = ResponseState::kOver;
      break;
  }
}

void ClientCodec::Fail(ResetReason reason, std::string_view detail) {
  error_ = detail;
  Over(reason);
}

void ClientCodec::Over(ResetReason reason) {
  response_ = ResponseState::kOver;
  close_ = true;
  reset_due_.reset();
  if (!in_process_) input_.Clear();
  if (!in_exchange_) return;
  in_exchange_ = false;
  events_.OnReset(id_, reason);
}

bool ClientCodec::WantsInput() const {
  if (end_received_ || response_ == ResponseState::kOver || !input_.empty()) return false;
  return response_ != ResponseState::kContent || Room() > 0;
}

bool ClientCodec::Idle() const {
  return !in_exchange_ && input_.empty();
}

uint32_t ClientCodec::CanSend() const {
  return response_ == ResponseState::kIdle && !close_ ? 1 : 0;
}

StreamId ClientCodec::SendRequest(const RequestHead& head, bool end, base::Arena& arena) {
  if (CanSend() == 0) return 0;
  ++id_;
  in_exchange_ = true;
  arena_ = &arena;
  to_head_ = head.method == "HEAD";
  informational_count_ = 0;
  unconsumed_bytes_ = 0;
  request_ = RequestState::kStarted;
  BeginStatusLine();
  if (!CanBeWritten(head)) {
    FailRequest("request head that can't be written");
    return id_;
  }
  writer_.WriteRequestHead(head, end);
  if (end) {
    base::Buffer nothing;
    SendContent(id_, nothing, true);
  }
  return id_;
}

void ClientCodec::SendContent(StreamId id, base::Buffer& content, bool end) {
  if (!IsCurrent(id) || request_ != RequestState::kStarted || reset_due_.has_value()) return content.Clear();
  if (!writer_.WriteContent(content, end)) return FailRequest(kBrokenLength);
  if (end) EndRequest();
}

void ClientCodec::SendTrailers(StreamId id, const Fields& trailers) {
  if (!IsCurrent(id) || request_ != RequestState::kStarted || reset_due_.has_value()) return;
  if (!writer_.WriteTrailers(trailers)) return FailRequest(kBrokenLength);
  EndRequest();
}

void ClientCodec::EndRequest() {
  request_ = RequestState::kEnded;
  if (response_ == ResponseState::kEnded) EndExchange();
}

void ClientCodec::FailRequest(std::string_view detail) {
  error_ = detail;
  response_ = ResponseState::kOver;
  close_ = true;
  reset_due_ = ResetReason::kInternal;
}

void ClientCodec::Consumed(StreamId id, size_t bytes) {
  if (IsCurrent(id)) unconsumed_bytes_ -= std::min(bytes, unconsumed_bytes_);
}

void ClientCodec::Reset(StreamId id, ResetReason) {
  if (!IsCurrent(id)) return;
  in_exchange_ = false;  // so that Over tells nobody
  writer_.Clear();
  Over(ResetReason::kCancelled);
}

void ClientCodec::Produce(base::Buffer& out) {
  const bool ready = writer_.MoveTo(out, kSendHighMarkBytes);
  if (reset_due_.has_value()) return Over(*reset_due_);
  if (ready && in_exchange_ && request_ == RequestState::kStarted) events_.OnSendReady(id_);
}

}  // namespace portico::http::h1
