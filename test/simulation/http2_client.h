#ifndef PORTICO_TEST_SIMULATION_HTTP2_CLIENT_H_
#define PORTICO_TEST_SIMULATION_HTTP2_CLIENT_H_

#include <deque>
#include <map>
#include <memory>
#include <string_view>

#include "api/base/arena.h"
#include "dataplane/base/buffer.h"
#include "dataplane/http/h2/client_codec.h"
#include "test/simulation/client.h"

namespace portico::simulation {

// A client that speaks HTTP/2 by prior knowledge, several exchanges at a time.
class Http2Client final : public Client, private http::ClientEvents {
 public:
  Http2Client(const ClientParts& parts, std::deque<Script> scripts, size_t concurrency);
  ~Http2Client() override;

 private:
  struct Stream {
    std::unique_ptr<ClientExchange> exchange;
    uint64_t sent = 0;  // bytes of the request's content that the codec has
    bool sent_end = false;
    bool held_back = false;  // until a 100 comes
    size_t owed = 0;         // received and not given back to the window: it reads slowly
    base::MonotonicTime give_back_at{};
  };

  size_t under_way() const override { return streams_.size(); }
  bool CanBegin() const override;
  void OnConnected() override;
  void OnDisconnected(bool excused) override;
  void BeginExchange(std::unique_ptr<ClientExchange> exchange) override;
  void OnBytes(std::string_view bytes) override;
  std::string_view Output() override;
  void Written(size_t bytes) override { output_.Consume(bytes); }
  Script::Pace ReadPace() const override { return Script::Pace::kEager; }  // it gives windows back slowly instead
  void OnStep() override;
  void OnLeaving(ClientExchange& exchange) override;

  void OnContent(http::StreamId id, base::Slice content) override;
  void OnTrailers(http::StreamId id, http::Fields trailers) override;
  void OnMessageEnd(http::StreamId id) override;
  void OnReset(http::StreamId id, http::ResetReason reason) override;
  void OnSendReady(http::StreamId id) override { SendContent(id); }
  void OnPeerDrains() override { draining_ = true; }
  void OnInformational(http::StreamId id, http::ResponseHead head) override;
  void OnResponse(http::StreamId id, http::ResponseHead head) override;

  Stream* Find(http::StreamId id);
  void SendContent(http::StreamId id);
  void Drop(http::StreamId id);
  void AfterEvents();

  const size_t concurrency_;
  std::unique_ptr<http::ClientCodec> codec_;
  http::Limits limits_;
  std::map<http::StreamId, Stream> streams_;
  std::deque<base::Arena> arenas_;  // of all responses; they live as long as the client
  base::Buffer output_;
  bool draining_ = false;
};

}  // namespace portico::simulation

#endif  // PORTICO_TEST_SIMULATION_HTTP2_CLIENT_H_
