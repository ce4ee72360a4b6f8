#include "dataplane/grpc/stream.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/http/h2/frames_for_test.h"
#include "dataplane/upstream/cluster_for_test.h"

namespace portico::grpc {
namespace {

using base::Concat;
namespace frames = http::h2::frames;

std::string Framed(std::string_view message) {
  base::Buffer buffer;
  AppendMessage(message, buffer);
  return buffer.ToString();
}

// One call at a time; the test plays the server.
class FakeBackend final : public call::Backend {
 public:
  std::string_view name() const override { return "default/control"; }
  std::unique_ptr<call::Call> Start(const call::CallRequest& request, call::CallHandler& heard_by) override {
    EXPECT_FALSE(request.end);
    head = Concat(request.head->method, " ", request.head->authority, request.head->path, "\n");
    for (const http::Field& field : request.head->fields)
      head += Concat(field.name, ": ", field.value, "\n");
    arena = request.arena;
    timeout = request.attempt_timeout;
    handler = &heard_by;
    return std::make_unique<FakeCall>(*this);
  }

  // One event, if somebody hears it: "head", "head 404 text/html", "only grpc-status=5", "content TEXT" (framed),
  // "bytes TEXT" (as they are), "trailers grpc-status=0", "end", "refused", "late".
  void Tell(std::string_view event) {
    if (handler == nullptr) return;
    const std::vector<std::string_view> words = base::Split(event, ' ');
    const std::string_view rest = event.substr(std::min(event.size(), words[0].size() + 1));
    if (words[0] == "head") {
      http::ResponseHead response(*arena);
      response.status = words.size() > 1 ? static_cast<int>(*base::ParseDecimal(words[1])) : 200;
      response.fields.Add("content-type", words.size() > 2 ? words[2] : "application/grpc");
      if (words.size() > 3) AddField(response.fields, words[3]);
      handler->OnResponse(std::move(response));
    } else if (words[0] == "only") {
      http::ResponseHead response(*arena);
      response.status = 200;
      response.framing.ends_with_head = true;
      AddField(response.fields, rest);
      handler->OnResponse(std::move(response));
    } else if (words[0] == "content" || words[0] == "bytes") {
      const std::string bytes = words[0] == "bytes" ? std::string(rest) : Framed(rest);
      unconsumed += bytes.size();
      handler->OnContent(base::Slice::Copy(bytes));
    } else if (words[0] == "trailers") {
      http::Fields fields(*arena);
      AddField(fields, rest);
      handler->OnTrailers(std::move(fields));
    } else if (words[0] == "end") {
      handler->OnEnd();
    } else {
      handler->OnError(
          {words[0] == "late" ? call::ErrorKind::kHttpResponseTimeout : call::ErrorKind::kConnectionRefused, true,
           "why"});
    }
  }

  std::string head, sent;
  bool sent_end = false;
  size_t unsent = 0, unconsumed = 0;
  std::optional<base::Duration> timeout;
  base::Arena* arena = nullptr;
  call::CallHandler* handler = nullptr;  // nullptr: cancelled, or over

 private:
  static void AddField(http::Fields& fields, std::string_view text) {
    if (text.empty()) return;
    const size_t equals = text.find('=');
    fields.Add(text.substr(0, equals), text.substr(equals + 1));
  }
  class FakeCall final : public call::Call {
   public:
    explicit FakeCall(FakeBackend& backend) : backend_(backend) {}
    ~FakeCall() override { backend_.handler = nullptr; }
    void SendContent(base::Buffer& content, bool end) override {
      backend_.sent += content.ToString();
      content.Clear();
      backend_.sent_end = end;
    }
    void SendTrailers(const http::Fields&) override { ADD_FAILURE() << "a client has none"; }
    size_t Unsent() const override { return backend_.unsent; }
    void Consumed(size_t bytes) override { backend_.unconsumed -= bytes; }
    call::CallFacts facts() const override { return {}; }

   private:
    FakeBackend& backend_;
  };
};

// What is heard, in words: "one|two|OK".
struct Listener final : StreamHandler {
  void OnMessage(std::string message) override {
    EXPECT_EQ(ends, 0) << "something after the end";
    heard += message + "|";
    if (hook) hook();
  }
  void OnEnd(Status status) override {
    EXPECT_EQ(++ends, 1);
    heard += status.ToString();
    if (hook) hook();
  }
  void OnSendReady() override { ++ready; }
  std::string heard;
  int ends = 0, ready = 0;
  std::function<void()> hook;  // the last act of every callback but OnSendReady
};

TEST(StreamTest, TheHeadSaysThatItIsGrpc) {
  FakeBackend backend;
  Listener listener;
  const Stream stream(backend, {.path = "/p.Service/Method", .authority = "control:1", .metadata = {{"x-a", "b"}}},
                      listener);
  EXPECT_EQ(backend.head,
            "POST control:1/p.Service/Method\nte: trailers\ncontent-type: application/grpc\n"
            "user-agent: grpc-portico\nx-a: b\n");
  EXPECT_EQ(backend.timeout, std::nullopt);
}

TEST(StreamTest, TimeoutsAreToldWithAtMostEightDigits) {
  using std::chrono::hours;
  using std::chrono::microseconds;
  const std::pair<base::Duration, std::string_view> kRows[] = {
      {microseconds(0), "0u"}, {microseconds(99'999'999), "99999999u"}, {microseconds(100'000'000), "100001m"},
      {hours(48), "172801S"},  {hours(1'000'000), "99999999S"},
  };
  for (const auto& [timeout, text] : kRows) {
    FakeBackend backend;
    Listener listener;
    const Stream stream(backend, {.path = "/a", .authority = "b", .timeout = timeout}, listener);
    EXPECT_NE(backend.head.find(Concat("grpc-timeout: ", text, "\n")), std::string::npos) << backend.head;
    EXPECT_EQ(backend.timeout, timeout);
  }
}

TEST(StreamTest, WhatIsHeardOfAnAnswer) {
  const struct {
    const char* name;
    std::vector<std::string> events;
    std::string heard;
  } kRows[] = {
      {"a stream", {"head", "content one", "content ", "trailers grpc-status=0", "end"}, "one||OK"},
      {"a type with a format", {"head 200 application/grpc+proto", "trailers grpc-status=0", "end"}, "OK"},
      {"a type with a parameter", {"head 200 Application/GRPC;a=b", "trailers grpc-status=0", "end"}, "OK"},
      {"a failure after a message", {"head", "content one", "trailers grpc-status=14", "end"}, "one|UNAVAILABLE"},
      {"nothing but a head", {"only grpc-status=7", "end"}, "PERMISSION_DENIED"},
      {"nothing but a head, in two frames", {"head 200 application/grpc grpc-status=7", "end"}, "PERMISSION_DENIED"},
      {"a head alone, and no status", {"only ", "end"}, "UNKNOWN: HTTP status 200 without grpc-status"},
      {"no trailers", {"head", "content one", "end"}, "one|UNKNOWN: HTTP status 200 without grpc-status"},
      {"trailers without status", {"head", "trailers a=b", "end"}, "UNKNOWN: HTTP status 200 without grpc-status"},
      {"another proxy's answer",
       {"head 503 text/html", "bytes <html>", "end"},
       "UNAVAILABLE: HTTP status 503 without grpc-status"},
      {"gRPC behind another status", {"head 403 text/html grpc-status=16", "end"}, "UNAUTHENTICATED"},
      {"no gRPC",
       {"head 200 text/html", "bytes <html>", "end"},
       "UNKNOWN: the response's content-type is not application/grpc"},
      {"gRPC-Web",
       {"head 200 application/grpc-web", "content one"},
       "UNKNOWN: the response's content-type is not application/grpc"},
      {"no message though all is well",
       {"head", "content one", "bytes xxxxx", "trailers grpc-status=0", "end"},
       "one|INTERNAL: a message with the unknown flag 120"},
      {"ends inside a message",
       {"head", Concat("bytes ", std::string_view("\0\0\0\0\2a", 6)), "trailers grpc-status=0", "end"},
       "INTERNAL: the response ends inside a message"},
      {"fails inside a message",
       {"head", Concat("bytes ", std::string_view("\0\0\0\0\2a", 6)), "trailers grpc-status=8", "end"},
       "RESOURCE_EXHAUSTED"},
      {"too large",
       {"head", "content 0123456789", "content 0123456789a", "content b"},
       "0123456789|RESOURCE_EXHAUSTED: a message of 11 bytes; at most 10 are taken"},
      {"nobody there", {"refused"}, "UNAVAILABLE: connection_refused: why"},
      {"out of time", {"head", "content one", "late"}, "one|DEADLINE_EXCEEDED: http_response_timeout: why"},
  };
  for (const auto& row : kRows) {
    FakeBackend backend;
    Listener listener;
    Stream stream(backend, {.path = "/a", .authority = "b"}, listener, 10);
    for (const std::string& event : row.events)
      backend.Tell(event);
    EXPECT_EQ(listener.heard, row.heard) << row.name;
    EXPECT_EQ(backend.handler, nullptr) << row.name << ": the call is given up";
    stream.Send("dropped");
    stream.HalfClose();
    stream.Resume();
    EXPECT_EQ(backend.sent, "") << row.name;
    EXPECT_EQ(stream.Unsent(), 0u);
  }
}

TEST(StreamTest, WhatIsSent) {
  FakeBackend backend;
  Listener listener;
  Stream stream(backend, {.path = "/a", .authority = "b"}, listener);
  stream.Send("one");
  stream.Send("");
  EXPECT_EQ(backend.sent, Framed("one") + Framed(""));
  EXPECT_FALSE(backend.sent_end);
  backend.unsent = 7;
  EXPECT_EQ(stream.Unsent(), 7u);
  backend.handler->OnSendReady();
  EXPECT_EQ(listener.ready, 1);
  stream.HalfClose();
  EXPECT_TRUE(backend.sent_end);
}

TEST(StreamTest, APausedStreamHoldsTheServerUp) {
  FakeBackend backend;
  Listener listener;
  Stream stream(backend, {.path = "/a", .authority = "b"}, listener);
  backend.Tell("head");
  backend.Tell(Concat("bytes ", std::string_view("\0\0\0\0\2a", 6)));
  EXPECT_EQ(backend.unconsumed, 0u) << "what is not whole may be larger than the window";
  listener.hook = [&] { stream.Pause(); };
  backend.Tell(Concat("bytes b", Framed("cd"), Framed("ef")));
  EXPECT_EQ(listener.heard, "ab|");
  EXPECT_EQ(backend.unconsumed, 14u);
  backend.Tell("trailers grpc-status=0");
  backend.Tell("end");
  EXPECT_EQ(listener.heard, "ab|");
  stream.Resume();
  EXPECT_EQ(listener.heard, "ab|cd|");
  int depth = 0;
  listener.hook = [&] {
    EXPECT_EQ(depth++, 0) << "a callback within a callback";
    stream.Resume();
    --depth;
  };
  stream.Resume();
  EXPECT_EQ(listener.heard, "ab|cd|ef|OK");
}

TEST(StreamTest, AFailureIsToldAtOnce) {
  FakeBackend backend;
  Listener listener;
  Stream stream(backend, {.path = "/a", .authority = "b"}, listener);
  stream.Pause();
  for (const char* event : {"head", "content one", "refused"})
    backend.Tell(event);
  EXPECT_EQ(listener.heard, "UNAVAILABLE: connection_refused: why");
  stream.Resume();
  EXPECT_EQ(listener.heard, "UNAVAILABLE: connection_refused: why");
}

TEST(StreamTest, ItMayBeDestroyedInAnyCallback) {
  const std::vector<std::string> kScripts[] = {
      {"head", "content one", "content two", "trailers grpc-status=0", "end"},
      {"head", Concat("bytes ", Framed("one"), Framed("two")), "end"},
      {"only grpc-status=0", "end"},
      {"head 500 text/html"},
      {"head", "bytes xxxxx"},
      {"refused"},
  };
  for (const auto& script : kScripts) {
    for (int last = 1; last <= 3; ++last) {
      FakeBackend backend;
      Listener listener;
      auto stream = std::make_unique<Stream>(backend, StreamRequest{.path = "/a", .authority = "b"}, listener);
      int count = 0;
      listener.hook = [&] {
        if (++count == last) stream.reset();
      };
      for (const std::string& event : script)
        backend.Tell(event);
      EXPECT_LE(count, last) << "heard after it was destroyed";
    }
  }
}

// The whole of it, over HTTP/2 as it is.
TEST(StreamTest, OverACluster) {
  using upstream::for_test::World;
  auto config = upstream::for_test::Config({9901});
  config->protocol = upstream::ClusterConfig::Protocol::kHttp2;
  World world(config);
  Listener listener;
  auto stream = std::make_unique<Stream>(*world.cluster, StreamRequest{.path = "/a", .authority = "b"}, listener);
  stream->Send("ask");
  world.loop.Turn();
  world.Open(0);
  world.loop.Turn();
  EXPECT_NE(world.far(0).written.find(Framed("ask")), std::string::npos);
  world.Say(0, frames::Headers(1, {{":status", "200"}, {"content-type", "application/grpc"}}));
  world.Say(0, frames::Data(1, Framed("one").substr(0, 4)));
  world.Say(0, frames::Data(1, Framed("one").substr(4) + Framed("two")));
  EXPECT_EQ(listener.heard, "one|two|");
  world.far(0).TakeWritten();
  stream->Send("more");
  stream->HalfClose();
  world.loop.Turn();
  EXPECT_EQ(frames::Describe(world.far(0).TakeWritten()).back(), "DATA 1 bytes=9 end");
  world.Say(0, frames::Headers(1, {{"grpc-status", "0"}}, frames::kEndStream));
  EXPECT_EQ(listener.heard, "one|two|OK");

  // Given up in the middle: the server is told.
  listener = {};
  stream = std::make_unique<Stream>(*world.cluster, StreamRequest{.path = "/a", .authority = "b"}, listener);
  world.loop.Turn();
  world.Say(0, frames::Headers(3, {{":status", "200"}, {"content-type", "application/grpc"}}));
  world.far(0).TakeWritten();
  stream.reset();
  world.loop.Turn();
  EXPECT_EQ(frames::Describe(world.far(0).TakeWritten()).back(), "RST_STREAM 3 code=8");
  EXPECT_EQ(listener.heard, "");
}

}  // namespace
}  // namespace portico::grpc
