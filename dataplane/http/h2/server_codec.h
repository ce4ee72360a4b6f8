#ifndef PORTICO_DATAPLANE_HTTP_H2_SERVER_CODEC_H_
#define PORTICO_DATAPLANE_HTTP_H2_SERVER_CODEC_H_

#include <memory>

#include "dataplane/http/codec.h"

namespace portico::http::h2 {

class ServerSession;

// The server's side of an HTTP/2 connection (RFC 9113), over nghttp2. The calls and their order are those of
// http::ServerCodec; the client's connection preface comes in through Feed like all else. What is particular to HTTP/2:
//
// - A response that is complete before its request: the codec sends RST_STREAM(NO_ERROR) after it (section 8.1) and
//   delivers OnReset(kNoError).
// - OnReset for a malformed request (section 8.1.1) is delivered from the next Produce, with its RST_STREAM.
// - No event comes for a stream once OnMessageEnd (or OnBadRequest) was delivered and the handler has said the end.
// - Heads and trailers are copied when they are sent: their arena may end right after the call.
// - Drain(false) warns with GOAWAY(2^31-1), Drain(true) closes the door behind the last request that was taken.
//
// `events` and `pool` outlive the codec. One thread.
class ServerCodec final : public http::ServerCodec {
 public:
  // `pool`, if there is one, gives the blocks into which small pieces of waiting content are copied.
  ServerCodec(ServerEvents& events, const Limits& limits, base::BlockPool* pool = nullptr);
  ~ServerCodec() override;

  bool Feed(base::Slice input) override;
  void FeedEnd(bool clean) override;
  bool Resume() override;
  bool WantsInput() const override;
  bool Idle() const override;
  bool WantsClose() const override;
  std::string_view error() const override;
  void SendContent(StreamId id, base::Buffer& content, bool end) override;
  void SendTrailers(StreamId id, const Fields& trailers) override;
  size_t Unsent(StreamId id) const override;
  bool TakesMore(StreamId id) override;
  void Consumed(StreamId id, size_t bytes) override;
  void Reset(StreamId id, ResetReason reason) override;
  void Produce(base::Buffer& out) override;
  void SendResponse(StreamId id, const ResponseHead& head, bool end) override;
  void Drain(bool final) override;
  uint32_t misbehaviours() const override;
  uint64_t message_frames() const override;
  bool Greeted() const override;

 private:
  std::unique_ptr<ServerSession> session_;
};

}  // namespace portico::http::h2

#endif  // PORTICO_DATAPLANE_HTTP_H2_SERVER_CODEC_H_
