#ifndef PORTICO_DATAPLANE_CALL_CALL_H_
#define PORTICO_DATAPLANE_CALL_CALL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "dataplane/base/buffer.h"
#include "dataplane/base/time.h"
#include "dataplane/call/error.h"
#include "dataplane/call/retry.h"
#include "dataplane/call/spans.h"
#include "dataplane/http/message.h"

namespace portico::call {

// A request to a backend and its streamed response. Order:
//
//   call = backend.Start(request, handler)            // never calls the handler before it returns
//   call->SendContent… → SendContent(end) or SendTrailers          (unless request.end)
//   handler: OnInformational* → OnResponse → OnContent* → OnTrailers? → OnEnd
//            or, at any point instead of the rest, OnError
//   destroy the call: at any time, inside a callback too; cancels whatever is under way, and nothing is heard any more
//
// The response may be whole before the request is; then what is still sent is dropped, and Unsent() is 0.
// Back-pressure as in http/codec.h: stop above http::kSendHighMarkBytes unsent, go on at OnSendReady; give received
// content back with Consumed.
class CallHandler {
 public:
  virtual ~CallHandler() = default;
  virtual void OnInformational(const http::ResponseHead& head) = 0;
  virtual void OnResponse(http::ResponseHead head) = 0;  // if framing.ends_with_head, OnEnd follows
  virtual void OnContent(base::Slice content) = 0;
  virtual void OnTrailers(http::Fields trailers) = 0;
  virtual void OnEnd() = 0;
  virtual void OnError(const Error& error) = 0;
  virtual void OnSendReady() = 0;
};

struct CallRequest {
  const http::RequestHead* head = nullptr;  // ready for the wire; outlives the call
  bool end = true;                          // no content follows
  base::Arena* arena = nullptr;             // for the response's heads; outlives the call
  // A bound on the whole attempt (timeouts.backendRequest); nullopt: none, only the timeouts without progress bind.
  std::optional<base::Duration> attempt_timeout;
  // Tried again as its plan says; nullopt: only what is safe anyway. Of an answer that is tried again nothing is heard.
  std::optional<Retry> retry = std::nullopt;
  SpanPlace span = {};  // written with each attempt
};

// What the log wants to know of a call.
struct CallFacts {
  std::string_view endpoint;  // "127.0.0.1:9001" of the last attempt; lives as long as the call
  int attempts = 0;
  bool reused_connection = false;
  std::string_view cache = {};  // what the cache had to do with it (dataplane/cache); static, "" nothing
  // Why it was tried again, and why not once more: "503, connection_terminated, over_budget". Lives as long as the
  // call.
  std::string_view retries = {};
  // How long the last attempt waited for its connection, and then for the head of its answer; and how long the call had
  // taken before, with the pauses.
  base::Duration before{}, connect{}, origin{};
};

class Call {
 public:
  virtual ~Call() = default;
  virtual void SendContent(base::Buffer& content, bool end) = 0;  // moves all of it
  virtual void SendTrailers(const http::Fields& trailers) = 0;
  virtual size_t Unsent() const = 0;
  virtual void Consumed(size_t bytes) = 0;
  virtual CallFacts facts() const = 0;
};

// One cluster as one worker sees it.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;  // "default/orders", for logs and metrics
  virtual std::unique_ptr<Call> Start(const CallRequest& request, CallHandler& handler) = 0;
};

}  // namespace portico::call

#endif  // PORTICO_DATAPLANE_CALL_CALL_H_
