#include "dataplane/downstream/relay.h"

#include <utility>

#include "api/base/check.h"

namespace portico::downstream {

Relay::Relay(Connection& connection, http::StreamId id, Delegate& delegate)
    : connection_(connection), id_(id), delegate_(delegate) {}

void Relay::TakeContent(base::Slice content) {
  received_bytes_ += content.size();
  if (request_ == RequestPipe::kDropped) return connection_.Consumed(id_, content.size());
  owed_to_client_ += content.size();
  base::Buffer piece;
  piece.Append(std::move(content));
  if (request_ == RequestPipe::kHeld) return held_.MoveFrom(piece);
  call_->SendContent(piece, false);
  GiveBackToClient();
  delegate_.OnProgress();
}

void Relay::TakeTrailers(http::Fields trailers) {
  trailers_.emplace(std::move(trailers));
}

void Relay::TakeEnd() {
  request_ended_ = true;
  if (request_ != RequestPipe::kForwarded) return;
  SendHeld();
}

void Relay::Start(call::Backend& backend, call::CallRequest request) {
  PORTICO_CHECK(call_ == nullptr && request_ == RequestPipe::kHeld);
  request.end = request.end || (request_ended_ && held_.empty() && !trailers_);
  call_ = backend.Start(request, *this);
  request_ = request.end ? RequestPipe::kEnded : RequestPipe::kForwarded;
  if (!request.end) SendHeld();
}

// What has come so far, and the request's end if it is there.
void Relay::SendHeld() {
  const bool ends_with_content = request_ended_ && !trailers_;
  if (!held_.empty() || ends_with_content) call_->SendContent(held_, ends_with_content);
  if (request_ended_ && trailers_) call_->SendTrailers(*trailers_);
  if (request_ended_) request_ = RequestPipe::kEnded;
  GiveBackToClient();
}

void Relay::Cancel() {
  request_ = RequestPipe::kDropped;
  held_.Clear();
  connection_.Consumed(id_, std::exchange(owed_to_client_, 0));
  // A call whose response is whole is about to end by itself: to drop it before it says so would cost its connection.
  if (response_ != ResponsePipe::kEnded || call_over_) call_.reset();
}

void Relay::GiveBackToClient() {
  if (owed_to_client_ == 0 || call_ == nullptr) return;
  if (call_->Unsent() > http::kSendHighMarkBytes) {
    was_held_back_ = true;
    return;
  }
  connection_.Consumed(id_, std::exchange(owed_to_client_, 0));
}

void Relay::GiveBackToOrigin() {
  if (owed_to_origin_ == 0 || call_ == nullptr || !connection_.TakesMore(id_)) return;
  call_->Consumed(std::exchange(owed_to_origin_, 0));
}

bool Relay::Drained() {
  const size_t waiting = connection_.Unsent(id_) + (call_ == nullptr ? 0 : call_->Unsent());
  const bool drained = std::exchange(waiting_seen_, waiting) > waiting;
  if (drained && call_ != nullptr) call_->Consumed(0);
  return drained;
}

void Relay::ClientReady() {
  if (call_ == nullptr) return;
  GiveBackToOrigin();
  delegate_.OnProgress();
}

void Relay::OnSendReady() {
  GiveBackToClient();
  delegate_.OnProgress();
}

// 100 is between this proxy and each side; 101 nobody asked for.
void Relay::OnInformational(const http::ResponseHead& head) {
  delegate_.OnProgress();
  if (head.status > 101) connection_.SendResponse(id_, head, false);
}

void Relay::OnResponse(http::ResponseHead head) {
  response_ = ResponsePipe::kStreaming;
  delegate_.OnOriginHead(head);
  const bool ends = head.framing.ends_with_head;
  if (ends) response_ = ResponsePipe::kEnded;
  connection_.SendResponse(id_, head, ends);
  if (ends) delegate_.OnResponseEnd();
}

void Relay::OnContent(base::Slice content) {
  if (response_ == ResponsePipe::kEnded) return;
  sent_bytes_ += content.size();
  owed_to_origin_ += content.size();
  base::Buffer piece;
  piece.Append(std::move(content));
  connection_.SendContent(id_, piece, false);
  GiveBackToOrigin();
  delegate_.OnProgress();
}

void Relay::OnTrailers(http::Fields trailers) {
  if (response_ == ResponsePipe::kEnded) return;
  response_ = ResponsePipe::kEnded;
  connection_.SendTrailers(id_, trailers);
  delegate_.OnResponseEnd();
}

void Relay::OnEnd() {
  call_over_ = true;
  if (response_ == ResponsePipe::kEnded) return;
  response_ = ResponsePipe::kEnded;
  base::Buffer nothing;
  connection_.SendContent(id_, nothing, true);
  delegate_.OnResponseEnd();
}

void Relay::OnError(const call::Error& error) {
  if (response_ != ResponsePipe::kEnded) delegate_.OnOriginError(error);
}

}  // namespace portico::downstream
