// Long: one table of frames per rule of RFC 9113, kept together so that a missing rule shows.
#include "dataplane/http/h2/server_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
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

// A server codec that is fed frames made by hand.
struct Server {
  explicit Server(Limits limits = {}) : codec(recorder, limits) {
    EXPECT_TRUE(Feed(std::string(kPreface) + Settings()));
    Produce();
  }
  bool Feed(std::string_view bytes) { return codec.Feed(base::Slice::Copy(bytes)); }
  std::vector<std::string> Produce() {
    base::Buffer out;
    codec.Produce(out);
    return Describe(out.ToString());
  }
  // What was produced, without the frames that every connection has.
  std::string Sent() {
    std::string all;
    for (const std::string& line : Produce()) {
      if (!line.starts_with("SETTINGS")) all += (all.empty() ? "" : "; ") + line;
    }
    return all;
  }
  void Respond(StreamId id, int status, bool end) {
    base::Arena arena;
    ResponseHead head(arena);
    head.status = status;
    head.fields.Add("x", "y");
    codec.SendResponse(id, head, end);
  }
  void Content(StreamId id, std::string_view text, bool end) {
    base::Buffer content;
    content.Append(text);
    codec.SendContent(id, content, end);
  }

  ServerRecorder recorder;
  ServerCodec codec;
};

struct MessageCase {
  const char* name;
  std::string bytes;
  const char* events;
  const char* sent;  // after a Produce whose events count as well
};

constexpr char kMalformed[] = "reset 1 protocol";
constexpr char kResets[] = "RST_STREAM 1 code=1";

Lines With(Lines lines, size_t at, std::string name, std::string value) {
  lines.insert(lines.begin() + static_cast<ptrdiff_t>(at), {std::move(name), std::move(value)});
  return lines;
}
Lines Without(Lines lines, std::string_view name) {
  std::erase_if(lines, [name](const auto& line) { return line.first == name; });
  return lines;
}
Lines Replaced(std::string_view name, std::string value, std::string method = "GET") {
  Lines lines = Request(method, "/");
  for (auto& [n, v] : lines) {
    if (n == name) v = value;
  }
  return lines;
}
std::string Get(const Lines& lines) {
  return Headers(1, lines, kEndStream);
}
std::string Get(std::string name, std::string value) {
  return Get(Request("GET", "/", {{name, value}}));
}
std::string Post(std::string length) {
  return Headers(1, Request("POST", "/", {{"content-length", length}}));
}

std::vector<MessageCase> MessageCases() {
  const Lines get = Request("GET", "/");
  return {
      {"plain", Get(get), "request 1 GET https://a.test/ []; end 1", ""},
      {"query and odd bytes", Get(Request("GET", "/a%20b?x={1}|2")),
       "request 1 GET https://a.test/a%20b?x={1}|2 []; end 1", ""},
      {"asterisk", Get(Request("OPTIONS", "*")), "request 1 OPTIONS https://a.test* []; end 1", ""},
      {"authority in lower case", Get(Replaced(":authority", "A.Test:8443")),
       "request 1 GET https://a.test:8443/ []; end 1", ""},
      {"same host is dropped", Get("host", "A.TEST"), "request 1 GET https://a.test/ []; end 1", ""},
      {"host for authority", Get(With(Without(get, ":authority"), 3, "host", "B.test")),
       "request 1 GET https://b.test/ []; end 1", ""},
      {"crumbs", Get(Request("GET", "/", {{"cookie", "a=1"}, {"n", "v"}, {"cookie", "b=2"}})),
       "request 1 GET https://a.test/ [n=v,cookie=a=1; b=2]; end 1", ""},
      {"te trailers", Get("te", "trailers"), "request 1 GET https://a.test/ [te=trailers]; end 1", ""},
      {"expect without content", Get("expect", "100-Continue"), "request 1 GET https://a.test/ []; end 1", ""},
      {"expect", Headers(1, Request("POST", "/", {{"expect", "100-Continue"}})),
       "request 1 POST https://a.test/ [] continue", ""},
      {"obs-text", Get("n", "\xc3\xa9"), "request 1 GET https://a.test/ [n=\xc3\xa9]; end 1", ""},
      {"continuation", Headers(1, get, kEndStream, 10), "request 1 GET https://a.test/ []; end 1", ""},
      {"content", Post("3") + Data(1, "abc", kEndStream),
       "request 1 POST https://a.test/ [content-length=3]; content 1 abc; end 1", ""},
      {"padded content",
       Post("3") + Data(1,
                        std::string("\x02"
                                    "abc\0\0",
                                    6),
                        kEndStream | kPadded),
       "request 1 POST https://a.test/ [content-length=3]; content 1 abc; end 1", ""},
      {"trailers", Headers(1, get) + Data(1, "abc") + Headers(1, {{"t", "1"}, {"authorization", "x"}}, kEndStream),
       "request 1 GET https://a.test/ []; content 1 abc; trailers 1 [t=1]; end 1", ""},
      // Malformed: RFC 9113 section 8.1.1.
      {"upper case name", Get("Name", "v"), kMalformed, kResets},
      {"space in name", Get("na me", "v"), kMalformed, kResets},
      {"empty name", Get("", "v"), kMalformed, kResets},
      {"colon in name", Get("a:b", "v"), kMalformed, kResets},
      {"newline in value", Get("n", "a\nb"), kMalformed, kResets},
      {"zero in value", Get("n", std::string("a\0b", 3)), kMalformed, kResets},
      {"space before value", Get("n", " v"), kMalformed, kResets},
      {"space after value", Get("n", "v\t"), kMalformed, kResets},
      {"connection", Get("connection", "close"), kMalformed, kResets},
      {"keep-alive", Get("keep-alive", "1"), kMalformed, kResets},
      {"proxy-connection", Get("proxy-connection", "close"), kMalformed, kResets},
      {"transfer-encoding", Get("transfer-encoding", "chunked"), kMalformed, kResets},
      {"upgrade", Get("upgrade", "h2c"), kMalformed, kResets},
      {"te other", Get("te", "gzip"), kMalformed, kResets},
      {"te list", Get("te", "trailers, gzip"), kMalformed, kResets},
      {"no method", Get(Without(get, ":method")), kMalformed, kResets},
      {"no scheme", Get(Without(get, ":scheme")), kMalformed, kResets},
      {"no path", Get(Without(get, ":path")), kMalformed, kResets},
      {"no authority", Get(Without(get, ":authority")), kMalformed, kResets},
      {"two methods", Get(With(get, 1, ":method", "GET")), kMalformed, kResets},
      {"two paths", Get(With(get, 1, ":path", "/")), kMalformed, kResets},
      {"two authorities", Get(With(get, 1, ":authority", "a.test")), kMalformed, kResets},
      {"pseudo-field after field", Get(With(get, 0, "n", "v")), kMalformed, kResets},
      {"response pseudo-field", Get(With(get, 0, ":status", "200")), kMalformed, kResets},
      {"unknown pseudo-field", Get(With(get, 0, ":other", "v")), kMalformed, kResets},
      {"protocol not offered", Get(With(Replaced(":method", "CONNECT"), 0, ":protocol", "websocket")), kMalformed,
       kResets},
      {"empty path", Get(Replaced(":path", "")), kMalformed, kResets},
      {"relative path", Get(Replaced(":path", "a")), kMalformed, kResets},
      {"absolute form", Get(Replaced(":path", "https://a.test/")), kMalformed, kResets},
      {"asterisk for GET", Get(Replaced(":path", "*")), kMalformed, kResets},
      {"fragment", Get(Replaced(":path", "/#f")), kMalformed, kResets},
      {"space in path", Get(Replaced(":path", "/a b")), kMalformed, kResets},
      {"non-ASCII path", Get(Replaced(":path", "/\xc3\xa9")), kMalformed, kResets},
      {"method no token", Get(Replaced(":method", "G(T")), kMalformed, kResets},
      {"user information", Get(Replaced(":authority", "u@a.test")), kMalformed, kResets},
      {"bad port", Get(Replaced(":authority", "a.test:99999")), kMalformed, kResets},
      {"other host", Get("host", "b.test"), kMalformed, kResets},
      {"two hosts", Get(Request("GET", "/", {{"host", "a.test"}, {"host", "a.test"}})), kMalformed, kResets},
      {"length is no number", Post("3x"), kMalformed, kResets},
      {"length is negative", Post("-1"), kMalformed, kResets},
      {"two lengths", Headers(1, Request("POST", "/", {{"content-length", "3"}, {"content-length", "3"}})), kMalformed,
       kResets},
      {"length and no content", Get("content-length", "3"), kMalformed, kResets},
      {"content too short", Post("3") + Data(1, "ab", kEndStream),
       "request 1 POST https://a.test/ [content-length=3]; content 1 ab; reset 1 protocol", kResets},
      {"content too long", Post("3") + Data(1, "abc") + Data(1, "d"),
       "request 1 POST https://a.test/ [content-length=3]; content 1 abc; reset 1 protocol", kResets},
      {"pseudo-field in trailers", Headers(1, get) + Headers(1, {{":path", "/"}}, kEndStream),
       "request 1 GET https://a.test/ []; reset 1 protocol", kResets},
      {"trailers without end", Headers(1, get) + Headers(1, {{"t", "1"}}),
       "request 1 GET https://a.test/ []; reset 1 protocol", kResets},
      // Sound, and refused with a status.
      {"connect", Headers(1, {{":method", "CONNECT"}, {":authority", "a.test:443"}}), "bad 1 501", ""},
      {"other expectation", Get("expect", "x"), "bad 1 417", ""},
      {"other scheme", Get(Replaced(":scheme", "ftp")), "bad 1 400", ""},
      // Stream errors that are not about the message.
      {"window overflow", Headers(1, get) + WindowUpdate(1, 0x7fffffff),
       "request 1 GET https://a.test/ []; reset 1 protocol", "RST_STREAM 1 code=3"},
  };
}

TEST(Http2ServerCodec, MessagesWholeAndInEverySplit) {
  for (const MessageCase& row : MessageCases()) {
    SCOPED_TRACE(row.name);
    for (size_t split = 0; split <= row.bytes.size(); ++split) {
      Server server;
      EXPECT_TRUE(server.Feed(row.bytes.substr(0, split)));
      EXPECT_TRUE(server.Feed(row.bytes.substr(split)));
      ASSERT_EQ(server.Sent(), row.sent) << "split " << split;
      ASSERT_EQ(server.recorder.Take(), row.events) << "split " << split;
    }
    Server server;
    for (const char byte : row.bytes)
      EXPECT_TRUE(server.Feed({&byte, 1}));
    EXPECT_EQ(server.Sent(), row.sent);
    EXPECT_EQ(server.recorder.Take(), row.events);
    // The connection, and HPACK's state with it, is as good as before.
    EXPECT_TRUE(server.Feed(Headers(3, Request("GET", "/3"), kEndStream)));
    EXPECT_EQ(server.recorder.Take(), "request 3 GET https://a.test/3 []; end 3");
  }
}

struct ConnectionCase {
  const char* name;
  std::string bytes;
  uint32_t code;
};

std::vector<ConnectionCase> ConnectionCases() {
  const std::string get = Headers(1, Request("GET", "/"), kEndStream);
  const std::string open = Headers(1, Request("POST", "/"));
  std::string many_pieces = Frame(kHeaders, 0, 1, Block(Request("GET", "/")));
  for (int i = 0; i < 50; ++i)
    many_pieces += Frame(kContinuation, 0, 1, "");
  return {
      {"data on an idle stream", Data(1, "a"), 1},
      {"data on stream 0", Data(0, "a"), 1},
      {"data after the end", open + Data(1, "a", kEndStream) + Data(1, "b"), 5},
      {"headers after the end", get + get, 5},
      {"headers after the peer's reset", open + RstStream(1, 8) + open, 5},
      {"data after the peer's reset", open + RstStream(1, 8) + Data(1, "a"), 5},
      {"id goes backwards", Headers(5, Request("GET", "/"), kEndStream) + Headers(3, Request("GET", "/"), kEndStream),
       1},
      {"even id", Headers(2, Request("GET", "/"), kEndStream), 1},
      {"reset of an idle stream", RstStream(1, 8), 1},
      {"window of an idle stream", WindowUpdate(1, 1), 1},
      {"window overflow", WindowUpdate(0, 0x7fffffff), 3},
      {"no window", WindowUpdate(0, 0), 1},
      {"priority of the connection", Frame(2, 0, 0, Number(3, 4) + "x"), 1},
      {"push", Frame(kPushPromise, kEndHeaders, 1, Number(2, 4)), 1},
      {"continuation alone", Frame(kContinuation, kEndHeaders, 1, ""), 1},
      {"other frame inside headers", Frame(kHeaders, 0, 1, "") + Ping(), 1},
      {"continuations without end", many_pieces, 11},
      {"bad compression", Frame(kHeaders, kEndHeaders, 1, "\xff\xff\xff\xff\xff\xff"), 9},
      {"frame too large", Frame(kData, 0, 1, std::string(16385, 'a')), 6},
      {"ping too short", Frame(kPing, 0, 0, "a"), 6},
      {"settings too short", Frame(kSettings, 0, 0, "a"), 6},
      {"bad window setting", Setting(4, 0x80000000), 3},
      {"bad frame size setting", Setting(5, 1), 1},
      {"padding too long",
       open + Frame(kData, kPadded, 1,
                    "\x09"
                    "a"),
       1},
  };
}

TEST(Http2ServerCodec, ConnectionErrors) {
  for (const ConnectionCase& row : ConnectionCases()) {
    SCOPED_TRACE(row.name);
    for (const bool bytewise : {false, true}) {
      Server server;
      if (bytewise) {
        for (const char byte : row.bytes)
          server.Feed({&byte, 1});
      } else {
        server.Feed(row.bytes);
      }
      const std::vector<std::string> sent = server.Produce();
      ASSERT_FALSE(sent.empty());
      EXPECT_TRUE(sent.back().starts_with("GOAWAY 0")) << sent.back();
      EXPECT_TRUE(sent.back().ends_with("code=" + std::to_string(row.code))) << sent.back();
      EXPECT_TRUE(server.codec.WantsClose());
      EXPECT_FALSE(server.codec.error().empty());
      EXPECT_FALSE(server.Feed(Ping()));
      EXPECT_TRUE(server.codec.Idle());
    }
  }
}

TEST(Http2ServerCodec, BadPreface) {
  ServerRecorder recorder;
  ServerCodec codec(recorder, Limits());
  EXPECT_FALSE(codec.Feed(base::Slice::Static("GET / HTTP/1.1\r\nhost: a.test\r\n\r\n")));
  EXPECT_EQ(codec.error(), "no HTTP/2 connection preface");
}

TEST(Http2ServerCodec, FramesAfterOurResetAreIgnored) {
  Server server;
  server.Feed(Headers(1, Request("POST", "/")));
  server.codec.Reset(1, ResetReason::kCancelled);
  EXPECT_EQ(server.Sent(), "RST_STREAM 1 code=8");
  EXPECT_TRUE(server.Feed(Data(1, "late") + Headers(1, {{"t", "1"}}, kEndStream)));
  EXPECT_EQ(server.Sent(), "");
  EXPECT_EQ(server.recorder.Take(), "request 1 POST https://a.test/ []");
  EXPECT_EQ(server.codec.misbehaviours(), 0);
}

TEST(Http2ServerCodec, ResetReasonsBothWays) {
  struct {
    uint32_t code;
    const char* reason;
  } received[] = {{0, "no-error"}, {1, "protocol"},  {2, "internal"},
                  {7, "refused"},  {8, "cancelled"}, {99, "internal"}};
  for (const auto& row : received) {
    Server server;
    server.Feed(Headers(1, Request("POST", "/")) + RstStream(1, row.code));
    EXPECT_EQ(server.recorder.Take(), std::string("request 1 POST https://a.test/ []; reset 1 ") + row.reason);
    EXPECT_TRUE(server.codec.Idle());
  }
  struct {
    ResetReason reason;
    const char* sent;
  } given[] = {{ResetReason::kCancelled, "RST_STREAM 1 code=8"}, {ResetReason::kRefused, "RST_STREAM 1 code=7"},
               {ResetReason::kProtocol, "RST_STREAM 1 code=1"},  {ResetReason::kClosed, "RST_STREAM 1 code=8"},
               {ResetReason::kInternal, "RST_STREAM 1 code=2"},  {ResetReason::kNoError, "RST_STREAM 1 code=0"},
               {ResetReason::kTooLarge, "RST_STREAM 1 code=8"}};
  for (const auto& row : given) {
    Server server;
    server.Feed(Headers(1, Request("POST", "/")));
    server.codec.Reset(1, row.reason);
    EXPECT_EQ(server.Sent(), row.sent);
    EXPECT_EQ(server.recorder.Take(), "request 1 POST https://a.test/ []");
    EXPECT_TRUE(server.codec.Idle());
  }
}

TEST(Http2ServerCodec, EarlyResponseStopsTheRequest) {
  Server server;
  server.Feed(Headers(1, Request("POST", "/")) + Data(1, "abc"));
  server.Respond(1, 413, true);
  EXPECT_EQ(server.Sent(), "HEADERS 1 end; RST_STREAM 1 code=0");
  EXPECT_EQ(server.recorder.Take(), "request 1 POST https://a.test/ []; content 1 abc; reset 1 no-error");
  EXPECT_TRUE(server.Feed(Data(1, "late", kEndStream)));
  EXPECT_EQ(server.recorder.Take(), "");
  EXPECT_EQ(server.codec.misbehaviours(), 0);
}

TEST(Http2ServerCodec, ResponseWithInformationalContentAndTrailers) {
  Server server;
  server.Feed(Headers(1, Request("GET", "/"), kEndStream));
  server.Respond(1, 103, false);
  server.Respond(1, 200, false);
  EXPECT_EQ(server.Sent(), "HEADERS 1; HEADERS 1");
  server.Content(1, "hello", false);
  base::Arena arena;
  Fields trailers(arena);
  trailers.Add("t", "1");
  server.codec.SendTrailers(1, trailers);
  EXPECT_EQ(server.Sent(), "DATA 1 bytes=5; HEADERS 1 end");
  EXPECT_TRUE(server.codec.Idle());
  // No trailers to speak of: the end comes with DATA.
  server.Feed(Headers(3, Request("GET", "/"), kEndStream));
  server.Respond(3, 200, false);
  server.codec.SendTrailers(3, Fields(arena));
  EXPECT_EQ(server.Sent(), "HEADERS 3; DATA 3 bytes=0 end");
  // Trailers without content: no empty DATA before them.
  server.Feed(Headers(5, Request("GET", "/"), kEndStream));
  server.Respond(5, 200, false);
  server.codec.SendTrailers(5, trailers);
  EXPECT_EQ(server.Sent(), "HEADERS 5; HEADERS 5 end");
}

TEST(Http2ServerCodec, LimitsAreAnswered) {
  Limits limits;
  limits.field_count_max = 5;
  limits.head_bytes_max = 1000;
  limits.target_bytes_max = 100;
  limits.trailer_bytes_max = 100;
  Lines crumbs;
  for (int i = 0; i < 6; ++i)
    crumbs.push_back({"cookie", "a"});
  const std::string target = "/" + std::string(100, 'a');
  const Lines large = {{"n", std::string(1000, 'a')}, {"m", "v"}};
  const struct {
    const char* name;
    std::string bytes;
    const char* events;
  } rows[] = {
      {"fields at the limit", Get(Request("GET", "/", {{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}, {"e", ""}})),
       "request 1 GET https://a.test/ [a=,b=,c=,d=,e=]; end 1"},
      {"one crumb too many", Get(Request("GET", "/", crumbs)), "bad 1 431"},
      {"target", Get(Request("GET", target)), "bad 1 414"},
      {"head", Get(Request("GET", "/", large)), "bad 1 431"},
      {"head, content dropped", Headers(1, Request("POST", "/", large)) + Data(1, "a") + Data(1, "b", kEndStream),
       "bad 1 431"},
      {"malformed goes first", Get(With(Request("GET", "/", large), 6, "Upper", "v")), "reset 1 protocol"},
      {"trailers", Headers(1, Request("POST", "/")) + Headers(1, large, kEndStream),
       "request 1 POST https://a.test/ []; bad 1 431"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Server server(limits);
    EXPECT_TRUE(server.Feed(row.bytes));
    server.Produce();
    const std::string events = server.recorder.Take();
    EXPECT_EQ(events, row.events);
    if (events.find("bad") == std::string::npos) continue;
    server.Respond(1, 431, true);
    EXPECT_EQ(server.Sent(), "HEADERS 1 end");
    EXPECT_EQ(server.recorder.Take(), "");
    EXPECT_TRUE(server.codec.Idle());
  }
}

// `count` lines of 4 KiB.
Lines Large(int count) {
  Lines lines;
  for (int i = 0; i < count; ++i)
    lines.push_back({"n" + std::to_string(i), std::string(4000, 'a')});
  return Request("GET", "/", lines);
}

// Beside what each row says: whatever is answered leaves the connection as good as before.
TEST(Http2ServerCodec, AHeadThatIsTooLargeIsAnsweredWithinAHardBound) {
  const auto index = [](size_t count) {  // a line of 4 KiB into the table, and then `count` times one byte for it
    return Frame(kHeaders, kEndHeaders | kEndStream, 1,
                 Block(Request("GET", "/")) + "\x40" + Literal("n") + Literal(std::string(3900, 'a')) +
                     std::string(count, '\xbe'));
  };
  const struct {
    const char* name;
    size_t head_bytes_max;
    std::string bytes;
    const char* event;  // the beginning
    const char* sent;
  } rows[] = {
      {"below the limit", 65536, Get(Large(15)), "request 1", ""},
      {"above it", 65536, Get(Large(17)), "bad 1 431", ""},
      {"three times", 65536, Get(Large(50)), "bad 1 431", ""},
      {"in small frames", 65536, Headers(1, Large(17), kEndStream, 4096), "bad 1 431", ""},
      {"beyond the hard bound", 65536, Get(Large(70)), "reset 1 closed", "code=11"},
      {"a small limit, above it", 1024, Get(Large(50)), "bad 1 431", ""},
      {"a large limit, below it", 1 << 20, Get(Large(90)), "request 1", ""},
      {"indexes for too much", 65536, index(30), "bad 1 431", ""},
      {"indexes for far too much", 65536, index(100), "reset 1 closed", "code=11"},
      {"one value of more than nghttp2 takes", 65536, Get("n", std::string(70'000, 'a')), "reset 1 closed", "code=9"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Limits limits;
    limits.head_bytes_max = row.head_bytes_max;
    Server server(limits);
    server.Feed(row.bytes);
    const std::string sent = server.Sent();
    EXPECT_TRUE(sent.ends_with(row.sent)) << sent;
    const std::string events = server.recorder.Take();
    EXPECT_TRUE(events.starts_with(row.event)) << events.substr(0, 100);
    if (*row.sent != '\0') continue;
    EXPECT_EQ(sent, "");
    EXPECT_TRUE(server.Feed(Headers(3, Request("GET", "/3"), kEndStream)));
    EXPECT_EQ(server.recorder.Take(), "request 3 GET https://a.test/3 []; end 3");
  }
}

TEST(Http2ServerCodec, RefusedRequestWithoutEndIsStopped) {
  Limits limits;
  limits.stream_window_bytes = 65535;
  limits.head_bytes_max = 200;
  Server server(limits);
  server.Feed(Headers(1, Request("POST", "/", {{"n", std::string(200, 'a')}})));
  std::string sent;
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(server.Feed(Data(1, std::string(16000, 'a'))));
    sent += server.Sent();
  }
  EXPECT_EQ(server.recorder.Take(), "bad 1 431");
  EXPECT_NE(sent.find("WINDOW_UPDATE 1"), std::string::npos);
  server.Respond(1, 431, true);
  EXPECT_EQ(server.Sent(), "HEADERS 1 end; RST_STREAM 1 code=0");
  EXPECT_EQ(server.recorder.Take(), "");
}

TEST(Http2ServerCodec, TrailersTooLargeAfterTheResponseBegan) {
  Limits limits;
  limits.trailer_bytes_max = 100;
  Server server(limits);
  server.Feed(Headers(1, Request("POST", "/")));
  server.Respond(1, 200, false);
  server.Feed(Headers(1, {{"t", std::string(100, 'a')}}, kEndStream));
  EXPECT_EQ(server.Sent(), "RST_STREAM 1 code=8");
  EXPECT_EQ(server.recorder.Take(), "request 1 POST https://a.test/ []; reset 1 too-large");
}

TEST(Http2ServerCodec, WindowsAreGivenBackByWhoHoldsThem) {
  Limits limits;
  limits.stream_window_bytes = 40000;
  limits.connection_window_bytes = 100000;
  Server server(limits);
  EXPECT_TRUE(server.Feed(Frame(kSettings, kAck, 0, "")));
  server.Feed(Headers(1, Request("POST", "/")) + Headers(3, Request("POST", "/")));
  const std::string piece(16000, 'a');
  server.Feed(Data(1, piece) + Data(1, piece));
  EXPECT_EQ(server.Sent(), "") << "neither window is half used";
  // Stream 1 is stuck; stream 3 is consumed and goes on for ever, the connection's window with it.
  for (int i = 0; i < 20; ++i) {
    server.Feed(Data(3, piece));
    server.codec.Consumed(3, piece.size());
    EXPECT_TRUE(server.Feed("")) << i;
    server.Produce();
  }
  EXPECT_EQ(server.recorder.content_bytes(3), 20 * piece.size());
  EXPECT_FALSE(server.codec.WantsClose());
  server.codec.Consumed(1, 2 * piece.size());
  EXPECT_EQ(server.Sent(), "WINDOW_UPDATE 1 bytes=32000");
  // More than the window: the stream alone is at fault.
  server.Feed(Data(1, piece) + Data(1, piece) + Data(1, piece));
  EXPECT_NE(server.Sent().find("RST_STREAM 1 code=3"), std::string::npos);
}

TEST(Http2ServerCodec, SendMarks) {
  Server server;
  server.Feed(Headers(1, Request("GET", "/"), kEndStream) + WindowUpdate(0, 1 << 20));
  server.Respond(1, 200, false);
  server.Content(1, std::string(200000, 'a'), false);
  EXPECT_EQ(server.codec.Unsent(1), 200000);
  server.recorder.Take();
  server.Produce();
  EXPECT_EQ(server.codec.Unsent(1), 200000 - 65535) << "the stream's window";
  EXPECT_EQ(server.recorder.Take(), "");
  server.Feed(WindowUpdate(1, 80000));
  server.Produce();
  EXPECT_EQ(server.codec.Unsent(1), 200000 - 65535 - 80000);
  EXPECT_EQ(server.recorder.Take(), "ready 1");
  server.Content(1, "", true);
  server.Feed(WindowUpdate(1, 80000));
  EXPECT_TRUE(server.Sent().ends_with(" end"));
  EXPECT_EQ(server.recorder.Take(), "");
  EXPECT_TRUE(server.codec.Idle());
}

// Nobody but the codec knows that it was a HEAD, and a client takes content after it for a broken message.
TEST(Http2ServerCodec, ARefusedHeadIsAnsweredWithTheHeadAlone) {
  const std::string target(9000, 'a');
  const Lines late = {{":path", "/" + target}, {":scheme", "https"}, {":authority", "a.test"}, {":method", "HEAD"}};
  const struct {
    const char* name;
    std::string bytes;
    const char* events;
    const char* sent;
  } rows[] = {
      {"target", Get(Request("HEAD", "/" + target)), "bad 1 414", "HEADERS 1 end"},
      {"method after the target", Get(late), "bad 1 414", "HEADERS 1 end"},
      {"head", Get(Request("HEAD", "/", {{"x", std::string(65'500, 'a')}})), "bad 1 431", "HEADERS 1 end"},
      {"expectation", Get(Request("HEAD", "/", {{"expect", "tea"}})), "bad 1 417", "HEADERS 1 end"},
      {"scheme", Get(Replaced(":scheme", "ftp", "HEAD")), "bad 1 400", "HEADERS 1 end"},
      {"another method", Get(Request("GET", "/" + target)), "bad 1 414", "HEADERS 1; DATA 1 bytes=3 end"},
  };
  for (const auto& row : rows) {
    Server server;
    EXPECT_TRUE(server.Feed(row.bytes)) << row.name;
    EXPECT_TRUE(server.recorder.Take().starts_with(row.events)) << row.name;
    server.Respond(1, 400, false);
    server.Content(1, "why", true);
    EXPECT_EQ(server.Sent(), row.sent) << row.name;
    EXPECT_TRUE(server.codec.Idle()) << row.name;
  }
}

// Streams that are asked for content, of which `bytes` wait on each; the client takes none of it until it says so.
struct Crowd {
  explicit Crowd(std::vector<size_t> bytes) : server(WithBound()) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      const auto id = static_cast<StreamId>(2 * i + 1);
      server.Feed(Headers(id, Request("GET", "/"), kEndStream));
      server.Respond(id, 200, false);
      server.Content(id, std::string(bytes[i], 'a'), false);
    }
    server.recorder.Take();
  }
  static Limits WithBound() {
    Limits limits;
    limits.connection_unsent_bytes_max = 200'000;
    return limits;
  }
  // What each stream says to TakesMore.
  std::string Takes() {
    std::string all;
    for (StreamId id = 1; server.codec.Unsent(id) > 0; id += 2)
      all += server.codec.TakesMore(id) ? '+' : '-';
    return all;
  }
  Server server;
};

TEST(Http2ServerCodec, ContentThatWaitsIsBoundedPerConnection) {
  const size_t share = 16 * 1024;
  const struct {
    const char* name;
    std::vector<size_t> bytes;
    const char* takes;
  } rows[] = {
      {"one below its mark", {200'000}, "+"},
      {"together at the bound", {100'000, 100'000}, "++"},
      {"together above it", {100'000, 100'001}, "--"},
      {"who has next to nothing goes on", {100'000, 100'000, share, share + 1}, "--+-"},
      {"one above its own mark", {kSendHighMarkBytes + 1}, "-"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(Crowd(row.bytes).Takes(), row.takes) << row.name;
}

TEST(Http2ServerCodec, WhoWasCrowdedOutHearsOfRoom) {
  const struct {
    const char* name;
    void (*frees)(Server& server);
    const char* told;
  } rows[] = {
      {"what the connection's window lets out", [](Server&) {}, "ready 1"},
      {"we reset another", [](Server& server) { server.codec.Reset(1, ResetReason::kCancelled); }, "ready 3"},
      {"the client resets another", [](Server& server) { server.Feed(RstStream(1, 8)); }, "reset 1 cancelled; ready 3"},
      {"all is taken",
       [](Server& server) {
         server.Feed(WindowUpdate(0, 1 << 20) + WindowUpdate(1, 1 << 20) + WindowUpdate(3, 1 << 20));
       },
       "ready 1; ready 3"},
      {"its own is taken", [](Server& server) { server.Feed(WindowUpdate(0, 1 << 20) + WindowUpdate(3, 1 << 20)); },
       "ready 1; ready 3"},
  };
  for (const auto& row : rows) {
    Crowd crowd({110'000, 95'000});
    EXPECT_EQ(crowd.Takes(), "--");
    row.frees(crowd.server);
    crowd.server.Produce();
    EXPECT_EQ(crowd.server.recorder.Take(), row.told) << row.name;
  }
}

TEST(Http2ServerCodec, WhoWasCrowdedOutFirstHearsOfRoomFirst) {
  Crowd crowd({30'000, 30'000, 30'000, 150'000});
  crowd.server.Feed(Setting(4, 0));  // no window: nothing leaves by itself
  for (const StreamId id : {5, 1, 3})
    EXPECT_FALSE(crowd.server.codec.TakesMore(id)) << id;
  crowd.server.codec.Reset(7, ResetReason::kCancelled);
  crowd.server.Produce();
  EXPECT_EQ(crowd.server.recorder.Take(), "ready 5; ready 1; ready 3");
}

// Two streams hold all of the bound and are never read; a third is read and never starves.
TEST(Http2ServerCodec, WhoIsReadGoesOnWhateverOthersHold) {
  Crowd crowd({300'000, 300'000, 1});
  crowd.server.Feed(WindowUpdate(0, 4 << 20));
  crowd.server.Produce();
  EXPECT_GT(crowd.server.codec.Unsent(1) + crowd.server.codec.Unsent(3), 400'000u);
  for (int i = 0; i < 30; ++i) {
    crowd.server.recorder.Take();
    crowd.server.Content(5, std::string(60'000, 'a'), false);
    EXPECT_FALSE(crowd.server.codec.TakesMore(5)) << i;
    crowd.server.Feed(WindowUpdate(5, 60'000));
    crowd.server.Produce();
    ASSERT_EQ(crowd.server.recorder.Take(), "ready 5") << i;
    ASSERT_TRUE(crowd.server.codec.TakesMore(5)) << i;
  }
}

// A piece of 2000 bytes in a block of 16 KiB: what waits must not hold eight times its size.
TEST(Http2ServerCodec, SmallPiecesThatWaitAreCopiedTogether) {
  base::BlockPool pool;
  {
    ServerRecorder recorder;
    ServerCodec codec(recorder, Limits(), &pool);
    codec.Feed(base::Slice::Copy(std::string(kPreface) + Settings() + Headers(1, Request("GET", "/"), kEndStream)));
    base::Arena arena;
    ResponseHead head(arena);
    head.status = 200;
    codec.SendResponse(1, head, false);
    for (int i = 0; i < 100; ++i) {
      base::Block* block = pool.Get();
      std::fill_n(block->bytes(), 2000, static_cast<char>('a' + i % 26));
      base::Buffer content;
      content.Append(base::Slice::Adopt(block, 2000));
      codec.SendContent(1, content, i == 99);
    }
    EXPECT_LT(pool.blocks_in_use(), 30u);
    codec.Feed(base::Slice::Copy(WindowUpdate(0, 1 << 20) + WindowUpdate(1, 1 << 20)));
    base::Buffer out;
    codec.Produce(out);
    std::string sent = out.ToString(), content;
    for (std::string_view rest = sent; !rest.empty(); rest.remove_prefix(9 + ReadNumber(rest.substr(0, 3)))) {
      if (rest[3] == kData) content += rest.substr(9, ReadNumber(rest.substr(0, 3)));
    }
    ASSERT_EQ(content.size(), 200'000u);
    for (size_t i = 0; i < content.size(); i += 1000)
      ASSERT_EQ(content[i], static_cast<char>('a' + i / 2000 % 26)) << i;
  }
  EXPECT_EQ(pool.blocks_in_use(), 0u);
}

TEST(Http2ServerCodec, ProduceStopsAtTheHighMark) {
  Server server;
  server.Feed(Setting(4, 4 << 20) + WindowUpdate(0, 4 << 20) + Headers(1, Request("GET", "/"), kEndStream));
  server.Respond(1, 200, false);
  server.Content(1, std::string(2 << 20, 'a'), true);
  base::Buffer out;
  server.codec.Produce(out);
  EXPECT_GE(out.size(), kSendHighMarkBytes);
  EXPECT_LT(out.size(), kSendHighMarkBytes + 17000);
  size_t content = 0;
  while (!server.codec.Idle()) {
    for (const std::string& line : Describe(out.ToString())) {
      if (line.starts_with("DATA 1 bytes=")) content += static_cast<size_t>(std::stoul(line.substr(13)));
    }
    out.Clear();
    server.codec.Produce(out);
  }
  for (const std::string& line : Describe(out.ToString())) {
    if (line.starts_with("DATA 1 bytes=")) content += static_cast<size_t>(std::stoul(line.substr(13)));
  }
  EXPECT_EQ(content, 2u << 20);
}

TEST(Http2ServerCodec, DrainWarnsThenCloses) {
  Server server;
  server.codec.Drain(false);
  server.codec.Drain(false);
  EXPECT_EQ(server.Sent(), "GOAWAY 0 last=2147483647 code=0");
  EXPECT_FALSE(server.codec.WantsClose());
  server.Feed(Headers(1, Request("GET", "/"), kEndStream));
  server.codec.Drain(true);
  server.codec.Drain(true);
  EXPECT_EQ(server.Sent(), "GOAWAY 0 last=1 code=0");
  EXPECT_FALSE(server.codec.WantsClose());
  EXPECT_TRUE(server.Feed(Headers(3, Request("GET", "/3")) + Data(3, "a", kEndStream))) << "ignored";
  server.Respond(1, 200, true);
  EXPECT_EQ(server.Sent(), "HEADERS 1 end");
  EXPECT_EQ(server.recorder.Take(), "request 1 GET https://a.test/ []; end 1");
  EXPECT_TRUE(server.codec.WantsClose());
}

TEST(Http2ServerCodec, FeedEndResetsWhatIsUnderWay) {
  Server server;
  server.Feed(Headers(1, Request("POST", "/")) + Headers(3, Request("GET", "/"), kEndStream));
  server.recorder.Take();
  server.Respond(3, 200, true);
  server.codec.FeedEnd(true);
  EXPECT_EQ(server.recorder.Take(), "reset 1 closed");
  EXPECT_TRUE(server.codec.Idle());
  EXPECT_TRUE(server.codec.WantsClose());
  EXPECT_EQ(server.Sent(), "");
}

TEST(Http2ServerCodec, ConcurrentStreamsAreBounded) {
  Limits limits;
  limits.streams_max = 2;
  Server server(limits);
  std::string bytes;
  for (uint32_t id = 1; id <= 5; id += 2)
    bytes += Headers(id, Request("GET", "/"), kEndStream);
  server.Feed(bytes);
  EXPECT_EQ(server.Sent(), "RST_STREAM 5 code=7") << "the limit is not acknowledged yet: refused";
  server.Feed(Frame(kSettings, kAck, 0, "") + Headers(7, Request("GET", "/"), kEndStream));
  EXPECT_EQ(server.Sent(), "GOAWAY 0 last=3 code=1");
}

struct FloodCase {
  const char* name;
  std::string (*piece)(uint32_t id);
  bool punished;
};

TEST(Http2ServerCodec, FloodsEndTheConnection) {
  const FloodCase rows[] = {
      {"rapid reset", [](uint32_t id) { return Headers(id, Request("GET", "/"), kEndStream) + RstStream(id, 8); },
       true},
      {"made you reset by message", [](uint32_t id) { return Headers(id, Request("GET", "a"), kEndStream); }, true},
      {"made you reset by window",
       [](uint32_t id) { return Headers(id, Request("GET", "/"), kEndStream) + WindowUpdate(id, 0x7fffffff); }, true},
      {"made you reset by length",
       [](uint32_t id) { return Headers(id, Request("GET", "/", {{"content-length", "1"}})) + Data(id, "ab"); }, true},
      {"empty data", [](uint32_t id) { return id == 1 ? Headers(1, Request("POST", "/")) : Data(1, ""); }, true},
      {"pings", [](uint32_t) { return Ping() + Ping(); }, true},
      {"settings", [](uint32_t) { return Settings() + Settings(); }, true},
      {"priorities",
       [](uint32_t) {
         return Frame(kPriority, 0, 9999, Number(0, 4) + "a") + Frame(kPriority, 0, 9999, Number(0, 4) + "a");
       },
       true},
      {"unknown frames", [](uint32_t) { return Frame(0x77, 0, 0, "") + Frame(0x77, 0, 0, ""); }, true},
      {"one ping each turn", [](uint32_t) { return Ping(); }, false},
      {"content", [](uint32_t id) { return id == 1 ? Headers(1, Request("POST", "/")) : Data(1, "a"); }, false},
  };
  for (const FloodCase& row : rows) {
    for (const bool reads : {true, false}) {
      SCOPED_TRACE(std::string(row.name) + (reads ? ", reads" : ", does not read"));
      if (!reads && !row.punished) continue;
      Limits limits;
      limits.misbehaviour_max = 20;
      Server server(limits);
      std::vector<std::string> sent;
      int pieces = 0;
      bool open = true;
      for (; open && pieces < 300; ++pieces) {
        open = server.Feed(row.piece(static_cast<uint32_t>(2 * pieces + 1)));
        if (reads && !server.codec.WantsClose()) sent = server.Produce();
        open = open && !server.codec.WantsClose();
      }
      if (!row.punished) {
        EXPECT_TRUE(open);
        EXPECT_EQ(server.codec.misbehaviours(), 0);
        continue;
      }
      EXPECT_FALSE(open);
      // What shows only when the RST_STREAM leaves is bounded by the concurrent streams until then.
      EXPECT_LE(pieces, reads ? 25 : 205);
      if (!server.codec.WantsClose()) sent = server.Produce();
      ASSERT_FALSE(sent.empty());
      EXPECT_TRUE(sent.back().ends_with("code=11")) << sent.back();
      EXPECT_TRUE(server.codec.WantsClose());
      EXPECT_EQ(server.codec.error(), "the peer misbehaves");
    }
  }
}

TEST(Http2ServerCodec, GoodStreamsPayForResets) {
  Limits limits;
  limits.misbehaviour_max = 3;
  Server server(limits);
  for (uint32_t id = 1; id < 200; id += 4) {
    ASSERT_TRUE(server.Feed(Headers(id, Request("GET", "/"), kEndStream) + RstStream(id, 8)));
    ASSERT_TRUE(server.Feed(Headers(id + 2, Request("GET", "/"), kEndStream)));
    server.Respond(id + 2, 200, true);
    server.Produce();
    ASSERT_LE(server.codec.misbehaviours(), 1);
  }
}

// A handler that answers and resets from inside its events.
class BusyHandler : public ServerRecorder {
 public:
  void OnRequest(StreamId id, RequestHead head) override {
    ServerRecorder::OnRequest(id, std::move(head));
    if (id > 1) codec->Reset(id - 2, ResetReason::kCancelled);
    base::Arena arena;
    ResponseHead response(arena);
    response.status = 200;
    codec->SendResponse(id, response, false);
  }
  void OnMessageEnd(StreamId id) override {
    ServerRecorder::OnMessageEnd(id);
    base::Buffer content;
    content.Append("ok");
    codec->SendContent(id, content, true);
  }
  void OnReset(StreamId id, ResetReason reason) override {
    ServerRecorder::OnReset(id, reason);
    codec->Reset(id, ResetReason::kInternal);
    codec->Consumed(id, 1);
  }
  ServerCodec* codec = nullptr;
};

TEST(Http2ServerCodec, HandlersMayCallFromInsideEvents) {
  BusyHandler handler;
  ServerCodec codec(handler, Limits());
  handler.codec = &codec;
  const std::string bytes = std::string(kPreface) + Settings() + Headers(1, Request("POST", "/")) + Data(1, "a") +
                            Headers(3, Request("GET", "/"), kEndStream) + Data(1, "b", kEndStream) +
                            Headers(5, Request("POST", "/")) + RstStream(5, 8);
  EXPECT_TRUE(codec.Feed(base::Slice::Copy(bytes)));
  base::Buffer out;
  codec.Produce(out);
  EXPECT_EQ(handler.Take(),
            "request 1 POST https://a.test/ []; content 1 a; request 3 GET https://a.test/ []; end 3; "
            "request 5 POST https://a.test/ []; reset 5 cancelled");
  EXPECT_TRUE(codec.Idle());
}

}  // namespace
}  // namespace portico::http::h2
