#include "dataplane/upstream/retry_call.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/base/text.h"
#include "dataplane/upstream/upstream_call.h"

namespace portico::upstream {
namespace {

using call::Error;
using call::ErrorKind;

// That it is safe to ask again is no reason to. What is ours or the caller's will be the same again: a limit that is
// reached, a time to wait that is over, a cluster without endpoints, content that does not come. And a certificate that
// was refused at every endpoint is one that somebody has to renew.
bool MayHelp(const Error& error) {
  return error.fault == call::Fault::kOrigin && error.kind != ErrorKind::kTlsCertificateError;
}

// No answer came, and the method decides if it may be asked for again. What is malformed once is so again.
bool IsUnanswered(ErrorKind kind) {
  return kind == ErrorKind::kConnectionTerminated || kind == ErrorKind::kConnectionReadTimeout ||
         kind == ErrorKind::kHttpResponseTimeout;
}

// RFC 9110 section 10.2.3. What is no number of seconds is a date, and always longer.
bool AsksToWaitLonger(const http::Fields& fields, base::Duration pause) {
  const auto value = fields.Find(http::FieldId::kRetryAfter);
  if (!value) return false;
  const std::optional<uint64_t> wait = base::ParseDecimal(*value);
  return !wait || *wait > static_cast<uint64_t>(std::chrono::floor<std::chrono::seconds>(pause).count());
}

}  // namespace

// One attempt, with what its answer is for. Each of its events is the last act of what reports it, so it may die there.
class RetryCall::Attempt final : public call::CallHandler {
 public:
  Attempt(RetryCall& owner, const call::CallRequest& request)
      : owner_(owner), call_(owner.cluster_, request, *this, &owner.failed_) {}

  UpstreamCall& call() { return call_; }
  void Discard() { discarded_ = true; }

  void OnInformational(const http::ResponseHead& head) override { owner_.handler_.OnInformational(head); }
  void OnResponse(http::ResponseHead head) override { owner_.OnHead(std::move(head)); }
  void OnContent(base::Slice content) override {
    if (!discarded_) return owner_.handler_.OnContent(std::move(content));
    dropped_bytes_ += content.size();
    if (dropped_bytes_ > kDrainBytesMax) return End();
    call_.Consumed(content.size());
  }
  void OnTrailers(http::Fields trailers) override {
    if (!discarded_) owner_.handler_.OnTrailers(std::move(trailers));
  }
  void OnEnd() override { discarded_ ? End() : owner_.handler_.OnEnd(); }
  void OnError(const Error& error) override { discarded_ ? End() : owner_.OnFailure(error); }
  void OnSendReady() override {
    if (!discarded_) owner_.handler_.OnSendReady();
  }

 private:
  void End() { owner_.discarded_.reset(); }

  RetryCall& owner_;
  bool discarded_ = false;
  size_t dropped_bytes_ = 0;
  UpstreamCall call_;
};

RetryCall::RetryCall(Cluster& cluster, const call::CallRequest& request, call::CallHandler& handler)
    : cluster_(cluster),
      request_(request),
      handler_(handler),
      begun_at_(cluster.loop().Now()),
      timer_(cluster.loop().timers(), *this),
      request_ended_(request.end),
      share_(request.retry->replay_budget) {
  const std::optional<uint64_t>& length = request.head->framing.length;
  keeps_ = request.end || length.value_or(0) <= plan().content_bytes_max;
  cluster_.CountRetriable();
  Ask();
}

RetryCall::~RetryCall() {
  if (state_ != State::kAnswering && retries_ > 0) cluster_.ObserveRetry(retry_outcome::kCancelled);
}

void RetryCall::Ask() {
  state_ = State::kAsking;
  asked_at_ = cluster_.loop().Now();
  attempt_ = std::make_unique<Attempt>(*this, request_);
}

void RetryCall::OnTimer(event::Timer&) {
  if (state_ != State::kResting) return;
  discarded_.reset();
  Ask();
  if (!request_.end) Replay();
}

void RetryCall::Replay() {
  base::Buffer content;
  content.Append(std::string_view(kept_));
  Keep(waiting_);
  content.MoveFrom(waiting_);
  const bool ends = request_ended_ && !trailers_;
  if (ends || !content.empty()) attempt_->call().SendContent(content, ends);
  if (trailers_) attempt_->call().SendTrailers(*trailers_);
}

void RetryCall::Keep(const base::Buffer& content) {
  if (!keeps_ || content.empty()) return;
  if (kept_.size() + content.size() > plan().content_bytes_max || share_.room() < content.size()) return KeepNothing();
  kept_ += content.ToString();
  share_.Set(kept_.capacity());
}

void RetryCall::KeepNothing() {
  keeps_ = false;
  std::string().swap(kept_);
  share_.Set(0);
}

void RetryCall::SendContent(base::Buffer& content, bool end) {
  request_ended_ = request_ended_ || end;
  if (state_ == State::kResting) return waiting_.MoveFrom(content);
  if (state_ == State::kAsking) Keep(content);
  attempt_->call().SendContent(content, end);
}

void RetryCall::SendTrailers(const http::Fields& trailers) {
  request_ended_ = true;
  if (keeps_) trailers_.emplace(*request_.arena).CopyFrom(trailers);
  if (attempt_ != nullptr) attempt_->call().SendTrailers(trailers);
}

size_t RetryCall::Unsent() const {
  return attempt_ == nullptr ? kept_.size() + waiting_.size() : attempt_->call().Unsent();
}

void RetryCall::Consumed(size_t bytes) {
  if (attempt_ != nullptr) attempt_->call().Consumed(bytes);
}

call::CallFacts RetryCall::facts() const {
  call::CallFacts facts = before_;
  facts.endpoint = endpoint_name_;
  if (attempt_ != nullptr) {
    facts = attempt_->call().facts();
    facts.attempts += before_.attempts;
  }
  facts.retries = words_;
  facts.before = asked_at_ - begun_at_;
  return facts;
}

void RetryCall::OnHead(http::ResponseHead head) {
  const bool failed = plan().HasCode(head.status);
  if (failed && plan().HasMethod(request_.head->method) && TakeRetry(&head.fields)) {
    attempt_->call().CountAnswer();
    // HTTP/1.1 can't go on with half a request, and HTTP/2 loses nothing by a reset.
    const bool is_sent = request_ended_ && attempt_->call().Unsent() == 0;
    const bool is_little = head.framing.ends_with_head || head.framing.length.value_or(0) <= kDrainBytesMax;
    if (is_sent && is_little) {
      attempt_->Discard();
      discarded_ = std::move(attempt_);
    }
    return Rest(base::Concat(head.status));
  }
  Answer(failed);
  handler_.OnResponse(std::move(head));
}

void RetryCall::OnFailure(const Error& error) {
  if (state_ == State::kAsking) {
    const bool may_be_repeated =
        error.retry_safe || (IsUnanswered(error.kind) && plan().HasMethod(request_.head->method));
    if (may_be_repeated && MayHelp(error) && TakeRetry(nullptr)) {
      return Rest(call::ErrorName(error.kind));
    }
    Answer(true);
  }
  handler_.OnError(error);
}

// True: it is counted, and pause_ says when.
bool RetryCall::TakeRetry(const http::Fields* answer) {
  if (retries_ == plan().attempts) return false;
  pause_ = Pause();
  const std::optional<base::MonotonicTime>& deadline = request_.retry->deadline;
  std::string_view why_not;
  if (!keeps_) {
    why_not = retry_outcome::kOverContent;
  } else if (answer != nullptr && AsksToWaitLonger(*answer, pause_)) {
    why_not = retry_outcome::kRetryAfter;
  } else if (deadline && cluster_.loop().Now() + pause_ >= *deadline) {
    why_not = retry_outcome::kDeadline;
  } else if (!cluster_.TakeRetry()) {
    why_not = retry_outcome::kOverBudget;
  }
  if (why_not.empty()) return true;
  Note(why_not);
  cluster_.ObserveRetry(why_not);
  return false;
}

// Doubled with each retry; up to half as long again, so that what failed together does not come back together.
base::Duration RetryCall::Pause() const {
  base::Duration pause = plan().backoff;
  for (uint32_t i = 0; i < retries_ && pause < kPauseMax; ++i)
    pause *= 2;
  pause = std::min(pause, kPauseMax);
  const uint64_t jitter = request_.retry->random->Below(static_cast<uint64_t>(pause.count()) / 2 + 1);
  return pause + base::Duration(jitter);
}

// The attempt is over, or somewhere else; whoever called may be it, so this comes last.
void RetryCall::Rest(std::string_view why) {
  UpstreamCall& call = (attempt_ != nullptr ? attempt_ : discarded_)->call();
  Note(why);
  if (retries_++ > 0) cluster_.ObserveRetry(retry_outcome::kFailure);
  if (call.address()) failed_.push_back(*call.address());
  const call::CallFacts facts = call.facts();
  endpoint_name_ = facts.endpoint;
  before_.attempts += facts.attempts;
  before_.reused_connection = facts.reused_connection;
  state_ = State::kResting;
  timer_.Set(cluster_.loop().Now() + pause_);
  attempt_.reset();
}

void RetryCall::Answer(bool failed) {
  state_ = State::kAnswering;
  KeepNothing();
  if (retries_ > 0) cluster_.ObserveRetry(failed ? retry_outcome::kFailure : retry_outcome::kSuccess);
}

void RetryCall::Note(std::string_view word) {
  if (!words_.empty()) words_ += ", ";
  words_ += word;
}

}  // namespace portico::upstream
