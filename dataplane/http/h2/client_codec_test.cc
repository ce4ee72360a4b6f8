#include "dataplane/http/h2/client_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/base/arena.h"
#include "dataplane/base/buffer.h"
#include "dataplane/http/codec.h"
#include "dataplane/http/h2/frames_for_test.h"
#include "dataplane/http/h2/recorder_for_test.h"

namespace portico::http::h2 {
namespace {

using namespace frames;  // the builder's words

struct Client {
  explicit Client(Limits limits = {}) : codec(recorder, limits) {}
  bool Feed(std::string_view bytes) { return codec.Feed(base::Slice::Copy(bytes)); }
  std::string Produce() {
    base::Buffer out;
    codec.Produce(out);
    return out.ToString();
  }
  std::string Sent() {
    std::string all;
    for (const std::string& line : Describe(Produce())) {
      if (!line.starts_with("SETTINGS")) all += (all.empty() ? "" : "; ") + line;
    }
    return all;
  }
  // Preface and settings, and one request.
  StreamId Start(std::string_view method = "GET", bool end = true) {
    const StreamId id = Request(method, end);
    EXPECT_TRUE(Produce().starts_with(kPreface));
    EXPECT_TRUE(Feed(Settings()));
    Produce();
    return id;
  }
  StreamId Request(std::string_view method = "GET", bool end = true) {
    base::Arena head_arena;
    RequestHead head(head_arena);
    head.method = method;
    head.scheme = "https";
    head.authority = "a.test";
    head.path = "/";
    return codec.SendRequest(head, end, arena);
  }

  base::Arena arena;
  ClientRecorder recorder;
  ClientCodec codec;
};

Lines Response(std::string status, Lines more = {}) {
  more.insert(more.begin(), {":status", status});
  return more;
}

struct ResponseCase {
  const char* name;
  std::string bytes;
  const char* events;
  const char* sent;
  const char* method = "GET";
};

constexpr char kMalformed[] = "reset 1 protocol";
constexpr char kResets[] = "RST_STREAM 1 code=1";

std::string Whole(const Lines& lines) {
  return Headers(1, lines, kEndStream);
}

std::vector<ResponseCase> ResponseCases() {
  const std::string ok = Headers(1, Response("200"));
  return {
      {"plain", Whole(Response("200", {{"n", "v"}})), "response 1 200 [n=v]; end 1", ""},
      {"content", ok + Data(1, "ab") + Data(1, "c", kEndStream), "response 1 200 []; content 1 abc; end 1", ""},
      {"content and trailers", ok + Data(1, "ab") + Headers(1, {{"t", "1"}}, kEndStream),
       "response 1 200 []; content 1 ab; trailers 1 [t=1]; end 1", ""},
      {"early hints", Headers(1, Response("103", {{"link", "x"}})) + Whole(Response("200")),
       "informational 1 103 [link=x]; response 1 200 []; end 1", ""},
      {"HEAD with a length", Whole(Response("200", {{"content-length", "9"}})),
       "response 1 200 [content-length=9]; end 1", "", "HEAD"},
      {"304 with a length", Whole(Response("304", {{"content-length", "9"}})),
       "response 1 304 [content-length=9]; end 1", ""},
      {"two set-cookie", Whole(Response("200", {{"set-cookie", "a"}, {"set-cookie", "b"}})),
       "response 1 200 [set-cookie=a,set-cookie=b]; end 1", ""},
      {"reset after the end", Whole(Response("200")) + RstStream(1, 0), "response 1 200 []; end 1", ""},
      {"refused", RstStream(1, 7), "reset 1 refused", ""},
      {"server failed", ok + RstStream(1, 2), "response 1 200 []; reset 1 internal", ""},
      {"server wants HTTP/1.1", RstStream(1, 13), "reset 1 internal", ""},
      {"no status", Whole({{"n", "v"}}), kMalformed, kResets},
      {"two statuses", Whole({{":status", "200"}, {":status", "200"}}), kMalformed, kResets},
      {"short status", Whole(Response("20")), kMalformed, kResets},
      {"status 101", Whole(Response("101")), kMalformed, kResets},
      {"status 099", Whole(Response("099")), kMalformed, kResets},
      {"status 600", Whole(Response("600")), kMalformed, kResets},
      {"request pseudo-field", Whole(Response("200", {{":path", "/"}})), kMalformed, kResets},
      {"upper case", Whole(Response("200", {{"Upper", "v"}})), kMalformed, kResets},
      {"connection", Whole(Response("200", {{"connection", "close"}})), kMalformed, kResets},
      {"bad value", Whole(Response("200", {{"n", "a\rb"}})), kMalformed, kResets},
      {"1xx with the end", Whole(Response("103")), kMalformed, kResets},
      {"content too long", Headers(1, Response("200", {{"content-length", "2"}})) + Data(1, "ab") + Data(1, "c"),
       "response 1 200 [content-length=2]; content 1 ab; reset 1 protocol", kResets},
      {"content too short", Headers(1, Response("200", {{"content-length", "3"}})) + Data(1, "ab", kEndStream),
       "response 1 200 [content-length=3]; content 1 ab; reset 1 protocol", kResets},
      {"content for HEAD", ok + Data(1, "ab"), "response 1 200 []; reset 1 protocol", kResets, "HEAD"},
      {"content for 204", Headers(1, Response("204")) + Data(1, "ab"), "response 1 204 []; reset 1 protocol", kResets},
      {"trailers without end", ok + Headers(1, {{"t", "1"}}), "response 1 200 []; reset 1 protocol", kResets},
  };
}

TEST(Http2ClientCodec, ResponsesWholeAndInEverySplit) {
  for (const ResponseCase& row : ResponseCases()) {
    SCOPED_TRACE(row.name);
    for (size_t split = 0; split <= row.bytes.size() + 1; ++split) {
      Client client;
      ASSERT_EQ(client.Start(row.method), 1);
      if (split > row.bytes.size()) {
        for (const char byte : row.bytes)
          EXPECT_TRUE(client.Feed({&byte, 1}));
      } else {
        EXPECT_TRUE(client.Feed(row.bytes.substr(0, split)));
        EXPECT_TRUE(client.Feed(row.bytes.substr(split)));
      }
      ASSERT_EQ(client.Sent(), row.sent) << "split " << split;
      ASSERT_EQ(client.recorder.Take(), row.events) << "split " << split;
      ASSERT_TRUE(client.codec.Idle());
    }
  }
}

TEST(Http2ClientCodec, ConnectionErrors) {
  const struct {
    const char* name;
    std::string bytes;
    uint32_t code;
  } rows[] = {
      {"push", Frame(kPushPromise, kEndHeaders, 1, Number(2, 4)), 1},
      {"response to nothing", Headers(7, Response("200"), kEndStream), 1},
      {"content before the head", Data(1, "a"), 1},
      {"server's stream", Headers(2, Response("200"), kEndStream), 1},
      {"GOAWAY goes up", Goaway(1, 0) + Goaway(3, 0), 1},
      {"bad compression", Frame(kHeaders, kEndHeaders, 1, "\xff\xff\xff\xff\xff\xff"), 9},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Client client;
    client.Start();
    client.Feed(row.bytes);
    const std::string sent = client.Sent();
    EXPECT_TRUE(sent.ends_with("code=" + std::to_string(row.code))) << sent;
    EXPECT_TRUE(client.codec.WantsClose());
    const std::string events = client.recorder.Take();
    EXPECT_NE(events.find("reset 1 "), std::string::npos) << events;
    EXPECT_EQ(client.codec.CanSend(), 0);
    EXPECT_EQ(client.Request(), 0);
  }
}

TEST(Http2ClientCodec, NoSettingsFirst) {
  Client client;
  client.Produce();
  client.Feed(Ping());
  EXPECT_TRUE(client.Sent().ends_with("code=1"));
  EXPECT_TRUE(client.codec.WantsClose());
}

TEST(Http2ClientCodec, CanSendFollowsThePeer) {
  Client client;
  EXPECT_EQ(client.codec.CanSend(), 100) << "assumed before SETTINGS";
  EXPECT_EQ(client.Request(), 1);
  EXPECT_EQ(client.codec.CanSend(), 99);
  client.Produce();
  client.Feed(Setting(3, 2));
  EXPECT_EQ(client.codec.CanSend(), 1);
  EXPECT_EQ(client.Request(), 3);
  EXPECT_EQ(client.codec.CanSend(), 0);
  EXPECT_EQ(client.Request(), 0);
  client.Produce();
  client.Feed(Headers(1, Response("200"), kEndStream));
  EXPECT_EQ(client.codec.CanSend(), 1);
  client.Feed(Setting(3, 0));
  EXPECT_EQ(client.codec.CanSend(), 0);
}

TEST(Http2ClientCodec, GoawayRefusesWhatIsAboveIt) {
  Client client;
  client.Start();
  EXPECT_EQ(client.Request(), 3);
  client.Produce();
  EXPECT_EQ(client.Request(), 5) << "not sent yet";
  client.Feed(Goaway(1, 0));
  client.Produce();
  EXPECT_EQ(client.recorder.Take(), "drains; reset 3 refused; reset 5 refused");
  EXPECT_EQ(client.codec.CanSend(), 0);
  EXPECT_FALSE(client.codec.WantsClose());
  client.Feed(Goaway(1, 0) + Headers(1, Response("200"), kEndStream));
  EXPECT_EQ(client.recorder.Take(), "response 1 200 []; end 1");
  client.Produce();
  EXPECT_TRUE(client.codec.WantsClose());
}

TEST(Http2ClientCodec, AnswerBeforeTheRequestIsComplete) {
  Client client;
  client.Start("POST", false);
  base::Buffer content;
  content.Append("abc");
  client.codec.SendContent(1, content, false);
  EXPECT_EQ(client.Sent(), "DATA 1 bytes=3");
  client.Feed(Headers(1, Response("413"), kEndStream));
  EXPECT_EQ(client.recorder.Take(), "response 1 413 []; end 1");
  client.Feed(RstStream(1, 0));
  EXPECT_EQ(client.recorder.Take(), "reset 1 no-error");
  client.codec.SendContent(1, content, true);
  EXPECT_EQ(client.Sent(), "");
}

TEST(Http2ClientCodec, ResetBeforeTheRequestIsSent) {
  Client client;
  EXPECT_EQ(client.Request("POST", false), 1);
  client.codec.Reset(1, ResetReason::kCancelled);
  for (const std::string& line : Describe(client.Produce().substr(kPreface.size()))) {
    EXPECT_FALSE(line.starts_with("HEADERS")) << line;
  }
  EXPECT_EQ(client.recorder.Take(), "");
  EXPECT_TRUE(client.codec.Idle());
}

TEST(Http2ClientCodec, LimitsEndTheStream) {
  Limits limits;
  limits.field_count_max = 2;
  limits.head_bytes_max = 300;
  limits.trailer_bytes_max = 100;
  limits.informational_max = 2;
  std::string informationals;
  for (int i = 0; i < 3; ++i)
    informationals += Headers(1, Response("103"));
  const struct {
    const char* name;
    std::string bytes;
    const char* events;
  } rows[] = {
      {"fields", Whole(Response("200", {{"a", "1"}, {"b", "2"}, {"c", "3"}})), "reset 1 too-large"},
      {"head", Headers(1, Response("200", {{"a", std::string(300, 'a')}})) + Data(1, "x", kEndStream),
       "reset 1 too-large"},
      {"trailers", Headers(1, Response("200")) + Headers(1, {{"a", std::string(100, 'a')}}, kEndStream),
       "response 1 200 []; reset 1 too-large"},
      {"1xx", informationals + Whole(Response("200")),
       "informational 1 103 []; informational 1 103 []; reset 1 too-large"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Client client(limits);
    client.Start();
    EXPECT_TRUE(client.Feed(row.bytes));
    EXPECT_EQ(client.Sent(), "RST_STREAM 1 code=8");
    EXPECT_EQ(client.recorder.Take(), row.events);
  }
}

TEST(Http2ClientCodec, FloodsEndTheConnection) {
  Limits limits;
  limits.misbehaviour_max = 20;
  Client client(limits);
  client.Start();
  bool open = true;
  for (int i = 0; open && i < 30; ++i)
    open = client.Feed(Ping());
  EXPECT_FALSE(open);
  EXPECT_EQ(client.recorder.Take(), "reset 1 closed");
  EXPECT_TRUE(client.Sent().ends_with("code=11"));
  EXPECT_TRUE(client.codec.WantsClose());
}

TEST(Http2ClientCodec, FeedEnd) {
  Client client;
  client.Start();
  client.codec.FeedEnd(false);
  EXPECT_EQ(client.recorder.Take(), "reset 1 closed");
  EXPECT_TRUE(client.codec.WantsClose());
  EXPECT_EQ(client.codec.CanSend(), 0);
}

// What an origin sends ahead of who takes it is bounded by less than the window of who is read.
TEST(Http2ClientCodec, AWindowIsNarrowUntilItsContentIsTaken) {
  const Limits limits;
  const size_t half = limits.read_ahead_bytes / 2;
  const std::string piece(16 * 1024, 'x');
  const struct {
    const char* name;
    size_t taken;
    const char* sent;
    size_t window_bytes;
  } rows[] = {
      {"nothing is taken", 0, "", limits.read_ahead_bytes},
      {"a little", half - 1, "", limits.read_ahead_bytes},
      {"half", half, "WINDOW_UPDATE 1 bytes=196608", limits.stream_window_bytes},
      {"all", 2 * half, "WINDOW_UPDATE 1 bytes=196608", limits.stream_window_bytes},
  };
  for (const auto& row : rows) {
    Client client;
    client.Start();
    ASSERT_TRUE(client.Feed(Frame(kSettings, kAck, 0, "") + Headers(1, Response("200"))));
    size_t come = 0;
    for (; come < limits.read_ahead_bytes; come += piece.size())
      ASSERT_TRUE(client.Feed(Data(1, piece))) << row.name;
    EXPECT_EQ(client.Sent(), "") << row.name;
    client.codec.Consumed(1, row.taken);
    EXPECT_EQ(client.Sent(), row.sent) << row.name;
    for (; come < row.window_bytes; come += piece.size())
      ASSERT_TRUE(client.Feed(Data(1, piece))) << row.name;
    EXPECT_EQ(client.recorder.content_bytes(1), row.window_bytes) << row.name;
    client.recorder.Take();
    client.Feed(Data(1, "x"));  // one byte more than it offers
    client.Produce();
    EXPECT_EQ(client.recorder.Take(), "content 1 x; reset 1 protocol") << row.name;
  }
}

}  // namespace
}  // namespace portico::http::h2
