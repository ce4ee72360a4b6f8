// Long: both recorders and what drives them stand together; only tests include it.
#ifndef PORTICO_DATAPLANE_HTTP_H1_TEST_PEERS_H_
#define PORTICO_DATAPLANE_HTTP_H1_TEST_PEERS_H_

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/http/h1/client_codec.h"
#include "dataplane/http/h1/server_codec.h"

// Handlers that write down what a codec tells them, for tests and fuzz targets. Content is joined, so that two runs
// over the same bytes leave the same trace however the bytes were split.

namespace portico::http::h1 {

inline std::string Describe(const Fields& fields) {
  std::string out;
  for (const Field& field : fields)
    out += base::Concat(" ", field.name, "=", field.value);
  return out;
}

inline std::string Describe(const ContentFraming& framing) {
  std::string out = framing.ends_with_head ? " whole" : " open";
  if (framing.length.has_value()) out += base::Concat(" ", *framing.length);
  if (framing.ends_with_connection) out += " until close";
  return out;
}

template <typename Events>
class Recorder : public Events {
 public:
  void OnContent(StreamId id, base::Slice content) override {
    content_.append(content.view());
    unconsumed_bytes += content.size();
  }
  void OnTrailers(StreamId id, Fields trailers) override { Note(base::Concat("trailers", Describe(trailers))); }
  void OnMessageEnd(StreamId id) override {
    Note("end");
    ended = true;
  }
  void OnReset(StreamId id, ResetReason reason) override { Note(base::Concat("reset ", static_cast<int>(reason))); }
  void OnSendReady(StreamId id) override { Note("ready"); }

  std::string trace() {
    Note("");
    return trace_;
  }

  bool ended = false;
  size_t unconsumed_bytes = 0;

 protected:
  void Note(std::string_view line) {
    if (!content_.empty()) trace_ += base::Concat("content ", content_, "\n");
    content_.clear();
    if (!line.empty()) trace_ += base::Concat(line, "\n");
  }

 private:
  std::string trace_;
  std::string content_;
};

// Answers each request with `status` and "ok" when it has ended, and each refused one with the status it was told.
class TestServer final : public Recorder<ServerEvents> {
 public:
  explicit TestServer(const Limits& limits = {}) : limits_(limits), codec_(limits_, *this, nullptr, "http") {}

  base::Arena& OnRequestBegin(StreamId id) override {
    ended = false;
    arenas_.push_back(std::make_unique<base::Arena>());
    return *arenas_.back();
  }
  void OnRequest(StreamId id, RequestHead head) override {
    Note(base::Concat(head.method, " ", head.scheme, " ", head.authority, " ", head.path, Describe(head.fields), " |",
                      Describe(head.framing), head.version == Version::kHttp10 ? " 1.0" : "",
                      head.expects_continue ? " expects" : ""));
    id_ = id;
    if (answers_early) Answer(200);
  }
  void OnMessageEnd(StreamId id) override {
    Recorder::OnMessageEnd(id);
    if (!answers_early && answers) Answer(200);
  }
  void OnBadRequest(StreamId id, MessageError error) override {
    Note(base::Concat("bad ", error.status));
    id_ = id;
    Answer(error.status);
  }
  void Answer(int status) {
    base::Arena arena;
    ResponseHead head(arena);
    head.status = status;
    codec_.SendResponse(id_, head, true);
  }
  void Feed(std::string_view bytes) {
    codec_.Feed(base::Slice::Copy(bytes));
    Turn();
  }
  // What a driver does after every turn.
  void Turn() {
    for (int i = 0; i < 1000; ++i) {
      codec_.Consumed(id_, std::exchange(unconsumed_bytes, 0));
      codec_.Resume();
      codec_.Produce(out_);
      if (codec_.WantsInput() || codec_.WantsClose()) break;
    }
  }
  void End(bool clean = true) {
    codec_.FeedEnd(clean);
    Turn();
  }
  ServerCodec& codec() { return codec_; }
  StreamId id() const { return id_; }
  std::string TakeOutput() {
    codec_.Produce(out_);
    std::string text = out_.ToString();
    out_.Clear();
    return text;
  }

  bool answers = true;
  bool answers_early = false;

 private:
  const Limits limits_;
  std::vector<std::unique_ptr<base::Arena>> arenas_;
  base::Buffer out_;
  StreamId id_ = 0;
  ServerCodec codec_;
};

class TestClient final : public Recorder<ClientEvents> {
 public:
  explicit TestClient(const Limits& limits = {}) : limits_(limits), codec_(limits_, *this, nullptr) {}

  void OnInformational(StreamId id, ResponseHead head) override {
    Note(base::Concat("early ", head.status, Describe(head.fields)));
  }
  void OnResponse(StreamId id, ResponseHead head) override {
    Note(base::Concat(head.status, Describe(head.fields), " |", Describe(head.framing)));
  }
  void Ask(std::string_view method) {
    RequestHead head(arena_);
    head.method = method;
    head.path = "/";
    head.authority = "a";
    id_ = codec_.SendRequest(head, true, arena_);
  }
  void Feed(std::string_view bytes) {
    codec_.Feed(base::Slice::Copy(bytes));
    for (int i = 0; i < 1000 && unconsumed_bytes > 0; ++i) {
      codec_.Consumed(id_, std::exchange(unconsumed_bytes, 0));
      codec_.Resume();
    }
    codec_.Produce(out_);
  }
  void End(bool clean = true) { codec_.FeedEnd(clean); }
  ClientCodec& codec() { return codec_; }
  base::Arena& arena() { return arena_; }
  StreamId id() const { return id_; }
  std::string TakeOutput() {
    codec_.Produce(out_);
    std::string text = out_.ToString();
    out_.Clear();
    return text;
  }

 private:
  const Limits limits_;
  base::Arena arena_;
  base::Buffer out_;
  StreamId id_ = 0;
  ClientCodec codec_;
};

}  // namespace portico::http::h1

#endif  // PORTICO_DATAPLANE_HTTP_H1_TEST_PEERS_H_
