#ifndef PORTICO_DATAPLANE_DOWNSTREAM_EXCHANGE_EVENTS_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_EXCHANGE_EVENTS_H_

#include "api/base/arena.h"
#include "dataplane/base/buffer.h"
#include "dataplane/event/loop.h"
#include "dataplane/http/codec.h"

namespace portico::downstream {

// One request with its response (RFC 9110 section 3.4), as its connection sees it. After OnReset, or once it has sent
// the response's end and heard the request's, nothing more comes and it is destroyed at the end of the turn.
class ExchangeEvents : public event::Deletable {
 public:
  // Where the request's head goes; lives as long as the exchange.
  virtual base::Arena& arena() = 0;
  virtual void OnRequest(http::RequestHead head) = 0;
  // Instead of OnRequest, or of the rest of the content: answer with Connection::SendResponse; nothing else comes.
  virtual void OnBadRequest(http::MessageError error) = 0;
  virtual void OnContent(base::Slice content) = 0;
  virtual void OnTrailers(http::Fields trailers) = 0;
  virtual void OnRequestEnd() = 0;
  virtual void OnReset(http::ResetReason reason) = 0;
  virtual void OnSendReady() = 0;
};

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_EXCHANGE_EVENTS_H_
