#ifndef PORTICO_DATAPLANE_UPSTREAM_CONNECTION_H_
#define PORTICO_DATAPLANE_UPSTREAM_CONNECTION_H_

#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/base/buffer.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/call/error.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/http/codec.h"
#include "dataplane/net/byte_stream.h"
#include "dataplane/upstream/stream_security.h"

namespace portico::upstream {

// One connection to an endpoint: moves bytes between stream and codec, and events from the codec to whoever owns the
// stream id. It knows no request: that is UpstreamCall's.
//
//   kConnecting → kOpen → kClosed            (kConnecting → kClosed: connect failed or timed out)
//          └→ kGreeting ↗                    HTTP/2: until the origin's SETTINGS say how many streams it takes
//
// The endpoint owns it until it is closed; then it removes itself (Owner::OnClosed) and dies at the end of the turn.
class Connection final : public event::Deletable,
                         public base::ListLink<struct ConnectionTag>,
                         private event::TurnEnd,
                         private event::Timer::Handler,
                         private net::ByteStream::Handler,
                         private http::ClientEvents {
 public:
  // Who has a stream open on the connection; at most one event after another, none after OnStreamError or OnEnd.
  class StreamOwner {
   public:
    virtual ~StreamOwner() = default;
    // The request is about to leave: content sent by now goes along with its head. Until then the origin can't know of
    // it, and an end of the connection is a retry-safe error. Calls nobody but the connection.
    virtual void OnSending() = 0;
    virtual void OnInformational(const http::ResponseHead& head) = 0;
    virtual void OnResponse(http::ResponseHead head) = 0;
    virtual void OnContent(base::Slice content) = 0;
    virtual void OnTrailers(http::Fields trailers) = 0;
    virtual void OnEnd() = 0;
    virtual void OnStreamError(const call::Error& error) = 0;
    virtual void OnSendReady() = 0;
  };

  class Owner {
   public:
    virtual ~Owner() = default;
    // The connection stands. CanSend() tells if it may be used: not if it was drained on its way.
    virtual void OnOpened(Connection& connection) = 0;
    // It may take a (further) request now: a stream has ended. `Idle()` tells if none is left.
    virtual void OnAvailable(Connection& connection) = 0;
    // It is gone; its streams have heard so already. `opened` is false if it never stood.
    virtual void OnClosed(Connection& connection, bool opened, const call::Error& error) = 0;
  };

  struct Terms {
    base::Duration connect_timeout;
    base::Duration idle_timeout;
    bool http2;  // what the codec speaks; over TLS the origin must have agreed to it (ALPN)
    std::shared_ptr<const StreamSecurity> security = nullptr;  // that wrapped the stream
  };

  Connection(event::Loop& loop, base::BlockPool& pool, std::unique_ptr<net::ByteStream> stream, Owner& owner,
             Terms terms);
  ~Connection() override;

  // The codec comes once, before the connection opens: which one is the cluster's choice.
  void SetCodec(std::unique_ptr<http::ClientCodec> codec) { codec_ = std::move(codec); }
  http::ClientEvents& events() { return *this; }

  // Requests that may be sent now.
  uint32_t CanSend() const { return state_ == State::kOpen && !draining_ ? codec_->CanSend() : 0; }
  bool Idle() const { return streams_.empty(); }
  bool draining() const { return draining_; }
  bool used() const { return used_; }  // has carried a request before

  // 0: refused. The arena and the owner outlive the stream.
  http::StreamId Send(const http::RequestHead& head, bool end, base::Arena& arena, StreamOwner& owner);
  void SendContent(http::StreamId id, base::Buffer& content, bool end);
  void SendTrailers(http::StreamId id, const http::Fields& trailers);
  size_t Unsent(http::StreamId id) const { return codec_->Unsent(id); }
  void Consumed(http::StreamId id, size_t bytes);
  // The owner wants to hear no more of the stream.
  void Cancel(http::StreamId id);
  // No new requests; closes when the last stream has ended.
  void Drain();
  // For a cluster that goes: closes now.
  void Close(const call::Error& error);

 private:
  enum class State : uint8_t { kConnecting, kGreeting, kOpen, kClosed };
  struct Stream {
    http::StreamId id;
    StreamOwner* owner;
    bool heard = false;     // a byte of the response has come
    bool sent_end = false;  // the request is whole
    bool sending = false;   // some of it may have left
  };

  // net::ByteStream::Handler
  void OnOpen(bool ok) override;
  void OnReadable() override;
  void OnWritable() override;
  // http::ClientEvents
  void OnInformational(http::StreamId id, http::ResponseHead head) override;
  void OnResponse(http::StreamId id, http::ResponseHead head) override;
  void OnContent(http::StreamId id, base::Slice content) override;
  void OnTrailers(http::StreamId id, http::Fields trailers) override;
  void OnMessageEnd(http::StreamId id) override;
  void OnReset(http::StreamId id, http::ResetReason reason) override;
  void OnSendReady(http::StreamId id) override;
  void OnPeerDrains() override;
  void OnRoomChanged() override { freed_ = greeted_ = true; }
  void OnTurnEnd() override;
  void OnTimer(event::Timer& timer) override;

  Stream* Find(http::StreamId id);
  void MarkSent(http::StreamId id);
  StreamOwner* TakeOwner(http::StreamId id);
  void ReadAll();
  bool ReadOnce();
  bool Flush();
  void BeginSending();
  void Drive();
  void AfterEvents();
  bool alive() const { return state_ == State::kGreeting || state_ == State::kOpen; }
  void Opened();
  void FinishGreeting();
  std::string_view WrongProtocol() const;
  call::Error ErrorOf(http::ResetReason reason, const Stream& stream) const;
  void CloseMalformed();

  event::Loop& loop_;
  base::BlockPool& pool_;
  std::unique_ptr<net::ByteStream> stream_;
  std::unique_ptr<http::ClientCodec> codec_;
  Owner& owner_;
  const Terms terms_;
  event::Timer timer_;
  std::vector<Stream> streams_;  // few: one for HTTP/1.1, at most the peer's limit for HTTP/2
  base::Buffer output_;
  State state_ = State::kConnecting;
  call::Error end_{call::ErrorKind::kConnectionTerminated, false, "the origin closed before its response"};
  bool heard_ = false;  // a byte has come
  bool readable_ = false;
  bool writable_ = false;
  bool draining_ = false;
  bool used_ = false;
  bool new_streams_ = false;  // some are not being sent yet
  bool freed_ = false;        // a stream has ended since the owner was told
  bool greeted_ = false;      // HTTP/2: SETTINGS have come
};

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_CONNECTION_H_
