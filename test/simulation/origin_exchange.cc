#include "test/simulation/origin_exchange.h"

#include <algorithm>
#include <utility>

#include "api/base/text.h"

namespace portico::simulation {
namespace {

constexpr base::Duration kSlowReadPause = std::chrono::milliseconds(5);
constexpr size_t kSlowReadBytes = 20'000;

}  // namespace

OriginExchange::OriginExchange(downstream::Connection& connection, http::StreamId id, event::Loop& loop,
                               std::string_view cluster, Judge& judge)
    : connection_(connection), id_(id), loop_(loop), cluster_(cluster), judge_(judge), timer_(loop.timers(), *this) {
  ++judge_.origin_exchanges;
}

OriginExchange::~OriginExchange() {
  --judge_.origin_exchanges;
}

void OriginExchange::Violation(std::string_view what) {
  judge_.Violation(script_ == nullptr ? path_ : script_->token, base::Concat("at its origin: ", what));
}

void OriginExchange::OnRequest(http::RequestHead head) {
  path_ = head.path;
  script_ = judge_.AtOrigin(head, cluster_);
  if (script_ == nullptr) return;
  composed_ = script_->rule == Rule::kComposition;
  failing_ = judge_.TimesAtOrigin(script_->token) <= script_->failures && !composed_;
  revision_ = head.fields.Combined("x-revision").value_or("");
  if (!composed_ && head.fields.Combined("x-token") != script_->token) Violation("x-token is not its own");
  answer_at_ = loop_.Now() + script_->answer_delay;
  timer_.Set(*answer_at_);
  if (script_->origin_leaves) connection_.Drain(/*final=*/false);
}

void OriginExchange::OnBadRequest(http::MessageError error) {
  // 408: the connection has failed in the middle of the head.
  if (error.status != 408) Violation(base::Concat("the proxy's request is malformed: ", error.detail));
  over_ = true;
  http::ResponseHead head(arena_);
  head.status = error.status;
  connection_.SendResponse(id_, head, true);
}

void OriginExchange::OnContent(base::Slice content) {
  if (script_ == nullptr || over_) return connection_.Consumed(id_, content.size());
  if (!IsContent(script_->token, 'q', received_bytes_, content.view())) Violation("content that is not its own");
  received_bytes_ += content.size();
  owed_ += content.size();
  if (!script_->origin_reads_slowly) return GiveBack();
  if (!timer_.deadline()) timer_.Set(loop_.Now() + kSlowReadPause);
}

void OriginExchange::GiveBack() {
  const size_t part = script_->origin_reads_slowly ? std::min(owed_, kSlowReadBytes) : owed_;
  owed_ -= part;
  if (part > 0) connection_.Consumed(id_, part);
}

void OriginExchange::OnTrailers(http::Fields trailers) {
  request_trailers_ = true;
  if (script_ != nullptr && trailers.Combined("x-trailer") != script_->token)
    Violation("trailers that are not its own");
}

void OriginExchange::OnRequestEnd() {
  if (script_ == nullptr) return;
  request_ended_ = true;
  const size_t bytes = composed_ ? 0 : script_->request_bytes;
  if (received_bytes_ != bytes) Violation(base::Concat("it ends whole after ", received_bytes_, " bytes of ", bytes));
  if (request_trailers_ != script_->request_trailers) Violation("the request's trailers are lost, or new");
  AnswerIfDue();
}

void OriginExchange::OnReset(http::ResetReason) {
  Over();
}

void OriginExchange::Over() {
  over_ = true;
  timer_.Cancel();
}

void OriginExchange::OnSendReady() {
  if (std::exchange(blocked_, false) && !over_) SendPieces();
}

void OriginExchange::OnTimer(event::Timer&) {
  if (over_) return;
  GiveBack();
  if (owed_ > 0) timer_.Set(loop_.Now() + kSlowReadPause);
  if (answering_ && !blocked_) return SendPieces();
  AnswerIfDue();
}

void OriginExchange::AnswerIfDue() {
  if (answering_ || over_ || script_->never_answers) return;
  if (!request_ended_ && !script_->answers_early) return;
  if (loop_.Now() < *answer_at_) {
    if (!timer_.deadline()) timer_.Set(*answer_at_);
    return;
  }
  answering_ = true;
  judge_.OriginAnswers(script_->token);
  if (composed_) return SendJson();
  if (failing_) return Fail();
  SendHead();
}

void OriginExchange::Fail() {
  Over();
  if (script_->failure_resets) return connection_.Reset(id_, http::ResetReason::kInternal);
  http::ResponseHead head(arena_);
  head.status = 503;
  head.fields.Add("x-token", script_->token);
  head.fields.Add("x-origin-revision", revision_);
  head.fields.Add("content-length", "0");
  head.framing.length = 0;
  connection_.SendResponse(id_, head, true);
}

void OriginExchange::SendHead() {
  for (int i = 0; i < script_->informationals; ++i) {
    http::ResponseHead hints(arena_);
    hints.status = i == 0 ? 103 : 102;
    hints.fields.Add("link", "</style.css>; rel=preload");
    connection_.SendResponse(id_, hints, false);
  }
  http::ResponseHead head(arena_);
  head.status = script_->status;
  head.fields.Add("x-token", script_->token);
  head.fields.Add("x-origin-revision", revision_);
  if (script_->rule == Rule::kCached && script_->status == 200)
    head.fields.Add("cache-control",
                    base::Concat("max-age=", std::chrono::duration_cast<std::chrono::seconds>(kPageAge).count()));
  if (script_->response_length_known && script_->status != 204) {
    head.framing.length = script_->response_bytes;
    head.fields.Add("content-length", base::Concat(script_->response_bytes));
  }
  const bool ends =
      script_->to_head() || script_->status == 204 || (script_->response_bytes == 0 && script_->response_length_known);
  connection_.SendResponse(id_, head, ends);
  if (ends) return Over();
  SendPieces();
}

void OriginExchange::SendPieces() {
  const size_t bytes = script_->cut ? script_->response_bytes / 2 : script_->response_bytes;
  while (sent_bytes_ < bytes) {
    base::Buffer piece;
    const size_t size = std::min<size_t>(script_->piece_bytes, bytes - static_cast<size_t>(sent_bytes_));
    piece.Append(std::string_view(ContentPiece(script_->token, 'a', sent_bytes_, size)));
    sent_bytes_ += size;
    connection_.SendContent(id_, piece, false);
    blocked_ = connection_.Unsent(id_) > http::kSendHighMarkBytes;
    if (blocked_) return;
    if (script_->piece_delay > base::Duration() && sent_bytes_ < bytes)
      return timer_.Set(loop_.Now() + script_->piece_delay);
  }
  SendEnd();
}

void OriginExchange::SendEnd() {
  Over();
  if (script_->cut) return connection_.Reset(id_, http::ResetReason::kInternal);
  if (script_->response_trailers) {
    http::Fields trailers(arena_);
    trailers.Add("x-trailer", script_->token);
    return connection_.SendTrailers(id_, trailers);
  }
  base::Buffer nothing;
  connection_.SendContent(id_, nothing, true);
}

void OriginExchange::SendJson() {
  std::string json = base::Concat("{\"token\":\"", script_->token, "\",\"revision\":\"", revision_, "\"");
  if (path_.starts_with("/list/")) {
    json += ",\"items\":[";
    for (int i = 0; i < script_->items; ++i)
      json += base::Concat(i == 0 ? "" : ",", "\"", script_->token, "-", i, "\"");
    json += "]";
  }
  json += "}";
  http::ResponseHead head(arena_);
  head.status = 200;
  head.fields.Add("content-type", "application/json");
  head.framing.length = json.size();
  head.fields.Add("content-length", base::Concat(json.size()));
  connection_.SendResponse(id_, head, false);
  base::Buffer content;
  content.Append(std::string_view(json));
  Over();
  connection_.SendContent(id_, content, true);
}

}  // namespace portico::simulation
