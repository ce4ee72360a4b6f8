#include "dataplane/cache/cached_call.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/cache/conditional.h"
#include "dataplane/cache/storable.h"
#include "dataplane/http/codec.h"

namespace portico::cache {
namespace {

using State = Fill::State;

constexpr std::string_view kCacheStatus = "cache-status";
constexpr int kGatewayTimeout = 504;

http::Fields CopyOf(const http::Fields& fields, base::Arena& arena) {
  http::Fields copy(arena);
  copy.CopyFrom(fields);
  return copy;
}

http::ResponseHead CopyOf(const http::ResponseHead& head, base::Arena& arena) {
  http::ResponseHead copy(arena);
  copy.status = head.status;
  copy.fields.CopyFrom(head.fields);
  copy.framing = head.framing;
  copy.version = head.version;
  return copy;
}

}  // namespace

CachedCall::CachedCall(Question question, call::CallHandler& handler)
    : question_(std::move(question)), handler_(handler) {
  const CacheRequest& asks = question_.asks;
  const bool gives = question_.decision.kind == Decision::Kind::kGive;
  if (gives || asks.control.only_if_cached) {
    if (gives) outcome_ = "hit";
    question_.cache.loop().AtTurnEnd(*this);
    return;
  }
  // What asks for less, or for nothing to be kept, is its own alone, unless we ask for more on its behalf.
  const bool revalidates = question_.decision.kind == Decision::Kind::kRevalidate;
  const bool shares = (revalidates || !AsksForLess(head().fields)) && !asks.control.no_store &&
                      !asks.control.malformed && !question_.cache.IsUnstorable(asks.key, asks.identity);
  std::shared_ptr<Fill> fill = shares ? question_.cache.FindFill(asks.key, asks.identity) : nullptr;
  // Whoever wants a younger one than is stored may want a younger one than is on its way. Nor does anybody wait for
  // his: others would have been given what is stored. What he gets is stored, and joined once it is known that it may
  // be.
  const bool wants_a_new_one = WantsANewOne(asks.control);
  if (fill != nullptr && !wants_a_new_one) {
    Join(std::move(fill));
  } else {
    BeginFill(shares && fill == nullptr && !wants_a_new_one);
  }
}

CachedCall::~CachedCall() {
  if (gone_ != nullptr) *gone_ = true;
  LeaveFill();
}

void CachedCall::BeginFill(bool listed) {
  const CacheRequest& asks = question_.asks;
  // What was found may have been purged while this waited for another.
  const uint64_t generation = question_.cache.store().Generation(asks.key);
  const bool has_stored = generation == question_.generation && question_.stored != nullptr;
  Fill::Request request{.key = asks.key,
                        .identity = asks.identity,
                        .generation = generation,
                        .policy = question_.policy,
                        .origin = question_.origin,
                        .attempt_timeout = question_.request.attempt_timeout,
                        .retry = question_.request.retry,
                        .span = question_.request.span,
                        .authorized = asks.authorized,
                        .replaced = has_stored ? question_.stored : nullptr,
                        .asks_about_it = has_stored && question_.decision.kind == Decision::Kind::kRevalidate};
  fill_ = std::make_shared<Fill>(question_.cache, std::move(request), head(), listed);
  if (listed) question_.cache.List(fill_);
  fill_->Join(*this);
  fill_->Start();
}

void CachedCall::Join(std::shared_ptr<Fill> fill) {
  fill_ = std::move(fill);
  fill_->Join(*this);
  WaitUntil(question_.cache.loop().Now() + kWaitForHeadMax);
  question_.cache.loop().AtTurnEnd(*this);
}

void CachedCall::WaitUntil(base::MonotonicTime time) {
  event::Timer::Handler& handler = *this;
  if (!timer_) timer_.emplace(question_.cache.loop().timers(), handler);
  if (std::exchange(wait_end_, time) != time) timer_->Set(time);
}

void CachedCall::GoAlone() {
  LeaveFill();
  timer_.reset();
  BeginFill(false);
}

void CachedCall::LeaveFill() {
  if (fill_ == nullptr) return;
  fill_->Leave(*this);
  fill_.reset();
}

// With the window that the last bytes left, on with the next; never from inside the caller.
void CachedCall::Consumed(size_t bytes) {
  const size_t own = std::min(bytes, unconsumed_);
  unconsumed_ -= own;
  if (own > 0 && !over_) question_.cache.loop().AtTurnEnd(*this);
  if (leads() && (bytes > own || bytes == 0)) fill_->Consumed(bytes - own);
}

call::CallFacts CachedCall::facts() const {
  call::CallFacts facts = leads() ? fill_->facts() : call::CallFacts();
  facts.cache = outcome_;
  return facts;
}

void CachedCall::OnTimer(event::Timer&) {
  question_.cache.loop().AtTurnEnd(*this);
}

// The handler may destroy this in any of its callbacks: whoever calls it looks at `gone_` before anything else.
void CachedCall::OnTurnEnd() {
  bool gone = false;
  gone_ = &gone;
  Run();
  if (!gone) gone_ = nullptr;
}

void CachedCall::Run() {
  if (over_) return;
  if (fill_ != nullptr) return RunFill();
  if (outcome_ != "hit") return Refuse();
  Give(*question_.stored);
}

void CachedCall::RunFill() {
  const std::shared_ptr<Fill> fill = fill_;  // a callback may leave it
  if (!leads() && !head_given_) return RunWaiting();
  const bool* gone = gone_;
  if (leads() && !head_given_) {
    for (const http::ResponseHead& informational : fill->TakeInformational()) {
      handler_.OnInformational(informational);
      if (*gone) return;
    }
  }
  switch (fill->state()) {
    case State::kAsked:
      return;
    case State::kStoring:
    case State::kWhole:
      return Give(*fill->stored());
    case State::kPassing:
    case State::kPassed:
      return RunPassing();
    case State::kFailed: {
      over_ = true;
      const call::Error error = fill->error();
      return handler_.OnError(error);
    }
  }
}

// For another's fill, of which nothing is given yet. As soon as that is of no use all go alone at once.
void CachedCall::RunWaiting() {
  const bool is_late = question_.cache.loop().Now() >= wait_end_;
  switch (fill_->state()) {
    case State::kAsked:
      return is_late ? GoAlone() : void();
    case State::kStoring:
    case State::kWhole:
      if (!MayShare()) return GoAlone();
      if (fill_->stored()->length) return Give(*fill_->stored());
      WaitUntil(fill_->answered() + kWaitForWholeMax);
      if (question_.cache.loop().Now() >= wait_end_) GoAlone();
      return;
    case State::kPassing:
    case State::kPassed:
    case State::kFailed:
      return GoAlone();
  }
}

// What it has may be stored, holds, and is given to this request: as if it had been stored a moment ago.
bool CachedCall::MayShare() const {
  if (!fill_->shareable() || !fill_->IsCurrent()) return false;
  const base::MonotonicTime now = question_.cache.loop().Now();
  return Decide(*fill_->stored(), question_.asks, *question_.policy, now).kind == Decision::Kind::kGive;
}

// only-if-cached (section 5.2.1.7).
void CachedCall::Refuse() {
  over_ = true;
  http::ResponseHead answer(*question_.request.arena);
  answer.status = kGatewayTimeout;
  answer.fields.Add(http::FieldId::kContentLength, "0");
  answer.fields.Add(kCacheStatus, "portico; detail=only-if-cached");
  answer.framing = {true, 0, false};
  const bool* gone = gone_;
  handler_.OnResponse(std::move(answer));
  if (!*gone) handler_.OnEnd();
}

void CachedCall::Give(const StoredResponse& stored) {
  if (!head_given_ && !GiveHead(stored)) return;
  if (!GiveContent(stored)) return;
  // Of what is still coming the end counts, not its length: there may be trailers.
  const bool ends = fill_ == nullptr || fill_->state() == State::kWhole || end_ < stored.length;
  if (ends && offset_ == end_.value_or(stored.content->size())) GiveEnd();
}

// False: the handler let this go.
bool CachedCall::GiveHead(const StoredResponse& stored) {
  head_given_ = true;
  timer_.reset();
  if (fill_ != nullptr) outcome_ = fill_->refreshed() && leads() ? "revalidated" : leads() ? "miss" : "collapsed";
  const base::MonotonicTime now = question_.cache.loop().Now();
  PartialAnswer part;
  if (stored.length) {
    part = ChoosePart(head().fields, stored.status, stored.fields, *stored.length, question_.cache.loop().WallNow());
  }
  // Section 14.2 of RFC 9110: a range is for GET alone.
  if (head().method == "HEAD" && part.kind != PartialAnswer::Kind::kNotModified) part = {};
  // What has just come from the origin has the age that it came with, if any.
  const bool has_age =
      fill_ == nullptr || !leads() || fill_->refreshed() || stored.AgeAt(now) >= std::chrono::seconds(1);
  const std::optional<base::Duration> age = has_age ? std::optional(stored.AgeAt(now)) : std::nullopt;
  ServedHead served = ServeHead(stored, part, age, *question_.request.arena);
  offset_ = served.offset;
  end_ = served.end;
  served.head.fields.Add(kCacheStatus, Status(stored));
  if (head().method == "HEAD") {
    end_ = offset_;
    served.head.framing.ends_with_head = true;
  }
  const bool* gone = gone_;
  handler_.OnResponse(std::move(served.head));
  return !*gone;
}

// As much as the client's side takes; the rest when that has gone. False: the handler let this go.
bool CachedCall::GiveContent(const StoredResponse& stored) {
  const bool* gone = gone_;
  while (unconsumed_ <= http::kSendHighMarkBytes) {
    std::string_view run = stored.content->RunAt(offset_);
    if (end_) run = run.substr(0, static_cast<size_t>(std::min<uint64_t>(run.size(), *end_ - offset_)));
    if (run.empty()) return true;
    offset_ += run.size();
    unconsumed_ += run.size();
    handler_.OnContent(base::Slice::Borrow(stored.content, run));
    if (*gone) return false;
  }
  return true;
}

void CachedCall::GiveEnd() {
  over_ = true;
  const bool* gone = gone_;
  if (fill_ != nullptr && fill_->trailers()) {
    handler_.OnTrailers(CopyOf(*fill_->trailers(), *question_.request.arena));
    if (*gone) return;
  }
  handler_.OnEnd();
}

// The leader's: what was kept until it was too much, then what passes.
void CachedCall::RunPassing() {
  const std::shared_ptr<Fill> fill = fill_;
  const bool* gone = gone_;
  if (fill->stored() != nullptr) {
    if (!head_given_ && !GiveHead(*fill->stored())) return;
    if (!GiveContent(*fill->stored())) return;
    if (offset_ < fill->stored()->content->size()) return;
  } else if (!head_given_) {
    head_given_ = true;
    http::ResponseHead answer = CopyOf(fill->passing_head(), *question_.request.arena);
    answer.fields.Add(kCacheStatus, base::Concat("portico; fwd=", question_.decision.why));
    handler_.OnResponse(std::move(answer));
    if (*gone) return;
  }
  while (!fill->passing().empty()) {
    handler_.OnContent(fill->passing().PopFront());
    if (*gone) return;
  }
  if (fill->state() == State::kPassed) GiveEnd();
}

std::string CachedCall::Status(const StoredResponse& stored) const {
  if (fill_ == nullptr) {
    const bool personal = MayBePersonal(head().fields, stored.selecting);
    const base::Duration left = LifetimeOf(stored.status, stored.explicit_lifetime, *question_.policy, personal) -
                                stored.AgeAt(question_.cache.loop().Now());
    return base::Concat("portico; hit; ttl=", std::chrono::duration_cast<std::chrono::seconds>(left).count());
  }
  std::string status = base::Concat("portico; fwd=", question_.decision.why);
  if (fill_->refreshed()) status += "; fwd-status=304";
  if (fill_->shareable()) status += "; stored";
  if (!leads()) status += "; collapsed";
  return status;
}

}  // namespace portico::cache
