#include "test/simulation/client_exchange.h"

#include <algorithm>
#include <array>

#include "api/base/text.h"

namespace portico::simulation {

ClientExchange::ClientExchange(event::Loop& loop, Judge& judge, const Script& script, Owner& owner)
    : loop_(loop), judge_(judge), script_(script), answered_(&script), owner_(owner), timer_(loop.timers(), *this) {
  ++judge_.client_exchanges;
  leaving_ = script_.leaves_after.has_value();
  timer_.Set(loop_.Now() + script_.leaves_after.value_or(kPatience));
}

ClientExchange::~ClientExchange() {
  if (!over_) --judge_.client_exchanges;
}

void ClientExchange::OnTimer(event::Timer&) {
  if (over_) return;
  if (!leaving_ && judge_.mood().calm) Violation("it does not end");
  owner_.OnLeaving(*this);
}

void ClientExchange::Finish(std::string_view how) {
  over_ = true;
  timer_.Forget();
  --judge_.client_exchanges;
  judge_.Trace(base::Concat("ends ", script_.token, " ", how, " status ", status_, " bytes ", received_bytes_));
}

std::string_view ClientExchange::Field(std::string_view name) const {
  for (const auto& [known, value] : fields_)
    if (known == name) return value;
  return "";
}

void ClientExchange::Informational(int status) {
  if (over_ || has_head()) return Violation("an informational response after the final one");
  if (status < 100 || status > 199 || status == 101) Violation("no informational response has such a status");
  if (status == 100 && !script_.expects_continue) Violation("100 that nobody asked for");
  if (status != 100 && ++informationals_ > script_.informationals) Violation("more informational responses than sent");
}

void ClientExchange::Head(int status, FieldList fields) {
  if (over_ || has_head()) return Violation("a second final response");
  status_ = status;
  fields_ = std::move(fields);
  const std::string_view token = Field("x-token");
  from_origin_ = !token.empty();
  if (from_origin_ && token != script_.token) {
    const Script* other = judge_.FindShared(script_, token);
    if (other != nullptr) answered_ = other;
  }
  if (from_origin_ && script_.denied()) Violation("it was denied and an origin answers");
  CheckRevision();
  CheckStatus();
}

// Every rule says its revision in a field of the response and in one of the request, which origins send back. What was
// answered to another was asked for in a revision of its own.
void ClientExchange::CheckRevision() {
  std::vector<std::string_view> seen;
  for (const auto& [name, value] : fields_)
    if (name == "x-revision" || name == "x-origin-revision") seen.push_back(value);
  const bool local_before_route = !from_origin_ && seen.empty();
  if (local_before_route) return;
  if (seen.size() != (from_origin_ && script_.rule != Rule::kComposition ? 2 : 1))
    return Violation(base::Concat("revisions in its response: ", seen.size()));
  const std::string_view revision = Field("x-revision");
  const auto number = base::ParseDecimal(revision);
  if (!number) return Violation(base::Concat("its revision is ", revision));
  if (seen.back() != seen[0] && answered_ == &script_)
    Violation(base::Concat("it sees the revisions ", seen[0], " and ", seen.back()));
  if (*number < judge_.RevisionAtBegin(script_.token) || *number > judge_.revision())
    Violation(base::Concat("it sees revision ", *number, " that was not in use"));
}

bool ClientExchange::IsExpected(int status) const {
  switch (script_.rule) {
    case Rule::kDenied:
      return status == 403;
    case Rule::kDirect:
      return status == 418;
    case Rule::kWaiting:
      if (script_.filter == Script::Filter::kNever) return status == 504 || status == 408;
      if (script_.denied()) return status == 401;
      return status == script_.status;
    case Rule::kRetried:
      return IsExpectedOfRetry(status);
    case Rule::kLimited:
      return status == 429 || status == script_.status;
    default:
      return status == answered_->status;
  }
}

// What an origin has failed is hidden where it may be asked again, and told as it was where not.
bool ClientExchange::IsExpectedOfRetry(int status) const {
  const bool hidden = script_.failures == 0 || (script_.replayable() && script_.failures <= kRetryAttempts);
  // What a connection has lost, by the origin's reset or by the world's, is asked anew besides.
  if (status == script_.status) return hidden || script_.failure_resets || (script_.replayable() && !judge_.strict());
  if (hidden && judge_.strict()) return false;
  return script_.failures > 0 && (script_.failure_resets ? status == 502 && !from_origin_ : status == 503);
}

// An origin that leaves while content is on its way to it may refuse what it has not seen (RFC 9113 section 6.8), and
// what is sent is not kept without a rule's retry.
bool ClientExchange::CrossedByGoaway() const {
  return status_ == 502 && script_.request_bytes > 0 &&
         Field("proxy-status").find("refused the stream") != std::string_view::npos;
}

void ClientExchange::CheckStatus() {
  ++judge_.tally.statuses[status_];
  if (status_ == 429) judge_.Limited(script_.token);
  if (IsExpected(status_)) return;
  constexpr std::array<int, 4> kFailures = {408, 502, 503, 504};
  const bool failure = std::find(kFailures.begin(), kFailures.end(), status_) != kFailures.end();
  if (!failure || from_origin_) return Violation(base::Concat("its status is ", status_));
  if (judge_.strict() && !script_.uncertain() && !CrossedByGoaway())
    Violation(base::Concat("its status is ", status_, " (", Field("proxy-status"), ")"));
  if (judge_.strict() && script_.rule == Rule::kDeadline && status_ != 504)
    Violation(base::Concat("its status is ", status_, " (", Field("proxy-status"), ")"));
}

void ClientExchange::Content(std::string_view bytes) {
  if (over_) return Violation("content after its end");
  if (!has_head()) return Violation("content before a head");
  if (script_.to_head() || status_ == 204 || status_ == 304) return Violation("content where there is none");
  if (from_origin_) {
    if (!IsContent(answered_->token, 'a', received_bytes_, bytes)) Violation("content that is not its own");
  } else if (local_.size() < kLocalBytesMax) {
    local_.append(bytes);
  }
  received_bytes_ += bytes.size();
  if (script_.leaves_at_bytes && received_bytes_ >= *script_.leaves_at_bytes) {
    leaving_ = true;
    timer_.Set(loop_.Now());
  }
}

void ClientExchange::Trailers(const FieldList& trailers) {
  trailers_ = true;
  for (const auto& [name, value] : trailers)
    if (name != "x-trailer" || value != script_.token) Violation(base::Concat("a trailer ", name, ": ", value));
}

void ClientExchange::End() {
  if (over_) return Violation("it ends a second time");
  if (!has_head()) return Violation("it ends without a head");
  if (from_origin_) CheckOriginAnswer();
  if (script_.rule == Rule::kComposition && status_ == 200) CheckComposition();
  if (script_.rule == Rule::kDirect && status_ == 418 && !script_.to_head() && local_ != "short and stout")
    Violation(base::Concat("the direct response is ", local_));
  ++judge_.tally.responses;
  if (IsExpected(status_)) ++judge_.tally.as_scripted;
  if (script_.failures > 0 && status_ == script_.status) ++judge_.tally.retried;
  if (script_.rule == Rule::kCached && script_.method == "DELETE" && from_origin_ && status_ < 300)
    judge_.PageChanged(script_);
  Finish("whole");
}

void ClientExchange::CheckOriginAnswer() {
  if (script_.failures > 0 && status_ == 503) return;  // a failure as it was: it has no content
  const uint64_t bytes = script_.to_head() ? 0 : answered_->response_bytes;
  if (received_bytes_ != bytes) Violation(base::Concat("it ends whole after ", received_bytes_, " bytes of ", bytes));
  if (answered_->cut && !script_.to_head()) Violation("it ends whole, and the origin's was broken off");
  const bool trailers = answered_->response_trailers && !script_.to_head();
  if (trailers != trailers_) Violation(trailers ? "its trailers are lost" : "trailers that nobody sent");
  if (judge_.strict() && answered_ == &script_ && informationals_ != script_.informationals)
    Violation("informational responses are lost");
}

// Every token in it is its own, every revision the one it was answered by, and all calls are there if none failed.
void ClientExchange::CheckComposition() {
  size_t tokens = 0;
  for (size_t at = local_.find("tok"); at != std::string::npos; at = local_.find("tok", at + 3)) {
    if (local_.compare(at - 1, 8, "\"token\":") == 0) continue;  // the key
    ++tokens;
    if (local_.compare(at, script_.token.size(), script_.token) != 0)
      Violation(base::Concat("in its composition: ", std::string_view(local_).substr(at, script_.token.size())));
  }
  constexpr std::string_view kKey = "\"revision\":\"";
  const std::string expected = base::Concat(kKey, Field("x-revision"), "\"");
  for (size_t at = local_.find(kKey); at != std::string::npos; at = local_.find(kKey, at + 1)) {
    if (local_.compare(at, expected.size(), expected) != 0)
      Violation(base::Concat("in its composition: ", std::string_view(local_).substr(at, expected.size())));
  }
  const bool whole = local_.find("\"incomplete\":[]") != std::string::npos;
  const size_t all_tokens = 2 + 2 * static_cast<size_t>(script_.items);
  if (whole && tokens != all_tokens) Violation(base::Concat("its composition lacks parts: ", local_));
  if (!whole && judge_.strict() && !script_.uncertain()) Violation(base::Concat("calls of it failed: ", local_));
}

void ClientExchange::Cut(bool excused) {
  if (over_) return;
  const bool promised = judge_.strict() && !excused && !script_.uncertain();
  if (promised) Violation(has_head() ? "its response is cut" : "it gets no response");
  ++judge_.tally.cut;
  Finish("cut");
}

void ClientExchange::Leave() {
  if (over_) return;
  ++judge_.tally.left;
  Finish("left");
}

}  // namespace portico::simulation
