#ifndef PORTICO_DATAPLANE_DOWNSTREAM_RELAY_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_RELAY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "dataplane/base/buffer.h"
#include "dataplane/call/call.h"
#include "dataplane/downstream/connection.h"
#include "dataplane/http/message.h"

namespace portico::downstream {

// The two half-pipes between a client and an origin, each with its own state, because HTTP is full duplex: an origin
// may answer before it has the whole request.
//
//   request:   kHeld ──Start──▶ kForwarded ──▶ kEnded         from each: ──▶ kDropped, nobody wants the content any
//   more response:  kAwaited ──head──▶ kStreaming ──▶ kEnded
//
// Content that comes before Start is held and not given back to the client's window, which bounds it. After Start,
// whatever the slow side does not take is not given back to the fast side's window: neither can fill our memory.
//
// The exchange owns it and feeds it the client's side; it sends to the connection itself.
class Relay final : private call::CallHandler {
 public:
  class Delegate {
   public:
    // Content moved, in either direction.
    virtual void OnProgress() = 0;
    // The final response's head, to be edited; it goes to the client when this returns.
    virtual void OnOriginHead(http::ResponseHead& head) = 0;
    // The response has gone to the client whole; or there will be none, or no more of one (response_begun()). The call
    // is over.
    virtual void OnResponseEnd() = 0;
    virtual void OnOriginError(const call::Error& error) = 0;

   protected:
    ~Delegate() = default;
  };

  // Both outlive it; the connection as far as it is not Cancelled.
  Relay(Connection& connection, http::StreamId id, Delegate& delegate);

  // What comes from the client. `trailers` live as long as the relay.
  void TakeContent(base::Slice content);
  void TakeTrailers(http::Fields trailers);
  void TakeEnd();
  // The client's connection takes more of the response.
  void ClientReady();

  // Asks the origin; once. What `request` names outlives the relay. `request.end` says that the request's head is all
  // of it; this sets it also where the end has come meanwhile.
  void Start(call::Backend& backend, call::CallRequest request);
  // What is held and what will come is nobody's, the call is cancelled.
  void Cancel();

  // True if somebody took, since the last look, of what waits for them. A slow reader is no silence, and between two
  // marks nobody tells of it; the call, which counts its own silence, hears of it here.
  bool Drained();

  bool response_begun() const { return response_ != ResponsePipe::kAwaited; }
  bool request_ended() const { return request_ended_; }
  // What came of the request's content is not taken further: that there is no more is not the client's fault.
  bool client_waits() const { return owed_to_client_ > 0; }
  // The same, at any time since this was called last.
  bool TakeHeldBack() { return std::exchange(was_held_back_, client_waits()) || client_waits(); }
  // What has come of the request's trailers; they go to the origin with the request's end.
  std::optional<http::Fields>& trailers() { return trailers_; }
  uint64_t received_bytes() const { return received_bytes_; }  // content of the request
  uint64_t sent_bytes() const { return sent_bytes_; }          // content of the response
  // Of the call; empty before Start and after Cancel.
  call::CallFacts facts() const { return call_ == nullptr ? call::CallFacts() : call_->facts(); }

 private:
  enum class RequestPipe : uint8_t { kHeld, kForwarded, kEnded, kDropped };
  enum class ResponsePipe : uint8_t { kAwaited, kStreaming, kEnded };

  // call::CallHandler: what comes from the origin.
  void OnInformational(const http::ResponseHead& head) override;
  void OnResponse(http::ResponseHead head) override;
  void OnContent(base::Slice content) override;
  void OnTrailers(http::Fields trailers) override;
  void OnEnd() override;
  void OnError(const call::Error& error) override;
  void OnSendReady() override;

  void SendHeld();
  void GiveBackToClient();
  void GiveBackToOrigin();

  Connection& connection_;
  const http::StreamId id_;
  Delegate& delegate_;
  RequestPipe request_ = RequestPipe::kHeld;
  ResponsePipe response_ = ResponsePipe::kAwaited;
  bool request_ended_ = false;
  base::Buffer held_;
  std::optional<http::Fields> trailers_;
  size_t owed_to_client_ = 0;   // received and not yet given back to the window
  bool was_held_back_ = false;  // that was more than nothing once
  size_t owed_to_origin_ = 0;
  bool call_over_ = false;   // it has said its end
  size_t waiting_seen_ = 0;  // by Drained, in both directions
  uint64_t received_bytes_ = 0;
  uint64_t sent_bytes_ = 0;
  std::unique_ptr<call::Call> call_;
};

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_RELAY_H_
