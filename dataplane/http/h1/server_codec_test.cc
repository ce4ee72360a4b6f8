#include "dataplane/http/h1/server_codec.h"

#include <gtest/gtest.h>

#include <string>

#include "dataplane/http/h1/test_peers.h"

namespace portico::http::h1 {
namespace {

struct Row {
  const char* name;
  std::string input;
  std::string trace;
};

std::string Get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nhost: a\r\n" + fields + "\r\n";
}
std::string Post(const std::string& fields, const std::string& content) {
  return "POST / HTTP/1.1\r\nhost: a\r\n" + fields + "\r\n" + content;
}
std::string Chunked(const std::string& content) {
  return Post("transfer-encoding: chunked\r\n", content);
}

const std::string kGet = "GET http a / | whole\nend\n";
const std::string kBad = "bad 400\n";
const std::string kPost = "POST http a / | open\n";

const Row kRows[] = {
    // Request line
    {"plain", Get(""), kGet},
    {"empty line first", "\r\n" + Get(""), kGet},
    {"two empty lines first", "\r\n\r\n" + Get(""), kBad},
    {"bare CR first", "\rGET", kBad},
    {"bare LF first", "\n" + Get(""), kBad},
    {"bare LF", "GET / HTTP/1.1\nhost: a\n\n", kBad},
    {"bare LF in fields", "GET / HTTP/1.1\r\nhost: a\nx: y\r\n\r\n", kBad},
    {"bare CR in value", Get("x: a\rb\r\n"), kBad},
    {"two spaces", "GET  / HTTP/1.1\r\nhost: a\r\n\r\n", kBad},
    {"tab", "GET\t/ HTTP/1.1\r\nhost: a\r\n\r\n", kBad},
    {"trailing space", "GET / HTTP/1.1 \r\nhost: a\r\n\r\n", kBad},
    {"no target", "GET HTTP/1.1\r\nhost: a\r\n\r\n", "bad 400\n"},
    {"bad method", "GE(T / HTTP/1.1\r\n", kBad},
    {"own method", "FROB / HTTP/1.1\r\nhost: a\r\n\r\n", "FROB http a / | whole\nend\n"},
    {"HTTP/0.9", "GET /\r\n", "bad 400\n"},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "bad 505\n"},
    {"HTTP/1.2 is 1.1", "GET / HTTP/1.2\r\nhost: a\r\n\r\n", kGet},
    {"lower-case version", "GET / http/1.1\r\nhost: a\r\n\r\n", kBad},
    {"HTTP/1.10", "GET / HTTP/1.10\r\nhost: a\r\n\r\n", kBad},
    {"HTTP/1.0 without host", "GET / HTTP/1.0\r\n\r\n", "GET http  / | whole 1.0\nend\n"},
    // Target
    {"query", "GET /a%20b?x=1|2 HTTP/1.1\r\nhost: a\r\n\r\n", "GET http a /a%20b?x=1|2 | whole\nend\n"},
    {"fragment", "GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n", kBad},
    {"control in target", "GET /\x01 HTTP/1.1\r\nhost: a\r\n\r\n", kBad},
    {"DEL in target", "GET /\x7f HTTP/1.1\r\nhost: a\r\n\r\n", kBad},
    {"non-ASCII target", "GET /\xc3\xa4 HTTP/1.1\r\nhost: a\r\n\r\n", kBad},
    {"absolute", "GET HTTP://B:8/x?y HTTP/1.1\r\nhost: a\r\n\r\n", "GET http b:8 /x?y | whole\nend\n"},
    {"absolute, no path", "GET https://b?y HTTP/1.1\r\nhost: a\r\n\r\n", "GET https b /?y | whole\nend\n"},
    {"absolute, bad host", "GET http://b/ HTTP/1.1\r\nhost: a b\r\n\r\n", kBad},
    {"absolute, user", "GET http://u@b/ HTTP/1.1\r\nhost: a\r\n\r\n", kBad},
    {"absolute, ftp", "GET ftp://b/ HTTP/1.1\r\nhost: a\r\n\r\n", kBad},
    {"relative", "GET x HTTP/1.1\r\nhost: a\r\n\r\n", kBad},
    {"asterisk", "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", "OPTIONS http a * | whole\nend\n"},
    {"absolute asterisk", "OPTIONS http://b HTTP/1.1\r\nhost: b\r\n\r\n", "OPTIONS http b * | whole\nend\n"},
    {"asterisk GET", "GET * HTTP/1.1\r\nhost: a\r\n\r\n", kBad},
    {"CONNECT", "CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", "bad 501\n"},
    // Host
    {"no host", "GET / HTTP/1.1\r\n\r\n", kBad},
    {"two hosts", Get("host: a\r\n"), kBad},
    {"empty host", "GET / HTTP/1.1\r\nhost:\r\n\r\n", kBad},
    {"host with path", "GET / HTTP/1.1\r\nhost: a/b\r\n\r\n", kBad},
    {"host with bad port", "GET / HTTP/1.1\r\nhost: a:65536\r\n\r\n", kBad},
    {"host list", "GET / HTTP/1.1\r\nhost: a, b\r\n\r\n", kBad},
    {"IPv6 host", "GET / HTTP/1.1\r\nHOST: [::1]:80\r\n\r\n", "GET http [::1]:80 / | whole\nend\n"},
    // Fields
    {"names lowered, values trimmed", Get("X-A: \t b c\t \r\nx-E:\r\n"), "GET http a / x-a=b c x-e= | whole\nend\n"},
    {"obs-text", Get("x: \xff\r\n"), "GET http a / x=\xff | whole\nend\n"},
    {"fold", Get("x: a\r\n b\r\n"), kBad},
    {"fold first", "GET / HTTP/1.1\r\n host: a\r\n\r\n", kBad},
    {"space before colon", Get("x : a\r\n"), kBad},
    {"empty name", Get(": a\r\n"), kBad},
    {"no colon", Get("x\r\n"), kBad},
    {"NUL", Get(std::string("x: a\0b\r\n", 8)), kBad},
    {"control", Get("x: a\x01\r\n"), kBad},
    {"control far in", Get("x: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x02zzzzzzzzzzzzzzzzzz\r\n"), kBad},
    {"DEL", Get("x: a\x7f\r\n"), kBad},
    // Hygiene
    {"hop-by-hop",
     Get("connection: x, keep-alive,, y\r\nkeep-alive: 1\r\nX: 1\r\nz: 2\r\nproxy-connection: k\r\n"
         "upgrade: h2c\r\nhttp2-settings: q\r\n"),
     "GET http a / z=2 | whole\nend\n"},
    {"te", Get("te: gzip, trailers\r\nconnection: te\r\n"), "GET http a / te=trailers | whole\nend\n"},
    {"te gone", Get("te: gzip\r\n"), kGet},
    {"connection: host", Get("connection: host\r\n"), kBad},
    {"connection: content-length", Post("connection: Content-Length\r\ncontent-length: 1\r\n", "a"), kBad},
    {"connection: authorization", Get("connection: authorization\r\n"), kBad},
    {"connection: junk", Get("connection: a b\r\n"), kBad},
    {"expect", Post("expect: 100-Continue\r\ncontent-length: 1\r\n", "a"),
     "POST http a / content-length=1 | open 1 expects\ncontent a\nend\n"},
    {"expect without content", Get("expect: 100-continue\r\n"), kGet},
    {"unknown expectation", Get("expect: x\r\n"), "bad 417\n"},
    // Framing
    {"length", Post("content-length: 3\r\n", "abc"), "POST http a / content-length=3 | open 3\ncontent abc\nend\n"},
    {"length 0", Post("content-length: 0\r\n", ""), "POST http a / content-length=0 | whole 0\nend\n"},
    {"length twice", Post("content-length: 1\r\ncontent-length: 1\r\n", "a"), kBad},
    {"length list", Post("content-length: 1, 1\r\n", "a"), kBad},
    {"length signed", Post("content-length: +1\r\n", "a"), kBad},
    {"length hex", Post("content-length: 0x1\r\n", "a"), kBad},
    {"length empty", Post("content-length:\r\n", "a"), kBad},
    {"length overflow", Post("content-length: 18446744073709551616\r\n", "a"), kBad},
    {"both", Post("content-length: 1\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"), kBad},
    {"gzip, chunked", Post("transfer-encoding: gzip, chunked\r\n", ""), "bad 501\n"},
    {"identity", Post("transfer-encoding: identity\r\n", ""), "bad 400\n"},
    {"chunked twice", Post("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", ""), kBad},
    {"chunked, list", Post("transfer-encoding: chunked, chunked\r\n", ""), "bad 400\n"},
    {"xchunked", Post("transfer-encoding: xchunked\r\n", ""), "bad 400\n"},
    {"chunked in 1.0", "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", kBad},
    // Chunks
    {"chunks", Chunked("3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\n"), kPost + "content abc0123456789\nend\n"},
    {"trailers", Chunked("0\r\nX: y\r\ncontent-length: 3\r\nhost: b\r\n\r\n"), kPost + "trailers x=y\nend\n"},
    {"bad trailer", Chunked("0\r\nx y\r\n\r\n"), kPost + kBad},
    {"no digits", Chunked("\r\n"), kPost + kBad},
    {"only extension", Chunked(";a\r\n"), kPost + kBad},
    {"0x size", Chunked("0x1\r\na\r\n"), kPost + kBad},
    {"negative size", Chunked("-1\r\n"), kPost + kBad},
    {"space after size", Chunked("1 \r\na\r\n"), kPost + kBad},
    {"size of 17 digits", Chunked("00000000000000001\r\na"), kPost + kBad},
    {"size with bare LF", Chunked("1\na\r\n"), kPost + kBad},
    {"extension with bare LF", Chunked("1;a\nb\r\n"), kPost + kBad},
    {"extension with CR", Chunked("1;a\rb\r\n"), kPost + kBad},
    {"data too long", Chunked("1\r\nab\r\n"), kPost + "content a\n" + kBad},
    {"data with bare LF", Chunked("1\r\na\n0\r\n\r\n"), kPost + "content a\n" + kBad},
    // Connection
    {"pipelined", Get("") + Post("content-length: 1\r\n", "a") + Get(""),
     kGet + "POST http a / content-length=1 | open 1\ncontent a\nend\n" + kGet},
    {"nothing after close", Get("connection: close\r\n") + Get(""), kGet},
    {"nothing after bad", Get("x\r\n") + Get(""), kBad},
};

struct Outcome {
  std::string trace;
  std::string output;
  bool close;
  bool operator==(const Outcome&) const = default;
};

Outcome RunPieces(const std::string& input, size_t first, size_t step) {
  TestServer server;
  server.Feed(input.substr(0, first));
  for (size_t at = first; at < input.size(); at += step)
    server.Feed(input.substr(at, step));
  return {server.trace(), server.TakeOutput(), server.codec().WantsClose()};
}

TEST(ServerCodec, TableInEverySplit) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    const Outcome whole = RunPieces(row.input, row.input.size(), 1);
    EXPECT_EQ(whole.trace, row.trace);
    EXPECT_EQ(whole.close, row.trace.find("bad") != std::string::npos || row.trace.find("1.0") != std::string::npos ||
                               std::string(row.name) == "nothing after close");
    const Outcome bytes = RunPieces(row.input, 0, 1);
    EXPECT_EQ(bytes.trace, whole.trace);
    EXPECT_EQ(bytes.output, whole.output);
    for (size_t at = 1; at < row.input.size(); ++at) {
      EXPECT_TRUE(RunPieces(row.input, at, row.input.size()) == whole) << "split at " << at;
    }
  }
}

TEST(ServerCodec, LimitsInEverySplit) {
  Limits limits;
  limits.head_bytes_max = 100;
  limits.field_count_max = 3;
  limits.target_bytes_max = 10;
  limits.trailer_bytes_max = 20;
  limits.chunk_head_bytes_max = 8;
  limits.chunk_overhead_bytes_max = 40;
  const Row rows[] = {
      {"head", Get("x: " + std::string(100, 'a') + "\r\n"), "bad 431\n"},
      {"request line", "GET /" + std::string(100, 'a'), "bad 414\n"},
      {"target", "GET /0123456789 HTTP/1.1\r\n", "bad 414\n"},
      {"fields", Get("a:\r\nb:\r\nc:\r\n"), "bad 431\n"},
      {"discarded fields count", Get("upgrade: a\r\nkeep-alive:b\r\nte:c\r\n"), "bad 431\n"},
      {"trailers", Chunked("0\r\nx: " + std::string(20, 'a') + "\r\n\r\n"), kPost + "bad 431\n"},
      {"chunk head", Chunked("1;aaaaaaaa\r\n"), kPost + "bad 400\n"},
      {"chunk overhead",
       Chunked("1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na"),
       kPost + "content aaaaaaaa\nbad 400\n"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    for (size_t at = 0; at <= row.input.size(); ++at) {
      TestServer server(limits);
      server.Feed(row.input.substr(0, at));
      server.Feed(row.input.substr(at));
      EXPECT_EQ(server.trace(), row.trace) << "split at " << at;
      EXPECT_TRUE(server.codec().WantsClose());
    }
  }
}

struct AnswerRow {
  const char* name;
  std::string request;
  int status;
  std::optional<uint64_t> length;
  const char* content;  // nullptr: end with the head
  std::string output;
  bool close;
};

TEST(ServerCodec, Answers) {
  const std::string get = Get("");
  const std::string head = "HEAD / HTTP/1.1\r\nhost: a\r\n\r\n";
  const AnswerRow rows[] = {
      {"length", get, 200, 2, "ok", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", false},
      {"chunked",
       get,
       200,
       {},
       "ok",
       "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
       false},
      {"none", get, 404, {}, nullptr, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", false},
      {"unknown status", get, 299, 0, nullptr, "HTTP/1.1 299 \r\ncontent-length: 0\r\n\r\n", false},
      {"HEAD", head, 200, 5, nullptr, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", false},
      {"HEAD with content", head, 200, 5, "hello", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", false},
      {"204", get, 204, 5, nullptr, "HTTP/1.1 204 No Content\r\n\r\n", false},
      {"304", get, 304, 5, nullptr, "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", false},
      {"close", Get("connection: close\r\n"), 200, 2, "ok",
       "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok", true},
      {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 200, {}, "ok", "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok", true},
      {"too much", get, 200, 2, "okHTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", true},
      {"too little", get, 200, 3, "ok", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok", true},
      {"none at all", get, 200, 3, nullptr, "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", true},
  };
  for (const AnswerRow& row : rows) {
    SCOPED_TRACE(row.name);
    TestServer server;
    server.answers = false;
    server.Feed(row.request);
    base::Arena arena;
    ResponseHead response(arena);
    response.status = row.status;
    response.framing.length = row.length;
    response.fields.Add("x\r\ny", "1");
    server.codec().SendResponse(server.id(), response, row.content == nullptr);
    if (row.content != nullptr) {
      base::Buffer content;
      content.Append(std::string_view(row.content));
      server.codec().SendContent(server.id(), content, true);
    }
    EXPECT_EQ(server.TakeOutput(), row.output);
    EXPECT_EQ(server.codec().WantsClose(), row.close);
  }
}

TEST(ServerCodec, EarlyAnswerDiscardsTheRest) {
  struct EarlyRow {
    const char* name;
    std::string request;
    std::string trace;
    bool close;
  };
  const std::string large(ServerCodec::kDiscardBytesMax + 1, 'a');
  const EarlyRow rows[] = {
      {"small", Post("content-length: 3\r\n", "abc"), "POST http a / content-length=3 | open 3\nend\n", false},
      {"chunked", Chunked("1\r\na\r\n0\r\n\r\n"), kPost + "end\n", false},
      {"large", Post("content-length: 65537\r\n", large), "POST http a / content-length=65537 | open 65537\nreset 5\n",
       true},
      {"large, chunked", Chunked("fffff\r\n" + large), kPost + "reset 5\n", true},
      {"malformed", Chunked("x"), kPost + "reset 5\n", true},
      {"waits for 100", Post("expect: 100-continue\r\ncontent-length: 1\r\n", ""),
       "POST http a / content-length=1 | open 1 expects\nreset 5\n", true},
  };
  for (const EarlyRow& row : rows) {
    SCOPED_TRACE(row.name);
    TestServer server;
    server.answers_early = true;
    server.Feed(row.request);
    EXPECT_EQ(server.trace(), row.trace);
    EXPECT_EQ(server.codec().WantsClose(), row.close);
    const bool said = server.TakeOutput().find("connection: close") != std::string::npos;
    EXPECT_TRUE(!said || row.close);
    if (row.close) continue;
    server.Feed(Get(""));
    EXPECT_EQ(server.trace(), row.trace + kGet);
  }
}

TEST(ServerCodec, PipelinedRequestWaitsForResume) {
  TestServer server;
  server.answers = false;
  EXPECT_TRUE(server.codec().WantsInput());
  server.codec().Feed(base::Slice::Copy(Get("") + Get("")));
  EXPECT_EQ(server.trace(), kGet);
  EXPECT_FALSE(server.codec().WantsInput());
  EXPECT_TRUE(server.codec().Resume());
  EXPECT_EQ(server.trace(), kGet);
  server.Answer(200);
  EXPECT_EQ(server.trace(), kGet);
  EXPECT_TRUE(server.codec().Resume());
  EXPECT_EQ(server.trace(), kGet + kGet);
}

TEST(ServerCodec, WindowBoundsContent) {
  Limits limits;
  limits.stream_window_bytes = 4;
  TestServer server(limits);
  server.codec().Feed(base::Slice::Copy(Post("content-length: 6\r\n", "abcdef")));
  EXPECT_EQ(server.unconsumed_bytes, 4u);
  EXPECT_FALSE(server.codec().WantsInput());
  server.codec().Consumed(server.id(), 1);
  server.codec().Resume();
  EXPECT_EQ(server.unconsumed_bytes, 5u);
  server.Turn();
  EXPECT_EQ(server.trace(), "POST http a / content-length=6 | open 6\ncontent abcdef\nend\n");
}

TEST(ServerCodec, EndOfInput) {
  struct EndRow {
    const char* name;
    std::string input;
    bool clean;
    std::string trace;
  };
  const EndRow rows[] = {
      {"idle", "", true, ""},
      {"after a request", Get(""), true, kGet},
      {"in the head", "GET / HT", true, "reset 3\n"},
      {"in the content", Post("content-length: 3\r\n", "a"), true,
       "POST http a / content-length=3 | open 3\ncontent a\nreset 3\n"},
      {"reset in chunks", Chunked("1\r\na"), false, kPost + "content a\nreset 3\n"},
  };
  for (const EndRow& row : rows) {
    SCOPED_TRACE(row.name);
    TestServer server;
    server.Feed(row.input);
    server.End(row.clean);
    EXPECT_EQ(server.trace(), row.trace);
    EXPECT_TRUE(server.codec().WantsClose());
    EXPECT_FALSE(server.codec().WantsInput());
  }
}

void BeginAnswer(TestServer& server) {
  base::Arena arena;
  ResponseHead head(arena);
  head.status = 200;
  server.codec().SendResponse(server.id(), head, false);
}
void EndAnswer(TestServer& server, std::string_view text) {
  base::Buffer content;
  content.Append(text);
  server.codec().SendContent(server.id(), content, true);
}

// RFC 9112 section 9.6: whoever says that a request is the last may end its side and wait. Without that word it has
// left.
TEST(ServerCodec, HalfClosedClientGetsTheAnswerToItsLastRequest) {
  for (const bool last : {false, true}) {
    for (const bool begun : {false, true}) {
      TestServer server;
      server.answers = false;
      server.Feed(Get(last ? "connection: close\r\n" : ""));
      if (begun) BeginAnswer(server);
      server.codec().FeedEnd(true);
      EXPECT_EQ(server.codec().WantsClose(), !last);
      const bool told = server.trace().ends_with("reset 3\n");
      EXPECT_EQ(told, !last) << server.trace();
      if (!last) continue;
      begun ? EndAnswer(server, "x") : server.Answer(200);
      EXPECT_TRUE(server.codec().WantsClose());
      EXPECT_NE(server.TakeOutput(), "");
    }
  }
}

// The same after pipelined requests: those before the last have their answers already.
TEST(ServerCodec, HalfClosedClientGetsTheAnswersThatAreWhole) {
  TestServer server;
  server.answers = false;
  server.Feed(Get("") + Get(""));
  server.codec().FeedEnd(true);
  EXPECT_FALSE(server.codec().WantsClose()) << "the second request is not read yet";
  server.Answer(200);
  server.codec().Resume();
  EXPECT_TRUE(server.codec().WantsClose());
  EXPECT_NE(server.TakeOutput(), "");
}

TEST(ServerCodec, PipelinedRequestsWaitUntilTheAnswersAreOnTheirWay) {
  TestServer server;
  server.answers = false;
  server.Feed(Get("") + Get(""));
  BeginAnswer(server);
  EndAnswer(server, std::string(kSendHighMarkBytes + 1, 'x'));
  server.codec().Resume();
  EXPECT_EQ(server.id(), 1u);
  EXPECT_FALSE(server.codec().WantsInput());
  EXPECT_NE(server.TakeOutput(), "");
  server.codec().Resume();
  EXPECT_EQ(server.id(), 2u);
}

TEST(ServerCodec, ResetSaysNothingMore) {
  TestServer server;
  server.Feed(Post("content-length: 3\r\n", "a"));
  server.codec().Reset(server.id(), ResetReason::kCancelled);
  server.Feed("bc" + Get(""));
  server.End();
  EXPECT_EQ(server.trace(), "POST http a / content-length=3 | open 3\ncontent a\n");
  EXPECT_TRUE(server.codec().WantsClose());
}

TEST(ServerCodec, DrainSaysClose) {
  TestServer server;
  server.codec().Drain(false);
  EXPECT_FALSE(server.codec().WantsClose());
  server.Feed(Get(""));
  EXPECT_NE(server.TakeOutput().find("connection: close"), std::string::npos);
  EXPECT_TRUE(server.codec().WantsClose());
}

TEST(ServerCodec, SendReadyAfterHavingBeenAboveTheMark) {
  TestServer server;
  server.answers = false;
  server.Feed(Get(""));
  base::Arena arena;
  ResponseHead head(arena);
  head.status = 200;
  server.codec().SendResponse(server.id(), head, false);
  base::Buffer content;
  content.Append(std::string(300 * 1024, 'a'));
  server.codec().SendContent(server.id(), content, false);
  EXPECT_GT(server.codec().Unsent(server.id()), kSendHighMarkBytes);
  server.TakeOutput();
  EXPECT_EQ(server.trace(), kGet + "ready\n");
}

}  // namespace
}  // namespace portico::http::h1
