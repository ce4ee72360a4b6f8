#include "dataplane/upstream/upstream_call.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace portico::upstream {
namespace {

using call::Error;
using call::ErrorKind;

// RFC 9110 section 9.2.2.
bool IsIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE" || method == "PUT" ||
         method == "DELETE";
}

}  // namespace

UpstreamCall::UpstreamCall(Cluster& cluster, const call::CallRequest& request, call::CallHandler& handler)
    : cluster_(cluster),
      request_(request),
      handler_(handler),
      timer_(cluster.loop().timers(), *this),
      request_ended_(request.end) {
  ++cluster_.calls_;
  if (request_.attempt_timeout) attempt_deadline_ = cluster_.loop().Now() + *request_.attempt_timeout;
  if (attempt_deadline_) timer_.Set(*attempt_deadline_);
  TryNext({ErrorKind::kDestinationUnavailable, true, "the cluster has no endpoint"});
}

UpstreamCall::~UpstreamCall() {
  LeaveConnection();
  --cluster_.calls_;
}

void UpstreamCall::LeaveConnection() {
  if (endpoint_ != nullptr) endpoint_->Left(*this);
  if (connection_ != nullptr) std::exchange(connection_, nullptr)->Cancel(id_);
}

// Each endpoint is asked for a connection once. When none is left, the last reason is the call's.
void UpstreamCall::TryNext(const Error& last_error) {
  state_ = State::kWaiting;
  Error error = last_error;
  while (Endpoint* endpoint = cluster_.Choose(tried_)) {
    endpoint_ = endpoint;
    tried_.push_back(endpoint);
    ++attempts_;
    if (Connection* connection = endpoint->Available()) return OnConnection(*connection);
    if (endpoint->Wait(*this)) return Progress();
    error = {ErrorKind::kConnectionLimitReached, true, "a limit of the cluster is reached"};
  }
  state_ = State::kDone;
  failure_ = error;
  cluster_.loop().AtTurnEnd(*this);
}

void UpstreamCall::OnTurnEnd() {
  if (failure_) Fail(*failure_);
}

void UpstreamCall::OnConnection(Connection& connection) {
  const bool nothing_follows = request_.end;
  reused_ = connection.used();
  endpoint_name_ = endpoint_->name();
  id_ = connection.Send(*request_.head, nothing_follows, *request_.arena, *this);
  if (id_ == 0) return TryNext({ErrorKind::kConnectionTerminated, true, "the connection takes no more requests"});
  connection_ = &connection;
  state_ = State::kStreaming;
  SendPending();
  Progress();
}

void UpstreamCall::SendPending() {
  const bool ends_here = request_ended_ && !request_.end && !pending_trailers_;
  if (!pending_.empty() || ends_here) connection_->SendContent(id_, pending_, ends_here);
  if (pending_trailers_) connection_->SendTrailers(id_, *pending_trailers_);
}

void UpstreamCall::OnNoConnection(const Error& error) {
  TryNext(error);
}

void UpstreamCall::SendContent(base::Buffer& content, bool end) {
  request_ended_ = request_ended_ || end;
  if (state_ == State::kDone) return content.Clear();
  if (connection_ == nullptr) return pending_.MoveFrom(content);
  connection_->SendContent(id_, content, end);
  Progress();
}

void UpstreamCall::SendTrailers(const http::Fields& trailers) {
  request_ended_ = true;
  if (state_ == State::kDone) return;
  if (connection_ != nullptr) return connection_->SendTrailers(id_, trailers);
  pending_trailers_.emplace(*request_.arena);
  pending_trailers_->CopyFrom(trailers);
}

size_t UpstreamCall::Unsent() const {
  if (state_ == State::kDone) return 0;
  return connection_ == nullptr ? pending_.size() : connection_->Unsent(id_);
}

void UpstreamCall::Consumed(size_t bytes) {
  if (connection_ == nullptr) return;
  connection_->Consumed(id_, bytes);
  Progress();
}

call::CallFacts UpstreamCall::facts() const {
  return {endpoint_name_, attempts_, reused_};
}

// Something moved: the deadline without progress begins anew. Later than before, so it only stores a time.
void UpstreamCall::Progress() {
  const ClusterConfig& config = cluster_.config();
  base::MonotonicTime deadline =
      cluster_.loop().Now() + (response_begun_ ? config.stream_idle_timeout : config.response_head_timeout);
  if (attempt_deadline_) deadline = std::min(deadline, *attempt_deadline_);
  timer_.Set(deadline);
}

void UpstreamCall::OnTimer(event::Timer&) {
  if (state_ == State::kDone) return;
  if (attempt_deadline_ && cluster_.loop().Now() >= *attempt_deadline_) {
    return Fail({ErrorKind::kHttpResponseTimeout, false, "the origin did not answer within timeouts.backendRequest"});
  }
  if (state_ == State::kWaiting) {
    return Fail({ErrorKind::kConnectionTimeout, true, "no connection became free in time"});
  }
  Fail({ErrorKind::kConnectionReadTimeout, false,
        response_begun_ ? "the response made no progress in time" : "the origin sent no response in time"});
}

void UpstreamCall::OnInformational(const http::ResponseHead& head) {
  heard_ = true;
  Progress();
  handler_.OnInformational(head);
}

void UpstreamCall::OnResponse(http::ResponseHead head) {
  heard_ = response_begun_ = true;
  Progress();
  handler_.OnResponse(std::move(head));
}

void UpstreamCall::OnContent(base::Slice content) {
  Progress();
  handler_.OnContent(std::move(content));
}

void UpstreamCall::OnTrailers(http::Fields trailers) {
  handler_.OnTrailers(std::move(trailers));
}

void UpstreamCall::OnEnd() {
  connection_ = nullptr;
  state_ = State::kDone;
  timer_.Cancel();
  handler_.OnEnd();
}

bool UpstreamCall::MayRepeat() const {
  return reused_ && !repeated_ && !heard_ && request_.end && IsIdempotent(request_.head->method);
}

void UpstreamCall::OnStreamError(const Error& error) {
  connection_ = nullptr;
  const bool terminated = error.kind == ErrorKind::kConnectionTerminated;
  const bool refused = terminated && error.retry_safe && request_.end && !repeated_ && !heard_;
  if (refused || (terminated && MayRepeat())) {
    repeated_ = true;
    tried_.clear();
    return TryNext(error);
  }
  Fail(error);
}

void UpstreamCall::OnSendReady() {
  Progress();
  handler_.OnSendReady();
}

void UpstreamCall::Fail(Error error) {
  state_ = State::kDone;
  failure_.reset();
  timer_.Cancel();
  LeaveConnection();
  handler_.OnError(error);
}

}  // namespace portico::upstream
