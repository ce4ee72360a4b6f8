#include "dataplane/upstream/upstream_call.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace portico::upstream {
namespace {

using call::Error;
using call::ErrorKind;
using call::Fault;

constexpr Error kUnreached{ErrorKind::kDestinationUnavailable, true, "no endpoint could be reached"};
constexpr const char* kUnresolved = "the cluster's name was not resolved in time";

// RFC 9110 section 9.2.2.
bool IsIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE" || method == "PUT" ||
         method == "DELETE";
}

std::string_view OutcomeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kDestinationUnavailable:
      return outcome::kNoEndpoint;
    case ErrorKind::kConnectionRefused:
    case ErrorKind::kConnectionTimeout:
    case ErrorKind::kTlsProtocolError:
    case ErrorKind::kTlsCertificateError:
    case ErrorKind::kTlsAlertReceived:
      return outcome::kConnectFailure;
    case ErrorKind::kConnectionTerminated:
      return outcome::kReset;
    case ErrorKind::kConnectionReadTimeout:
    case ErrorKind::kHttpResponseTimeout:
      return outcome::kTimeout;
    case ErrorKind::kConnectionLimitReached:
      return outcome::kLimit;
    case ErrorKind::kHttpProtocolError:
      return outcome::kProtocolError;
  }
  return outcome::kReset;
}

}  // namespace

UpstreamCall::UpstreamCall(Cluster& cluster, const call::CallRequest& request, call::CallHandler& handler,
                           const std::vector<net::Address>* failed)
    : cluster_(cluster),
      request_(request),
      handler_(handler),
      failed_(failed),
      timer_(cluster.loop().timers(), *this),
      admitted_(cluster.Admit()),
      request_ended_(request.end) {
  if (request_.attempt_timeout) attempt_deadline_ = cluster_.loop().Now() + *request_.attempt_timeout;
  if (attempt_deadline_) timer_.Set(*attempt_deadline_);
  progress_at_ = begun_at_ = cluster_.loop().Now();
  if (admitted_) {
    TryNext(kUnreached);
  } else {
    GiveUp({ErrorKind::kConnectionLimitReached, true, "the cluster has too many requests", Fault::kGateway});
  }
}

UpstreamCall::~UpstreamCall() {
  EndAttempt(outcome::kCancelled);
  LeaveConnection();
  cluster_.Leave(admitted_);
}

// Who knows neither the method nor the version (501, 505) has answered what it was asked: that would be the client's
// way to have it ejected. HAProxy's health by observed answers is as lenient.
void UpstreamCall::CountAnswer() {
  const bool is_failure = status_ >= 500 && status_ != 501 && status_ != 505;
  TellEndpoint(is_failure ? outcome::kServerError : outcome::kSuccess);
  EndAttempt(status_ < 500 ? outcome::kSuccess : outcome::kServerError);
}

void UpstreamCall::LeaveConnection() {
  LeaveLine();
  LeavePlace();
  if (connection_ != nullptr) std::exchange(connection_, nullptr)->Cancel(id_);
}

// One that finds no connection has its span as well, so that the log's count of attempts is the last one's number.
void UpstreamCall::BeginAttempt() {
  if (std::exchange(attempting_, true)) return;
  ++attempts_;
  request_.span.WriteNext();
}

void UpstreamCall::EndAttempt(std::string_view outcome) {
  if (std::exchange(attempting_, false)) cluster_.Observe(outcome);
  TellEndpoint(outcome);
}

void UpstreamCall::TellEndpoint(std::string_view outcome) {
  if (asked_ != nullptr) std::exchange(asked_, nullptr)->OnCallOver(outcome);
}

// Of those that serve: who has not failed this call, then who has failed it once, which may have been chance. Then who
// rests or is ejected: everybody's calls have told that, and if it is unreachable, asking costs the time to connect.
// Last who has failed it again.
Endpoint* UpstreamCall::ChooseEndpoint() {
  if (failed_ == nullptr || failed_->empty()) return cluster_.Choose(tried_, address_ ? &*address_ : nullptr);
  for (const int failures : {1, 2}) {
    std::vector<net::Address> others = tried_;
    for (const net::Address& address : *failed_)
      if (std::count(failed_->begin(), failed_->end(), address) >= failures) others.push_back(address);
    Endpoint* endpoint = cluster_.Choose(others, failures == 1 && address_ ? &*address_ : &failed_->back());
    const bool serves = endpoint != nullptr && !endpoint->Rests() && !endpoint->Ejected();
    if (serves || (endpoint != nullptr && failures == 2)) return endpoint;
  }
  return cluster_.Choose(tried_, &failed_->back());
}

// Each endpoint is asked for a connection once. When none is left, the last reason is the call's. However often it goes
// from one line to another, its time to wait is the same.
void UpstreamCall::TryNext(const Error& last_error) {
  state_ = State::kWaiting;
  Endpoint* endpoint = ChooseEndpoint();
  Connection* connection = endpoint == nullptr ? nullptr : endpoint->Available();
  // Room is what other workers take meanwhile: asked once, and who waits where it has gone moves on to the cluster's
  // line.
  bool waits = endpoint != nullptr && (connection == nullptr || (wants_new_ && endpoint->CanWait()));
  const bool has_place = waits && TakePlace(cluster_.use_.pending, cluster_.config().pending_max);
  // Who has a connection made for it waits for nobody.
  if (waits && !has_place && !endpoint->WaitForNew(*this)) {
    waits = false;
    endpoint = nullptr;
  }
  // One that failed to connect, or that is not asked because it rests, may have a connection all the same.
  if (endpoint == nullptr) {
    endpoint = cluster_.FindFree();
    if (endpoint == nullptr && !cluster_.AllTried(tried_)) return WaitForRoom();
    if (endpoint == nullptr) return GiveUp(cluster_.use_.serving_endpoints == 0 ? cluster_.NoEndpoint() : last_error);
    connection = endpoint->Available();
  }
  BeginAttempt();
  if (!waits) return OnConnection(*endpoint, *connection);
  waited_at_ = endpoint->address();
  endpoint_name_ = endpoint->name();
  if (has_place) endpoint->Wait(*this);
  timer_.Set(Deadline());
}

void UpstreamCall::WaitForRoom() {
  if (!TakePlace(cluster_.use_.pending, cluster_.config().pending_max)) {
    return GiveUp({ErrorKind::kConnectionLimitReached, true, "a limit of the cluster is reached", Fault::kGateway});
  }
  cluster_.Wait(*this);
  BeginAttempt();
  timer_.Set(Deadline());
}

// Said at the end of the turn: Start has not returned yet, or whoever calls is in the middle of something.
void UpstreamCall::GiveUp(const Error& error) {
  if (attempts_ == 0 || error.kind == ErrorKind::kConnectionLimitReached) attempting_ = true;
  EndAttempt(OutcomeOf(error.kind));
  LeavePlace();
  state_ = State::kDone;
  failure_ = error;
  cluster_.loop().AtTurnEnd(*this);
}

void UpstreamCall::OnTurnEnd() {
  if (failure_) Fail(*failure_);
}

void UpstreamCall::OnRoom() {
  TryNext(kUnreached);
}

void UpstreamCall::OnConnection(Endpoint& endpoint, Connection& connection) {
  reused_ = connection.used();
  address_ = endpoint.address();
  endpoint_name_ = endpoint.name();
  sending_ = false;
  id_ = connection.Send(*request_.head, request_.end, *request_.arena, *this);
  if (id_ == 0) {
    connection.Drain();
    return OnNoConnection(endpoint, {ErrorKind::kConnectionTerminated, true, "the connection takes no more requests"});
  }
  LeavePlace();
  connection_ = &connection;
  asked_ = &endpoint;
  endpoint.OnCallBegun();
  state_ = State::kStreaming;
  Progress();
  connected_at_ = progress_at_;
}

void UpstreamCall::OnNoConnection(Endpoint& endpoint, const Error& error) {
  EndAttempt(OutcomeOf(error.kind));
  tried_.push_back(endpoint.address());
  TryNext(error);
}

// Only now, so that it is still here to be sent elsewhere if the connection ends first.
void UpstreamCall::OnSending() {
  sending_ = true;
  const bool ends_here = request_ended_ && !request_.end && !pending_trailers_;
  if (!pending_.empty() || ends_here) connection_->SendContent(id_, pending_, ends_here);
  if (pending_trailers_) connection_->SendTrailers(id_, *pending_trailers_);
}

void UpstreamCall::SendContent(base::Buffer& content, bool end) {
  request_ended_ = request_ended_ || end;
  if (state_ == State::kDone) return content.Clear();
  NoteCaller();
  if (sending_) {
    connection_->SendContent(id_, content, end);
  } else {
    pending_.MoveFrom(content);
  }
  if (state_ == State::kStreaming) Progress();
}

void UpstreamCall::SendTrailers(const http::Fields& trailers) {
  request_ended_ = true;
  if (state_ == State::kDone) return;
  NoteCaller();
  if (sending_) return connection_->SendTrailers(id_, trailers);
  pending_trailers_.emplace(*request_.arena);
  pending_trailers_->CopyFrom(trailers);
}

size_t UpstreamCall::Unsent() const {
  if (state_ == State::kDone) return 0;
  return sending_ ? connection_->Unsent(id_) : pending_.size();
}

void UpstreamCall::Consumed(size_t bytes) {
  if (connection_ == nullptr) return;
  held_bytes_ -= std::min(bytes, held_bytes_);
  if (bytes > 0 && cluster_.loop().Now() > held_since_) callers_until_ = cluster_.loop().Now();
  connection_->Consumed(id_, bytes);
  Progress();
}

call::CallFacts UpstreamCall::facts() const {
  call::CallFacts facts{.endpoint = endpoint_name_, .attempts = attempts_, .reused_connection = reused_};
  if (connected_at_ >= begun_at_) facts.connect = connected_at_ - begun_at_;
  if (response_begun_) facts.origin = answered_at_ - connected_at_;
  return facts;
}

// Something moved: the deadline without progress begins anew. Later than before, so it only stores a time.
void UpstreamCall::Progress() {
  progress_at_ = cluster_.loop().Now();
  timer_.Set(Deadline());
}

base::MonotonicTime UpstreamCall::Deadline() const {
  const ClusterConfig& config = cluster_.config();
  const bool is_long = response_begun_ || IsCallersTurn();
  const base::MonotonicTime deadline =
      progress_at_ + (is_long ? config.stream_idle_timeout : config.response_head_timeout);
  return attempt_deadline_ ? std::min(deadline, *attempt_deadline_) : deadline;
}

// Content that the caller has not given yet, or not taken yet, is nothing to blame the origin for.
bool UpstreamCall::IsCallersTurn() const {
  return state_ == State::kStreaming && (held_bytes_ > 0 || (!request_ended_ && Unsent() == 0));
}

// The origin has taken everything: what comes now was waited for.
void UpstreamCall::NoteCaller() {
  if (state_ == State::kStreaming && Unsent() == 0) callers_until_ = cluster_.loop().Now();
}

void UpstreamCall::OnTimer(event::Timer&) {
  if (state_ == State::kDone) return;
  if (cluster_.loop().Now() < Deadline()) return timer_.Set(Deadline());
  if (attempt_deadline_ && cluster_.loop().Now() >= *attempt_deadline_) return FailLate();
  if (state_ == State::kWaiting) {
    EndAttempt(outcome::kTimeout);
    return Fail({ErrorKind::kConnectionTimeout, true, KnowsNobody() ? kUnresolved : "no connection became free in time",
                 Fault::kGateway});
  }
  if (IsCallersTurn()) {
    return Fail({ErrorKind::kConnectionReadTimeout, false, "the caller let the origin wait", Fault::kCaller});
  }
  Fail({ErrorKind::kConnectionReadTimeout, false,
        response_begun_ ? "the response made no progress in time" : "the origin sent no response in time"});
}

// The attempt's time is the caller's, the connection's and the origin's together: the origin has failed only if at
// least half of it was its own. Else who waits until just before the end would have every origin ejected.
void UpstreamCall::FailLate() {
  // Nothing has left. Another endpoint may be quicker to connect to, but the cluster's line is as long again.
  if (state_ == State::kWaiting) {
    const bool in_line = WaitsIn(cluster_.use_.line);
    if (!in_line) address_ = waited_at_;
    EndAttempt(outcome::kTimeout);
    return Fail({ErrorKind::kConnectionTimeout, true,
                 KnowsNobody() ? kUnresolved : "no connection within timeouts.backendRequest",
                 in_line ? Fault::kGateway : Fault::kOrigin});
  }
  const base::MonotonicTime half = begun_at_ + *request_.attempt_timeout / 2;
  Error error{ErrorKind::kHttpResponseTimeout, !sending_, "the origin did not answer within timeouts.backendRequest"};
  if (IsCallersTurn() || callers_until_ > half) {
    error.fault = Fault::kCaller;
    error.detail = "the caller let the origin wait until timeouts.backendRequest was over";
  }
  if (connected_at_ > half) TellEndpoint(outcome::kCancelled);
  Fail(error);
}

void UpstreamCall::OnInformational(const http::ResponseHead& head) {
  heard_ = true;
  Progress();
  handler_.OnInformational(head);
}

void UpstreamCall::OnResponse(http::ResponseHead head) {
  heard_ = response_begun_ = true;
  status_ = head.status;
  Progress();
  answered_at_ = progress_at_;
  handler_.OnResponse(std::move(head));
}

void UpstreamCall::OnContent(base::Slice content) {
  Progress();
  if (held_bytes_ == 0) held_since_ = progress_at_;
  held_bytes_ += content.size();
  handler_.OnContent(std::move(content));
}

void UpstreamCall::OnTrailers(http::Fields trailers) {
  handler_.OnTrailers(std::move(trailers));
}

void UpstreamCall::OnEnd() {
  connection_ = nullptr;
  sending_ = false;
  state_ = State::kDone;
  timer_.Cancel();
  CountAnswer();
  handler_.OnEnd();
}

// Once, and only while the whole request is at hand. What a new connection did not carry is no matter of its age: that
// is for the rule's retry to repeat, within the cluster's budget.
bool UpstreamCall::MayRepeat(const Error& error) const {
  if (error.kind != ErrorKind::kConnectionTerminated || repeated_ || heard_) return false;
  if (!sending_) return true;
  if (!request_.end) return false;
  return error.retry_safe || (reused_ && IsIdempotent(request_.head->method));
}

void UpstreamCall::OnStreamError(const Error& error) {
  connection_ = nullptr;
  if (error.retry_safe) TellEndpoint(outcome::kCancelled);  // it has not worked on it: that is no failure
  if (!MayRepeat(error)) return Fail(error);
  EndAttempt(OutcomeOf(error.kind));
  repeated_ = true;
  wants_new_ = !(sending_ && error.retry_safe);  // a refused stream tells nothing of other connections
  tried_.clear();
  sending_ = false;
  progress_at_ = cluster_.loop().Now();
  TryNext(error);
}

void UpstreamCall::OnSendReady() {
  Progress();
  handler_.OnSendReady();
}

void UpstreamCall::Fail(Error error) {
  EndAttempt(error.fault == Fault::kCaller ? outcome::kCancelled : OutcomeOf(error.kind));
  state_ = State::kDone;
  failure_.reset();
  timer_.Cancel();
  LeaveConnection();
  sending_ = false;
  handler_.OnError(error);
}

}  // namespace portico::upstream
