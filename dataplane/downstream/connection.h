#ifndef PORTICO_DATAPLANE_DOWNSTREAM_CONNECTION_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_CONNECTION_H_

#include <memory>
#include <string>
#include <vector>

#include "api/base/arena.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/downstream/exchange_events.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/http/codec.h"
#include "dataplane/net/byte_stream.h"

namespace portico::downstream {

// One client connection.
//
//   kOpening ──OnOpen──▶ kDetecting ──▶ kServing ──▶ kLingering ──▶ kClosed
//   (TLS handshake)      (in clear: the first bytes; with ALPN at once)     from every state: failure, timeout
//
// The owner keeps it until OnClosed; then it dies at the end of the turn.
class Connection final : public event::Deletable,
                         public base::ListLink<struct DownstreamTag>,
                         private event::TurnEnd,
                         private event::Timer::Handler,
                         private net::ByteStream::Handler,
                         private http::ServerEvents {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual std::unique_ptr<ExchangeEvents> NewExchange(Connection& connection, http::StreamId id) = 0;
    // No exchange is left. Hand it to Loop::DeleteLater.
    virtual void OnClosed(Connection& connection) = 0;
  };

  struct Timeouts {
    base::Duration open = std::chrono::seconds(10);  // the TLS handshake
    // From a head's first byte to its last; with HTTP/2 also from the beginning to the client's preface and SETTINGS.
    base::Duration request_head = std::chrono::seconds(10);
    base::Duration idle = std::chrono::hours(1);  // between requests
  };
  static constexpr base::Duration kLinger = std::chrono::seconds(1);
  static constexpr base::Duration kLeave = std::chrono::seconds(30);  // for a client that neither reads nor goes on
  static constexpr int kReadsPerTurnMax = 16;                         // then others have their turn: 256 KiB

  // The owner outlives it. The stream may be open or in its handshake.
  Connection(event::Loop& loop, base::BlockPool& pool, std::unique_ptr<net::ByteStream> stream, Owner& owner,
             std::shared_ptr<const http::Limits> limits, Timeouts timeouts);
  ~Connection() override;

  void SendResponse(http::StreamId id, const http::ResponseHead& head, bool end);  // as in http/codec.h
  void SendContent(http::StreamId id, base::Buffer& content, bool end);
  void SendTrailers(http::StreamId id, const http::Fields& trailers);
  size_t Unsent(http::StreamId id) const { return codec_->Unsent(id); }
  bool TakesMore(http::StreamId id) { return codec_->TakesMore(id); }
  void Consumed(http::StreamId id, size_t bytes);
  // Ends the exchange now, without OnReset. HTTP/1.1: a response that has begun ends in a TCP reset.
  void Reset(http::StreamId id, http::ResetReason reason);

  // No new requests (see README). `final`: the warning has been out long enough; idle connections close.
  void Drain(bool final);
  // HTTP/2: who was warned before this was last called takes no new streams: Drain(true).
  void AgeWarning();
  // Ends every exchange by OnReset(kClosed), and the connection.
  void Close();

  const net::ByteStream& stream() const { return *stream_; }
  size_t exchange_count() const { return exchanges_.size(); }
  bool http2() const { return http2_; }
  // It stands, nothing is under way and nothing is left to be sent: to close it now cuts nothing.
  bool idle() const;
  // Of one that is idle: when it stood first, or when what was under way last had ended.
  base::MonotonicTime idle_since() const { return idle_since_; }
  uint64_t content_bytes() const { return content_bytes_; }  // of all its requests, so far
  uint32_t misbehaviours() const { return codec_ == nullptr ? 0 : codec_->misbehaviours(); }

 private:
  enum class State : uint8_t { kOpening, kDetecting, kServing, kLingering, kClosed };
  enum class DrainStep : uint8_t { kNone, kWarned, kAged, kFinal };
  struct Entry {
    http::StreamId id;
    std::unique_ptr<ExchangeEvents> exchange;
    bool request_ended = false;
    bool response_begun = false;
    bool response_ended = false;
  };

  // net::ByteStream::Handler
  void OnOpen(bool ok) override;
  void OnReadable() override;
  void OnWritable() override;
  // http::ServerEvents
  base::Arena& OnRequestBegin(http::StreamId id) override;
  void OnRequest(http::StreamId id, http::RequestHead head) override;
  void OnBadRequest(http::StreamId id, http::MessageError error) override;
  void OnContent(http::StreamId id, base::Slice content) override;
  void OnTrailers(http::StreamId id, http::Fields trailers) override;
  void OnMessageEnd(http::StreamId id) override;
  void OnReset(http::StreamId id, http::ResetReason reason) override;
  void OnSendReady(http::StreamId id) override;

  void OnTurnEnd() override;
  void OnTimer(event::Timer& timer) override;

  void Begin();
  bool Detect(base::Slice& input);
  void Serve(bool http2);
  void Drive();
  void ReadSome();
  bool ReadOnce();
  void TakeInput(base::Slice input);
  bool Flush();
  void FinishOrWait();
  bool AnswersAreDue() const;
  bool CutsResponse() const;
  bool Unread() const;
  void AwaitRequest();
  void Linger();
  void ResetExchanges();
  void AnswerLateHead();
  Entry* Find(http::StreamId id);
  void RetireIfEnded(http::StreamId id);
  std::unique_ptr<ExchangeEvents> Take(http::StreamId id);

  event::Loop& loop_;
  base::BlockPool& pool_;
  std::unique_ptr<net::ByteStream> stream_;
  Owner& owner_;
  const std::shared_ptr<const http::Limits> limits_;
  const Timeouts timeouts_;
  event::Timer timer_;
  std::unique_ptr<http::ServerCodec> codec_;
  std::vector<Entry> exchanges_;  // one for HTTP/1.1, at most Limits::streams_max for HTTP/2
  base::Buffer output_;
  uint64_t message_frames_ = 0;  // HTTP/2: seen leaving the codec
  uint64_t content_bytes_ = 0;   // received
  base::MonotonicTime idle_since_{};
  std::string first_bytes_;       // while detecting: a prefix of HTTP/2's preface, at most 4 bytes
  http::StreamId late_head_ = 0;  // the stream whose head is not whole yet; 0: none
  State state_ = State::kOpening;
  bool http2_ = false;
  bool must_read_ = false;       // the timer is short, since the client has not read everything
  bool output_answers_ = false;  // some of the output is of an answer, not only of the protocol's own frames
  bool readable_ = false;
  bool writable_ = false;
  bool read_ahead_ = false;
  DrainStep drain_ = DrainStep::kNone;
  bool close_after_flush_ = false;
  bool abort_ = false;    // a response was cut short
  bool leaving_ = false;  // only the client's reading, or the rest of its request, is waited for; the timer bounds it
};

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_CONNECTION_H_
