#ifndef PORTICO_DATAPLANE_HTTP_CODEC_H_
#define PORTICO_DATAPLANE_HTTP_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/base/arena.h"
#include "dataplane/base/buffer.h"
#include "dataplane/http/limits.h"
#include "dataplane/http/message.h"

namespace portico::http {

// A codec turns the bytes of one connection into events and the connection's messages into bytes. It is sans-I/O: no
// socket, clock or thread. HTTP/1.1 (h1/) and HTTP/2 (h2/) implement the same two interfaces, ServerCodec (we answer)
// and ClientCodec (we ask); an HTTP/1.1 connection is one that has at most one stream open.
//
// Order of the calls, on the server's side:
//   Feed(bytes) → events: OnRequestBegin → OnRequest → OnContent* → OnTrailers? → OnMessageEnd
//   SendResponse(id, 1xx)* → SendResponse(id, head) → SendContent* → SendTrailers? (or end = true at the last one)
//   Produce(out) → write `out` to the socket; call it again after every turn in which anything was sent or consumed
// Events are delivered only from Feed, FeedEnd, Resume and Produce, never from a Send…: so a handler may send from
// inside an event, and may Reset the stream of the event or any other. It must not destroy the codec inside an event.
// After OnReset or after both messages have ended, the id is never used again by either side.
//
// Back-pressure. Receiving: the receiver calls Consumed(id, n) for content that has left (been forwarded or dropped);
// what is not consumed is bounded by Limits::stream_window_bytes (HTTP/2: the stream's flow-control window; HTTP/1.1:
// WantsInput() turns false). Sending: Unsent(id) tells how much of what was sent waits in the codec; stop above a high
// mark of your own; OnSendReady(id) comes from Produce when it has fallen to kSendLowMarkBytes or below after having
// been above. A server may ask TakesMore(id) instead, which knows what all streams of the connection together hold.

using StreamId = uint32_t;

inline constexpr size_t kSendHighMarkBytes = 256 * 1024;  // the sender stops above it: a few writes' worth
inline constexpr size_t kSendLowMarkBytes = 64 * 1024;

// What is wrong with a message from the peer: the status that answers it (server side) and a static text without any of
// the peer's bytes.
struct MessageError {
  int status;  // 400, 408, 413, 414, 417, 431, 501 or 505
  std::string_view detail;
};

// Why a stream ended early.
enum class ResetReason : uint8_t {
  kCancelled,  // the peer is not interested any more, or the other side of the proxy is not
  kRefused,    // not processed at all: safe to send again (REFUSED_STREAM, above GOAWAY's last id)
  kProtocol,   // the peer's message or frame is malformed
  kClosed,     // the connection ended in the middle of the message
  kInternal,   // we failed, or the peer said it did
  kNoError,    // the peer wants no more of our content, its answer is complete (RFC 9113 section 8.1)
  kTooLarge,   // the peer's answer breaks one of our limits
};

// Events common to both sides. The handler is given at construction and outlives the codec.
class CodecEvents {
 public:
  virtual ~CodecEvents() = default;
  virtual void OnContent(StreamId id, base::Slice content) = 0;  // never empty
  virtual void OnTrailers(StreamId id, Fields trailers) = 0;     // then OnMessageEnd follows at once
  virtual void OnMessageEnd(StreamId id) = 0;                    // the peer's message is whole
  virtual void OnReset(StreamId id, ResetReason reason) = 0;     // both directions are over
  virtual void OnSendReady(StreamId id) = 0;
  virtual void OnPeerDrains() {}  // GOAWAY or connection: close: no new streams here; those under way go on
};

class ServerEvents : public CodecEvents {
 public:
  // A request's first byte has come. The head is put into the arena that this returns, which lives until the stream is
  // over (Release… by the handler, after OnReset or after both messages have ended).
  virtual base::Arena& OnRequestBegin(StreamId id) = 0;
  virtual void OnRequest(StreamId id, RequestHead head) = 0;
  // The request is refused by the codec; nothing else comes for it, and the handler answers with SendResponse (and
  // after it HTTP/1.1 closes). Comes after OnRequestBegin, instead of OnRequest or of the rest of the content.
  virtual void OnBadRequest(StreamId id, MessageError error) = 0;
};

class ClientEvents : public CodecEvents {
 public:
  virtual void OnInformational(StreamId id, ResponseHead head) = 0;  // 1xx but 101
  virtual void OnResponse(StreamId id, ResponseHead head) = 0;       // the final one
  // HTTP/2: the peer has said how many streams may be open, so CanSend may be more than it was.
  virtual void OnRoomChanged() {}
};

class Codec {
 public:
  virtual ~Codec() = default;

  // Takes bytes from the peer, all of them. False: the connection is beyond repair; write what Produce gives, then
  // close. error() says why.
  virtual bool Feed(base::Slice input) = 0;
  // The peer has ended its side (FIN, close_notify). Delivers OnMessageEnd for a message that ends so, OnReset(kClosed)
  // for one that is cut short. `clean` is false for a reset or a truncated TLS stream.
  virtual void FeedEnd(bool clean) = 0;
  // Goes on with bytes that were kept back (pipelined requests, content above the window). Call it when a response has
  // ended or content was consumed and the driver is out of the codec.
  virtual bool Resume() = 0;
  // False: leave bytes in the socket for now.
  virtual bool WantsInput() const = 0;
  // True between messages: nothing is under way in either direction, so closing harms nobody.
  virtual bool Idle() const = 0;
  // True when the connection is to be closed once everything produced has been written.
  virtual bool WantsClose() const = 0;
  virtual std::string_view error() const = 0;
  // Offences of the peer less its merits (HTTP/2): above Limits::misbehaviour_max the connection is closed.
  virtual uint32_t misbehaviours() const { return 0; }
  // HTTP/2: how many HEADERS and DATA frames Produce has given so far. A peer that gets only others takes no message.
  virtual uint64_t message_frames() const { return 0; }

  virtual void SendContent(StreamId id, base::Buffer& content, bool end) = 0;  // moves all of `content` in
  virtual void SendTrailers(StreamId id, const Fields& trailers) = 0;          // ends the message
  virtual size_t Unsent(StreamId id) const = 0;
  virtual void Consumed(StreamId id, size_t bytes) = 0;
  // Ends the stream now in both directions; nothing more is delivered for it. HTTP/1.1: WantsClose() becomes true.
  virtual void Reset(StreamId id, ResetReason reason) = 0;
  // Appends bytes for the peer to `out`, as long as `out` holds less than about kSendHighMarkBytes.
  virtual void Produce(base::Buffer& out) = 0;
};

class ServerCodec : public Codec {
 public:
  // A 1xx head may precede the final one. `end`: the response has no content (and for HEAD, 204, 304: is given as
  // true; the answer to a HEAD that the codec refused, whose method nobody was told, ends with its head in any case).
  virtual void SendResponse(StreamId id, const ResponseHead& head, bool end) = 0;
  // False: too much waits on this stream, or on all of the connection's; OnSendReady(id) says when to go on.
  virtual bool TakesMore(StreamId id) { return Unsent(id) <= kSendHighMarkBytes; }
  // No more requests: HTTP/2 sends GOAWAY, first with the highest id as a warning, and with `final` the real last id;
  // HTTP/1.1 says connection: close on the next answer.
  virtual void Drain(bool final) = 0;
  // The client has said that it speaks the protocol (HTTP/2: its preface and SETTINGS are here).
  virtual bool Greeted() const { return true; }
};

class ClientCodec : public Codec {
 public:
  // Opens a stream and sends the head. `arena` takes the response's heads and trailers and outlives the stream.
  // 0: not possible now (see CanSend).
  virtual StreamId SendRequest(const RequestHead& head, bool end, base::Arena& arena) = 0;
  // How many more streams may be opened now: HTTP/1.1: 0 or 1; HTTP/2: within the peer's limit, 0 after its GOAWAY.
  // Until OnRoomChanged it is a guess, and the peer may refuse what goes beyond its limit.
  virtual uint32_t CanSend() const = 0;
};

}  // namespace portico::http

#endif  // PORTICO_DATAPLANE_HTTP_CODEC_H_
