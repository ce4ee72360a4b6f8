#ifndef PORTICO_DATAPLANE_HTTP_H1_SERVER_CODEC_H_
#define PORTICO_DATAPLANE_HTTP_H1_SERVER_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/base/buffer.h"
#include "dataplane/http/codec.h"
#include "dataplane/http/h1/content_reader.h"
#include "dataplane/http/h1/input_queue.h"
#include "dataplane/http/h1/line_reader.h"
#include "dataplane/http/h1/message_writer.h"

namespace portico::http::h1 {

// HTTP/1.1 as a server (RFC 9112); for the calls see codec.h. Two small machines, one for each direction:
//
//   request:  kIdle ─byte→ kStartLine → kFields → kContent → kEnded ─response ended, Resume or Feed→ kIdle
//               └─CR→ kEmptyLine ─LF→ kIdle, once     from any state: bad, reset, cut short → kOver (input is dropped)
//   response: kNone ─SendResponse(final)→ kStarted ─end→ kEnded
//
// Requests that come early (pipelining) wait, unparsed, until the response has ended, no more than kSendHighMarkBytes
// of it and those before it are unsent, and Resume is called. If the response ends before the request's content has
// come, the content is dropped up to kDiscardBytesMax, so that the connection can go on; OnMessageEnd still comes.
// Beyond that, or when the client waits for a 100 that never came, the connection closes (OnReset(kNoError) from
// Produce or Feed). A response that breaks its content-length closes the connection: OnReset(kInternal) from Produce.
class ServerCodec final : public http::ServerCodec {
 public:
  static constexpr uint64_t kDiscardBytesMax = 64 * 1024;  // cheaper than a new connection with a TLS handshake

  // `scheme` ("http" or "https") is the connection's, a literal. `pool` may be nullptr. All outlive the codec.
  ServerCodec(const Limits& limits, ServerEvents& events, base::BlockPool* pool, std::string_view scheme);
  ServerCodec(const ServerCodec&) = delete;
  ServerCodec& operator=(const ServerCodec&) = delete;

  bool Feed(base::Slice input) override;
  void FeedEnd(bool clean) override;
  bool Resume() override;
  bool WantsInput() const override;
  bool Idle() const override;
  bool WantsClose() const override;
  std::string_view error() const override { return error_; }
  void SendContent(StreamId id, base::Buffer& content, bool end) override;
  void SendTrailers(StreamId id, const Fields& trailers) override;
  size_t Unsent(StreamId id) const override { return writer_.unsent_bytes(); }
  void Consumed(StreamId id, size_t bytes) override;
  void Reset(StreamId id, ResetReason reason) override;
  void Produce(base::Buffer& out) override;
  void SendResponse(StreamId id, const ResponseHead& head, bool end) override;
  void Drain(bool final) override;

 private:
  enum class RequestState : uint8_t { kIdle, kEmptyLine, kStartLine, kFields, kContent, kEnded, kOver };
  enum class ResponseState : uint8_t { kNone, kStarted, kEnded };

  bool Process();
  bool Step();  // false: no progress without more input or another call
  bool ReadIdle();
  bool ReadEmptyLine();
  bool ReadStartLine();
  bool ReadFields();
  bool ReadContent();
  void BeginRequest();
  void TakeFields(std::string_view section);
  void EndRequest();
  void TakeEnd();
  void BadRequest(MessageError error);
  // The connection ends here; the handler is told unless its exchange is over already.
  void Over(ResetReason reason);
  void EndResponse();
  void FailResponse();
  bool IsCurrent(StreamId id) const { return in_exchange_ && id == id_; }
  bool BothEnded() const { return request_ == RequestState::kEnded && response_ == ResponseState::kEnded; }
  size_t Room() const;

  const Limits& limits_;
  ServerEvents& events_;
  const std::string_view scheme_;
  InputQueue input_;
  LineReader lines_;
  ContentReader content_;
  MessageWriter writer_;
  base::Arena* arena_ = nullptr;     // of the request under way
  std::optional<RequestHead> head_;  // while it is being read
  RequestState request_ = RequestState::kIdle;
  ResponseState response_ = ResponseState::kNone;
  StreamId id_ = 0;
  bool in_exchange_ = false;  // the handler knows id_ and has not seen its end
  bool empty_line_skipped_ = false;
  bool to_head_ = false;
  bool to_http10_ = false;
  bool awaits_continue_ = false;  // the client holds its content back until a 100
  bool close_ = false;            // no request after this one
  bool drains_ = false;           // the next answer says close
  bool end_received_ = false;
  bool in_process_ = false;
  std::optional<ResetReason> reset_due_;  // to be told from Produce
  size_t unconsumed_bytes_ = 0;
  uint64_t discarded_bytes_ = 0;
  std::string_view error_;
};

}  // namespace portico::http::h1

#endif  // PORTICO_DATAPLANE_HTTP_H1_SERVER_CODEC_H_
