#ifndef PORTICO_DATAPLANE_GRPC_STREAM_H_
#define PORTICO_DATAPLANE_GRPC_STREAM_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/time.h"
#include "dataplane/call/call.h"
#include "dataplane/grpc/message_framing.h"
#include "dataplane/grpc/status.h"
#include "dataplane/http/message.h"

namespace portico::grpc {

class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  virtual void OnMessage(std::string message) = 0;
  // The last that is heard, exactly once unless the stream is destroyed before. After every message, if the call ended
  // as calls end; at once if it failed.
  virtual void OnEnd(Status status) = 0;
  virtual void OnSendReady() {}  // what waits to be sent has become little again
};

// What is called. The texts are copied.
struct StreamRequest {
  std::string_view path;       // "/package.Service/Method"
  std::string_view authority;  // "control.example:9901"
  std::string_view user_agent = "grpc-portico";
  // Names in lower case; the value of one that ends in -bin is base64 already.
  std::vector<std::pair<std::string, std::string>> metadata = {};
  // Of the whole call, told to the server (grpc-timeout); nullopt: only the backend's timeouts without progress bind.
  std::optional<base::Duration> timeout = std::nullopt;
};

// One call of any kind: a unary one is Send, HalfClose, one OnMessage, OnEnd.
//
//   Stream stream(backend, request, handler);          // the handler hears nothing before it returns
//   stream.Send(message)… → stream.HalfClose()
//   handler: OnMessage* → OnEnd
//   destroy it: at any time, inside a callback too; cancels the call if that is under way, and nothing is heard any
//   more
//
// Back-pressure. Sending: stop above http::kSendHighMarkBytes of Unsent(), go on at OnSendReady. Receiving: between
// Pause() and Resume() no message is delivered, and what has come meanwhile is not given back to the backend, whose
// window then holds the server up; a message that is not whole is, since its size is bounded by itself.
class Stream final : private call::CallHandler {
 public:
  static constexpr size_t kMessageBytesMax = 4 << 20;  // what gRPC's own clients take

  // `backend` and `handler` outlive the stream.
  Stream(call::Backend& backend, const StreamRequest& request, StreamHandler& handler,
         size_t message_bytes_max = kMessageBytesMax);
  ~Stream() override;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Not after HalfClose. After the end it is dropped.
  void Send(std::string_view message);
  void HalfClose();
  size_t Unsent() const { return call_ == nullptr ? 0 : call_->Unsent(); }

  void Pause() { paused_ = true; }
  // May call the handler before it returns, unless it is called in a callback.
  void Resume();

 private:
  void OnInformational(const http::ResponseHead&) override {}
  void OnResponse(http::ResponseHead head) override;
  void OnContent(base::Slice content) override;
  void OnTrailers(http::Fields trailers) override;
  void OnEnd() override;
  void OnError(const call::Error& error) override;
  void OnSendReady() override { handler_.OnSendReady(); }

  void MakeHead(const StreamRequest& request);
  // Delivers what is whole, then the end if there is one. The last act of whoever calls it: it may destroy the stream.
  void Deliver();
  void Fail(Status status);

  StreamHandler& handler_;
  base::Arena arena_;
  http::RequestHead head_;
  MessageReader reader_;
  base::Buffer unread_;  // not given back yet
  int http_status_ = 0;
  std::optional<Status> status_;  // as the server says, not delivered yet
  bool ended_ = false;            // no more comes from below
  bool told_ = false;             // the handler was told of the end
  bool paused_ = false;
  bool* destroyed_ = nullptr;  // set while messages are being delivered: where to tell that the stream is gone
  std::unique_ptr<call::Call> call_;
};

}  // namespace portico::grpc

#endif  // PORTICO_DATAPLANE_GRPC_STREAM_H_
