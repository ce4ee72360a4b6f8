#ifndef PORTICO_DATAPLANE_HTTP_H2_CLIENT_CODEC_H_
#define PORTICO_DATAPLANE_HTTP_H2_CLIENT_CODEC_H_

#include <memory>

#include "dataplane/http/codec.h"

namespace portico::http::h2 {

class ClientSession;

// The client's side of an HTTP/2 connection (RFC 9113), over nghttp2. The calls and their order are those of
// http::ClientCodec. What is particular to HTTP/2:
//
// - Requests may be sent at once, before the server's SETTINGS; until they come, 100 streams are assumed to be allowed.
// - After the server's GOAWAY: OnPeerDrains, then OnReset(kRefused) for each stream above its last id.
// - Push is refused (SETTINGS_ENABLE_PUSH 0).
// - A response over a limit, or with too many 1xx before it, ends in OnReset(kTooLarge).
// - Request heads are copied when they are sent; `arena` of SendRequest is the response's.
//
// `events` outlives the codec. One thread.
class ClientCodec final : public http::ClientCodec {
 public:
  // `scheme`, if not empty, goes out as :scheme instead of the request's; it lives for ever.
  ClientCodec(ClientEvents& events, const Limits& limits, std::string_view scheme = {});
  ~ClientCodec() override;

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
  void Consumed(StreamId id, size_t bytes) override;
  void Reset(StreamId id, ResetReason reason) override;
  void Produce(base::Buffer& out) override;
  StreamId SendRequest(const RequestHead& head, bool end, base::Arena& arena) override;
  uint32_t CanSend() const override;
  uint32_t misbehaviours() const override;

 private:
  std::unique_ptr<ClientSession> session_;
};

}  // namespace portico::http::h2

#endif  // PORTICO_DATAPLANE_HTTP_H2_CLIENT_CODEC_H_
