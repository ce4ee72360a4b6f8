#ifndef PORTICO_DATAPLANE_HTTP_H1_CLIENT_CODEC_H_
#define PORTICO_DATAPLANE_HTTP_H1_CLIENT_CODEC_H_

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

// HTTP/1.1 as a client (RFC 9112); for the calls see codec.h. One request at a time, no pipelining.
//
//   response: kIdle ─SendRequest→ kStatusLine → kFields ─final→ kContent → kEnded ─request ended→ kIdle
//                                     └────1xx────┘         from any state: bad, reset, cut short → kOver
//   request:  kNone ─SendRequest→ kStarted ─end→ kEnded
//
// A byte that comes when no response is due ends the connection: the next response would be mistaken for the answer to
// another request (queue poisoning). A response that ends while the request is still being sent is whole; the rest of
// the request may be sent or Reset, and the connection is not used again. A request that breaks its content-length:
// OnReset(kInternal) from Produce.
class ClientCodec final : public http::ClientCodec {
 public:
  // `pool` may be nullptr. All outlive the codec.
  ClientCodec(const Limits& limits, ClientEvents& events, base::BlockPool* pool);
  ClientCodec(const ClientCodec&) = delete;
  ClientCodec& operator=(const ClientCodec&) = delete;

  bool Feed(base::Slice input) override;
  void FeedEnd(bool clean) override;
  bool Resume() override { return Process(); }
  bool WantsInput() const override;
  bool Idle() const override;
  bool WantsClose() const override { return close_ && !in_exchange_; }
  std::string_view error() const override { return error_; }
  void SendContent(StreamId id, base::Buffer& content, bool end) override;
  void SendTrailers(StreamId id, const Fields& trailers) override;
  size_t Unsent(StreamId id) const override { return writer_.unsent_bytes(); }
  void Consumed(StreamId id, size_t bytes) override;
  void Reset(StreamId id, ResetReason reason) override;
  void Produce(base::Buffer& out) override;
  StreamId SendRequest(const RequestHead& head, bool end, base::Arena& arena) override;
  uint32_t CanSend() const override;

 private:
  enum class ResponseState : uint8_t { kIdle, kStatusLine, kFields, kContent, kEnded, kOver };
  enum class RequestState : uint8_t { kNone, kStarted, kEnded };

  bool Process();
  bool Step();  // false: no progress without more input or another call
  bool ReadLines();
  void TakeStatusLine(std::string_view line);
  void TakeFields(std::string_view section);
  bool ReadContent();
  void BeginStatusLine();
  void EndResponse();
  void TakeEnd();
  void EndRequest();
  void EndExchange();
  void FailRequest(std::string_view detail);
  void Fail(ResetReason reason, std::string_view detail);
  void Over(ResetReason reason);
  bool IsCurrent(StreamId id) const { return in_exchange_ && id == id_; }
  size_t Room() const;

  const Limits& limits_;
  ClientEvents& events_;
  InputQueue input_;
  LineReader lines_;
  ContentReader content_;
  MessageWriter writer_;
  base::Arena* arena_ = nullptr;
  std::optional<ResponseHead> head_;  // while it is being read
  ResponseState response_ = ResponseState::kIdle;
  RequestState request_ = RequestState::kNone;
  StreamId id_ = 0;
  bool in_exchange_ = false;
  bool to_head_ = false;
  bool close_ = false;
  bool end_received_ = false;
  bool in_process_ = false;
  std::optional<ResetReason> reset_due_;  // to be told from Produce
  size_t informational_count_ = 0;
  size_t unconsumed_bytes_ = 0;
  std::string_view error_;
};

}  // namespace portico::http::h1

#endif  // PORTICO_DATAPLANE_HTTP_H1_CLIENT_CODEC_H_
