#include "dataplane/http/h1/server_codec.h"

#include <algorithm>
#include <utility>

#include "dataplane/http/h1/framing.h"
#include "dataplane/http/h1/head_parser.h"

namespace portico::http::h1 {
namespace {

MessageError LineError(LineReader::Outcome outcome, MessageError too_long) {
  if (outcome == LineReader::Outcome::kBareLineFeed) return {400, "line feed without carriage return"};
  if (outcome == LineReader::Outcome::kTooManyLines) return {431, "too many field lines"};
  return too_long;
}

}  // namespace

ServerCodec::ServerCodec(const Limits& limits, ServerEvents& events, base::BlockPool* pool, std::string_view scheme)
    : limits_(limits), events_(events), scheme_(scheme), content_(limits), writer_(pool) {}

bool ServerCodec::Feed(base::Slice input) {
  // What follows a refused request is not read.
  if (request_ != RequestState::kOver && !input.empty()) input_.Append(std::move(input));
  return Process();
}

void ServerCodec::FeedEnd(bool clean) {
  if (!clean) {
    Over(ResetReason::kClosed);
    return;
  }
  end_received_ = true;
  Process();
}

bool ServerCodec::Resume() {
  return Process();
}

bool ServerCodec::Process() {
  if (in_process_) return true;  // called from inside an event: the loop under way goes on anyway
  in_process_ = true;
  if (BothEnded() && !close_) {
    request_ = RequestState::kIdle;
    response_ = ResponseState::kNone;
    empty_line_skipped_ = false;
  }
  while (!input_.empty() && Step()) {
  }
  if (end_received_ && input_.empty()) TakeEnd();
  if (request_ == RequestState::kOver) input_.Clear();
  in_process_ = false;
  return request_ != RequestState::kOver || in_exchange_;
}

bool ServerCodec::Step() {
  switch (request_) {
    case RequestState::kIdle:
      return ReadIdle();
    case RequestState::kEmptyLine:
      return ReadEmptyLine();
    case RequestState::kStartLine:
      return ReadStartLine();
    case RequestState::kFields:
      return ReadFields();
    case RequestState::kContent:
      return ReadContent();
    case RequestState::kEnded:
    case RequestState::kOver:
      break;
  }
  return false;
}

// RFC 9112 section 2.2: at least one empty line before the request line is ignored, since some clients end their
// content with one. A second one is a malformed request.
bool ServerCodec::ReadIdle() {
  // A client that asks and asks and reads no answer must not fill our memory with them.
  if (writer_.unsent_bytes() > kSendHighMarkBytes) return false;
  if (input_.Front().view().front() != '\r' || empty_line_skipped_) {
    BeginRequest();
    return true;
  }
  input_.Consume(1);
  empty_line_skipped_ = true;
  request_ = RequestState::kEmptyLine;
  return true;
}

bool ServerCodec::ReadEmptyLine() {
  if (input_.Front().view().front() != '\n') {
    BeginRequest();
    BadRequest({400, "carriage return before the request line"});
    return true;
  }
  input_.Consume(1);
  request_ = RequestState::kIdle;
  return true;
}

void ServerCodec::BeginRequest() {
  request_ = RequestState::kStartLine;
  lines_.Begin(LineReader::Unit::kLine, limits_.head_bytes_max, 1);
  ++id_;
  in_exchange_ = true;
  to_head_ = false;
  to_http10_ = false;
  awaits_continue_ = false;
  unconsumed_bytes_ = 0;
  discarded_bytes_ = 0;
  head_.emplace(events_.OnRequestBegin(id_));
}

bool ServerCodec::ReadStartLine() {
  const base::Slice input = input_.Front().Share();  // holds what text() may refer to
  const LineReader::Result result = lines_.Read(input.view());
  input_.Consume(result.used);
  if (result.outcome == LineReader::Outcome::kMore) return true;
  if (result.outcome != LineReader::Outcome::kWhole) {
    BadRequest(LineError(result.outcome, {414, "request line too long"}));
    return true;
  }
  const std::string_view line = lines_.text();
  to_head_ = line.starts_with("HEAD ");  // also if the rest is wrong
  if (const MaybeError error = ParseRequestLine(line, scheme_, limits_, *head_); error.has_value()) {
    BadRequest(*error);
    return true;
  }
  to_http10_ = head_->version == Version::kHttp10;
  request_ = RequestState::kFields;
  lines_.Begin(LineReader::Unit::kSection, limits_.head_bytes_max - line.size(), limits_.field_count_max);
  return true;
}

bool ServerCodec::ReadFields() {
  const base::Slice input = input_.Front().Share();
  const LineReader::Result result = lines_.Read(input.view());
  input_.Consume(result.used);
  if (result.outcome == LineReader::Outcome::kMore) return true;
  if (result.outcome == LineReader::Outcome::kWhole) {
    TakeFields(lines_.text());
  } else {
    BadRequest(LineError(result.outcome, {431, "field section too large"}));
  }
  return true;
}

void ServerCodec::TakeFields(std::string_view section) {
  HeadFacts facts;
  MaybeError error = ParseFieldSection(section, head_->fields, facts);
  if (!error.has_value()) error = ResolveHost(facts, *head_);
  if (error.has_value()) return BadRequest(*error);
  const Framing framing = DecideRequestFraming(facts, head_->version);
  if (framing.error.has_value()) return BadRequest(*framing.error);
  const bool expectations_count = !to_http10_;  // RFC 9110 section 10.1.1: ignored in HTTP/1.0
  if (expectations_count && facts.expects_other) return BadRequest({417, "unknown expectation"});

  const bool has_content = framing.mode != ContentMode::kNone;
  awaits_continue_ = expectations_count && facts.expects_continue && has_content;
  close_ = close_ || facts.close || to_http10_;
  head_->expects_continue = awaits_continue_;
  head_->framing.ends_with_head = !has_content;
  head_->framing.length = facts.content_length;
  content_.Begin(framing);
  request_ = RequestState::kContent;
  RequestHead head = std::move(*head_);
  head_.reset();
  arena_ = &head.fields.arena();
  events_.OnRequest(id_, std::move(head));
  if (!has_content && request_ == RequestState::kContent) EndRequest();
}

size_t ServerCodec::Room() const {
  if (response_ == ResponseState::kEnded) return SIZE_MAX;  // dropped on receipt
  return limits_.stream_window_bytes - std::min(unconsumed_bytes_, limits_.stream_window_bytes);
}

bool ServerCodec::ReadContent() {
  const size_t room = Room();
  if (room == 0) return false;
  const base::Slice input = input_.Front().Share();
  const ContentReader::Step step = content_.Next(input.view(), room);
  input_.Consume(step.used);
  if (response_ == ResponseState::kEnded) {
    discarded_bytes_ += step.used;
    if (discarded_bytes_ > kDiscardBytesMax) {
      Over(ResetReason::kNoError);
      return true;
    }
  } else if (!step.content.empty()) {
    awaits_continue_ = false;
    unconsumed_bytes_ += step.content.size();
    events_.OnContent(id_, input.Keep(step.content));
    if (request_ != RequestState::kContent) return true;
  }
  switch (step.outcome) {
    case ContentReader::Outcome::kMore:
      break;
    case ContentReader::Outcome::kEnd:
      EndRequest();
      break;
    case ContentReader::Outcome::kMalformed:
      BadRequest({400, "malformed chunked content"});
      break;
    case ContentReader::Outcome::kTrailersTooLarge:
      BadRequest({431, "trailer section too large"});
      break;
  }
  return true;
}

void ServerCodec::EndRequest() {
  if (content_.mode() == ContentMode::kChunked && response_ != ResponseState::kEnded) {
    Fields trailers(*arena_);
    if (const MaybeError error = ParseTrailerSection(content_.trailer_section(), trailers); error.has_value()) {
      return BadRequest(*error);
    }
    if (!trailers.empty()) events_.OnTrailers(id_, std::move(trailers));
    if (request_ != RequestState::kContent) return;
  }
  request_ = RequestState::kEnded;
  awaits_continue_ = false;
  // If the answer has ended already, nothing may be asked of the stream inside this last event.
  if (response_ == ResponseState::kEnded) in_exchange_ = false;
  events_.OnMessageEnd(id_);
}

void ServerCodec::TakeEnd() {
  switch (request_) {
    case RequestState::kIdle:
    case RequestState::kEmptyLine:
      request_ = RequestState::kOver;
      close_ = true;
      break;
    case RequestState::kStartLine:
    case RequestState::kFields:
    case RequestState::kContent:
      Over(ResetReason::kClosed);
      break;
    case RequestState::kEnded:
      // A client that said that this request is its last may end its side and wait for the answer. Another one has
      // left: closing and ending one side look the same from here, and work for nobody must stop (as in nginx and
      // Envoy).
      if (!close_) Over(ResetReason::kClosed);
      break;
    case RequestState::kOver:
      break;
  }
}

void ServerCodec::BadRequest(MessageError error) {
  error_ = error.detail;
  // The answer is under way or done: it can't be taken back.
  if (response_ != ResponseState::kNone) {
    return Over(response_ == ResponseState::kEnded ? ResetReason::kNoError : ResetReason::kProtocol);
  }
  request_ = RequestState::kOver;
  close_ = true;
  events_.OnBadRequest(id_, error);
}

void ServerCodec::Over(ResetReason reason) {
  request_ = RequestState::kOver;
  response_ = ResponseState::kEnded;
  close_ = true;
  reset_due_.reset();
  if (!in_process_) input_.Clear();
  if (!in_exchange_) return;
  in_exchange_ = false;
  events_.OnReset(id_, reason);
}

bool ServerCodec::WantsInput() const {
  if (end_received_ || request_ == RequestState::kOver || !input_.empty()) return false;
  if (request_ == RequestState::kEnded) return BothEnded() && !close_;
  return request_ != RequestState::kContent || Room() > 0;
}

bool ServerCodec::Idle() const {
  return !in_exchange_ && input_.empty() && writer_.unsent_bytes() == 0;
}

bool ServerCodec::WantsClose() const {
  return close_ && !in_exchange_ && (request_ == RequestState::kOver || BothEnded());
}

void ServerCodec::Consumed(StreamId id, size_t bytes) {
  if (IsCurrent(id)) unconsumed_bytes_ -= std::min(bytes, unconsumed_bytes_);
}

void ServerCodec::Reset(StreamId id, ResetReason) {
  if (!IsCurrent(id)) return;
  in_exchange_ = false;  // so that Over tells nobody
  Over(ResetReason::kCancelled);
}

void ServerCodec::Drain(bool) {
  drains_ = true;
}

void ServerCodec::SendResponse(StreamId id, const ResponseHead& head, bool end) {
  if (!IsCurrent(id) || response_ != ResponseState::kNone) return;
  if (head.status < 200) {
    if (to_http10_ || head.status == 101) return;  // nobody was offered an upgrade
    if (head.status == 100) awaits_continue_ = false;
    writer_.WriteInformational(head);
    return;
  }
  // RFC 9112 section 9.3: the next request can be read only once this one's content has been. A client that waits for
  // a 100 may send it or not; a large rest is not worth reading.
  const bool unreadable = awaits_continue_ || (end && content_.length_left() > kDiscardBytesMax);
  close_ = close_ || drains_ || (request_ == RequestState::kContent && unreadable);
  response_ = ResponseState::kStarted;
  writer_.WriteResponseHead(head, {to_head_, to_http10_, close_}, end);
  if (!end) return;
  base::Buffer nothing;
  SendContent(id, nothing, true);
}

void ServerCodec::SendContent(StreamId id, base::Buffer& content, bool end) {
  if (!IsCurrent(id) || response_ != ResponseState::kStarted) return content.Clear();
  if (!writer_.WriteContent(content, end)) return FailResponse();
  if (end) EndResponse();
}

void ServerCodec::SendTrailers(StreamId id, const Fields& trailers) {
  if (!IsCurrent(id) || response_ != ResponseState::kStarted) return;
  if (!writer_.WriteTrailers(trailers)) return FailResponse();
  EndResponse();
}

void ServerCodec::EndResponse() {
  response_ = ResponseState::kEnded;
  if (request_ == RequestState::kEnded || request_ == RequestState::kOver) {
    in_exchange_ = false;
    return;
  }
  if (!awaits_continue_ && content_.length_left() <= kDiscardBytesMax) return;
  request_ = RequestState::kOver;
  close_ = true;
  reset_due_ = ResetReason::kNoError;
}

void ServerCodec::FailResponse() {
  error_ = "response does not fit its content-length";
  request_ = RequestState::kOver;
  response_ = ResponseState::kEnded;
  close_ = true;
  reset_due_ = ResetReason::kInternal;
}

void ServerCodec::Produce(base::Buffer& out) {
  const bool ready = writer_.MoveTo(out, kSendHighMarkBytes);
  if (reset_due_.has_value()) return Over(*reset_due_);
  if (ready && in_exchange_ && response_ == ResponseState::kStarted) events_.OnSendReady(id_);
}

}  // namespace portico::http::h1
