// Arbitrary bytes against both codecs. The input's first byte cuts the rest into pieces; a server sees the rest after
// the preface and SETTINGS, with a handler that answers from inside its events, and a client sees it after SETTINGS,
// with two requests under way.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "api/base/check.h"
#include "dataplane/base/buffer.h"
#include "dataplane/http/codec.h"
#include "dataplane/http/h2/client_codec.h"
#include "dataplane/http/h2/frames_for_test.h"
#include "dataplane/http/h2/server_codec.h"

namespace portico::http::h2 {
namespace {

class Answering : public ServerEvents {
 public:
  base::Arena& OnRequestBegin(StreamId id) override {
    arenas_.push_back(std::make_unique<base::Arena>());
    return *arenas_.back();
  }
  void OnRequest(StreamId id, RequestHead head) override {
    PORTICO_CHECK(!head.method.empty() && !head.authority.empty() && !head.path.empty());
    PORTICO_CHECK(!head.fields.Has(FieldId::kHost) && !head.fields.Has(FieldId::kConnection));
    Answer(id, 200, id % 8 == 1);
  }
  void OnBadRequest(StreamId id, MessageError error) override { Answer(id, error.status, true); }
  void OnContent(StreamId id, base::Slice content) override {
    PORTICO_CHECK(!content.empty());
    if (id % 8 != 5) codec->Consumed(id, content.size());
  }
  void OnTrailers(StreamId, Fields) override {}
  void OnMessageEnd(StreamId id) override {
    if (id % 8 == 1) return;
    base::Buffer content;
    content.Append("answer");
    codec->SendContent(id, content, true);
  }
  void OnReset(StreamId id, ResetReason) override { codec->Reset(id, ResetReason::kInternal); }
  void OnSendReady(StreamId) override {}

  http::ServerCodec* codec = nullptr;

 private:
  void Answer(StreamId id, int status, bool end) {
    base::Arena arena;
    ResponseHead head(arena);
    head.status = status;
    head.fields.Add("n", "v");
    codec->SendResponse(id, head, end);
  }
  std::vector<std::unique_ptr<base::Arena>> arenas_;
};

class Asking : public ClientEvents {
 public:
  void OnInformational(StreamId, ResponseHead head) override { PORTICO_CHECK(head.status < 200); }
  void OnResponse(StreamId, ResponseHead head) override { PORTICO_CHECK(head.status >= 200 && head.status < 600); }
  void OnContent(StreamId id, base::Slice content) override { codec->Consumed(id, content.size()); }
  void OnTrailers(StreamId, Fields) override {}
  void OnMessageEnd(StreamId) override {}
  void OnReset(StreamId, ResetReason) override {}
  void OnSendReady(StreamId) override {}
  http::ClientCodec* codec = nullptr;
};

void Run(Codec& codec, std::string_view start, std::string_view input, size_t piece_bytes) {
  codec.Feed(base::Slice::Copy(start));
  while (!input.empty()) {
    const std::string_view piece = input.substr(0, piece_bytes);
    input.remove_prefix(piece.size());
    const bool open = codec.Feed(base::Slice::Copy(piece));
    base::Buffer out;
    codec.Produce(out);
    if (!open) break;
  }
  codec.FeedEnd(true);
  PORTICO_CHECK(codec.Idle() && codec.WantsClose());
}

}  // namespace
}  // namespace portico::http::h2

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portico;
  using namespace portico::http;
  using namespace portico::http::h2;
  if (size == 0) return 0;
  const size_t piece_bytes = data[0] == 0 ? size : data[0];
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  Limits limits;
  limits.head_bytes_max = 4096;
  limits.field_count_max = 20;

  Answering answering;
  h2::ServerCodec server(answering, limits);
  answering.codec = &server;
  Run(server, std::string(frames::kPreface) + frames::Settings(), input, piece_bytes);

  Asking asking;
  base::Arena arena;
  h2::ClientCodec client(asking, limits);
  asking.codec = &client;
  RequestHead head(arena);
  head.method = "POST";
  head.scheme = "https";
  head.authority = "a.test";
  head.path = "/";
  client.SendRequest(head, true, arena);
  client.SendRequest(head, false, arena);
  base::Buffer out;
  client.Produce(out);
  Run(client, frames::Settings(), input, piece_bytes);
  return 0;
}
