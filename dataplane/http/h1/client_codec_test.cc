#include "dataplane/http/h1/client_codec.h"

#include <gtest/gtest.h>

#include <string>

#include "dataplane/http/h1/test_peers.h"

namespace portico::http::h1 {
namespace {

struct Row {
  const char* name;
  const char* method;
  std::string input;
  std::string trace;
  bool close;
  bool finish = false;  // the origin server closes after it
};

const std::string kOk = "HTTP/1.1 200 OK\r\n";
const std::string kProtocol = "reset 2\n";
const std::string kChunkedOk = kOk + "transfer-encoding: chunked\r\n\r\n";

const Row kRows[] = {
    {"length", "GET", kOk + "Content-Length: 2\r\nX: y\r\n\r\nok",
     "200 content-length=2 x=y | open 2\ncontent ok\nend\n", false},
    {"no reason", "GET", "HTTP/1.1 204 \r\n\r\n", "204 | whole\nend\n", false},
    {"no reason, no space", "GET", "HTTP/1.1 204\r\n\r\n", "204 | whole\nend\n", false},
    {"status 99", "GET", "HTTP/1.1 099 a\r\n\r\n", kProtocol, true},
    {"status 600", "GET", "HTTP/1.1 600 a\r\n\r\n", kProtocol, true},
    {"status of two digits", "GET", "HTTP/1.1 20 OK\r\n\r\n", kProtocol, true},
    {"status of four digits", "GET", "HTTP/1.1 2000 OK\r\n\r\n", kProtocol, true},
    {"HTTP/2.0", "GET", "HTTP/2.0 200 OK\r\n\r\n", kProtocol, true},
    {"ICY", "GET", "ICY 200 OK\r\n\r\n", kProtocol, true},
    {"empty line first", "GET", "\r\n" + kOk + "content-length: 0\r\n\r\n", kProtocol, true},
    {"bare LF", "GET", "HTTP/1.1 200 OK\ncontent-length: 0\n\n", kProtocol, true},
    {"control in reason", "GET", "HTTP/1.1 200 O\x01K\r\n\r\n", kProtocol, true},
    {"HEAD", "HEAD", kOk + "content-length: 5\r\n\r\n", "200 content-length=5 | whole 5\nend\n", false},
    {"HEAD, chunked", "HEAD", kChunkedOk, "200 | whole\nend\n", false},
    {"304", "GET", "HTTP/1.1 304 a\r\ncontent-length: 5\r\n\r\n", "304 content-length=5 | whole 5\nend\n", false},
    {"304 with content", "GET", "HTTP/1.1 304 a\r\ncontent-length: 1\r\n\r\na", "304 content-length=1 | whole 1\nend\n",
     true},
    {"chunked with trailers", "GET", kChunkedOk + "2\r\nok\r\n0\r\nx: y\r\n\r\n",
     "200 | open\ncontent ok\ntrailers x=y\nend\n", false},
    {"malformed chunk", "GET", kChunkedOk + "zz\r\n", "200 | open\nreset 2\n", true},
    {"until close", "GET", kOk + "\r\nok", "200 | open until close\ncontent ok\nend\n", true, true},
    {"cut short", "GET", kOk + "content-length: 3\r\n\r\nok", "200 content-length=3 | open 3\ncontent ok\nreset 3\n",
     true, true},
    {"chunks cut short", "GET", kChunkedOk + "2\r\nok\r\n", "200 | open\ncontent ok\nreset 3\n", true, true},
    {"no answer", "GET", "", "reset 3\n", true, true},
    {"half an answer", "GET", "HTTP/1.1 2", "reset 3\n", true, true},
    {"early hints", "GET", "HTTP/1.1 103 a\r\nlink: b\r\n\r\nHTTP/1.1 100 \r\n\r\n" + kOk + "content-length: 0\r\n\r\n",
     "early 103 link=b\nearly 100\n200 content-length=0 | whole 0\nend\n", false},
    {"101", "GET", "HTTP/1.1 101 a\r\nupgrade: x\r\n\r\n", kProtocol, true},
    {"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n",
     "200 content-length=0 | whole 0\nend\n", true},
    {"chunked in 1.0", "GET", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", kProtocol, true},
    {"close", "GET", kOk + "content-length: 0\r\nconnection: Close\r\n\r\n", "200 content-length=0 | whole 0\nend\n",
     true},
    {"both", "GET", kOk + "content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", kProtocol, true},
    {"length twice", "GET", kOk + "content-length: 1\r\ncontent-length: 1\r\n\r\na", kProtocol, true},
    {"gzip coding", "GET", kOk + "transfer-encoding: gzip\r\n\r\n", kProtocol, true},
    {"fold", "GET", kOk + "a: b\r\n c\r\n\r\n", kProtocol, true},
    {"hop-by-hop", "GET", kOk + "connection: x\r\nx: y\r\nkeep-alive: 5\r\nupgrade: h2\r\ncontent-length: 0\r\n\r\n",
     "200 content-length=0 | whole 0\nend\n", false},
    {"connection: set-cookie", "GET", kOk + "connection: set-cookie\r\n\r\n", kProtocol, true},
    {"unasked bytes after the answer", "GET", kOk + "content-length: 0\r\n\r\n" + kOk,
     "200 content-length=0 | whole 0\nend\n", true},
};

struct Outcome {
  std::string trace;
  bool close;
  bool operator==(const Outcome&) const = default;
};

Outcome RunPieces(const Row& row, size_t first, size_t step) {
  TestClient client;
  client.Ask(row.method);
  client.Feed(row.input.substr(0, first));
  for (size_t at = first; at < row.input.size(); at += step)
    client.Feed(row.input.substr(at, step));
  if (row.finish) client.End();
  return {client.trace(), client.codec().WantsClose()};
}

TEST(ClientCodec, TableInEverySplit) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    const Outcome whole = RunPieces(row, row.input.size(), 1);
    EXPECT_EQ(whole.trace, row.trace);
    EXPECT_EQ(whole.close, row.close);
    EXPECT_EQ(RunPieces(row, 0, 1).trace, row.trace);
    for (size_t at = 1; at < row.input.size(); ++at) {
      EXPECT_TRUE(RunPieces(row, at, row.input.size()) == whole) << "split at " << at;
    }
  }
}

// What nobody takes stays in the socket, however wide a stream's window is.
TEST(ClientCodec, ReadsAheadOnlySoMuch) {
  const struct {
    const char* name;
    size_t window_bytes, ahead_bytes, read_bytes;
  } rows[] = {{"read ahead is less", 1000, 100, 100}, {"the window is less", 100, 1000, 100}};
  for (const auto& row : rows) {
    Limits limits;
    limits.stream_window_bytes = row.window_bytes;
    limits.read_ahead_bytes = row.ahead_bytes;
    TestClient client(limits);
    client.Ask("GET");
    client.codec().Feed(base::Slice::Copy(kOk + "content-length: 5000\r\n\r\n" + std::string(500, 'a')));
    EXPECT_EQ(client.unconsumed_bytes, row.read_bytes) << row.name;
    EXPECT_FALSE(client.codec().WantsInput()) << row.name;
    client.codec().Consumed(client.id(), 60);
    client.codec().Resume();
    EXPECT_EQ(client.unconsumed_bytes, row.read_bytes + 60) << row.name;
  }
}

TEST(ClientCodec, Limits) {
  Limits limits;
  limits.head_bytes_max = 60;
  limits.field_count_max = 2;
  limits.informational_max = 2;
  limits.trailer_bytes_max = 10;
  struct LimitRow {
    const char* name;
    std::string input;
    std::string trace;
  };
  const std::string early = "HTTP/1.1 103 \r\n\r\n";
  const LimitRow rows[] = {
      {"head", kOk + std::string(60, 'a'), "reset 6\n"},
      {"fields", kOk + "a:\r\nb:\r\nc:\r\n", "reset 6\n"},
      {"informational", early + early + early, "early 103\nearly 103\nreset 2\n"},
      {"trailers", kChunkedOk + "0\r\nx: aaaaaaaaa\r\n\r\n", "200 | open\nreset 6\n"},
  };
  for (const LimitRow& row : rows) {
    for (const bool by_byte : {false, true}) {
      SCOPED_TRACE(row.name);
      TestClient client(limits);
      client.Ask("GET");
      if (!by_byte) client.Feed(row.input);
      for (size_t at = 0; by_byte && at < row.input.size(); ++at)
        client.Feed(row.input.substr(at, 1));
      EXPECT_EQ(client.trace(), row.trace);
      EXPECT_TRUE(client.codec().WantsClose());
    }
  }
}

TEST(ClientCodec, IdleConnection) {
  TestClient client;
  EXPECT_TRUE(client.codec().Idle());
  EXPECT_EQ(client.codec().CanSend(), 1u);
  client.Ask("GET");
  EXPECT_EQ(client.codec().CanSend(), 0u);
  client.Feed(kOk + "content-length: 0\r\n\r\n");
  EXPECT_TRUE(client.codec().Idle());
  EXPECT_EQ(client.codec().CanSend(), 1u);
  client.Ask("GET");
  client.Feed(kOk + "content-length: 0\r\n\r\n");
  EXPECT_FALSE(client.codec().Feed(base::Slice::Copy("H")));
  EXPECT_TRUE(client.codec().WantsClose());
  EXPECT_EQ(client.codec().CanSend(), 0u);
  client.Ask("GET");
  EXPECT_EQ(client.id(), 0u);
}

struct RequestRow {
  const char* name;
  const char* method;
  const char* path;
  std::optional<uint64_t> length;
  const char* content;  // nullptr: ends with the head
  std::string output;
  bool broken = false;
};

TEST(ClientCodec, Requests) {
  const RequestRow rows[] = {
      {"plain", "GET", "/x?y", {}, nullptr, "GET /x?y HTTP/1.1\r\nhost: a\r\n\r\n"},
      {"empty POST", "POST", "/", {}, nullptr, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"},
      {"asterisk", "OPTIONS", "*", {}, nullptr, "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"},
      {"length", "PUT", "/", 2, "ok", "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nok"},
      {"chunked",
       "PUT",
       "/",
       {},
       "ok",
       "PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
      {"too much", "PUT", "/", 1, "ok", "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n", true},
      {"too little", "PUT", "/", 3, "ok", "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nok", true},
      {"line break in path", "GET", "/\r\nx: y", {}, nullptr, "", true},
      {"space in path", "GET", "/ HTTP/1.1", {}, nullptr, "", true},
      {"bad method", "GET /", "/", {}, nullptr, "", true},
  };
  for (const RequestRow& row : rows) {
    SCOPED_TRACE(row.name);
    TestClient client;
    RequestHead head(client.arena());
    head.method = row.method;
    head.path = row.path;
    head.authority = "a";
    head.framing.length = row.length;
    const StreamId id = client.codec().SendRequest(head, row.content == nullptr, client.arena());
    EXPECT_NE(id, 0u);
    if (row.content != nullptr) {
      base::Buffer content;
      content.Append(std::string_view(row.content));
      client.codec().SendContent(id, content, true);
    }
    EXPECT_EQ(client.TakeOutput(), row.output);
    EXPECT_EQ(client.codec().WantsClose(), row.broken);
    EXPECT_EQ(client.trace(), row.broken ? "reset 4\n" : "");
  }
}

TEST(ClientCodec, AnswerBeforeTheRequestsEnd) {
  TestClient client;
  RequestHead head(client.arena());
  head.method = "POST";
  head.path = "/";
  head.authority = "a";
  const StreamId id = client.codec().SendRequest(head, false, client.arena());
  client.codec().Feed(base::Slice::Copy("HTTP/1.1 413 \r\ncontent-length: 0\r\n\r\n"));
  EXPECT_EQ(client.trace(), "413 content-length=0 | whole 0\nend\n");
  EXPECT_FALSE(client.codec().WantsClose());
  base::Buffer content;
  client.codec().SendContent(id, content, true);
  EXPECT_TRUE(client.codec().WantsClose());
}

TEST(ClientCodec, OriginClosesAfterAnEarlyAnswer) {
  TestClient client;
  RequestHead head(client.arena());
  head.method = "POST";
  head.path = "/";
  head.authority = "a";
  client.codec().SendRequest(head, false, client.arena());
  client.codec().Feed(base::Slice::Copy("HTTP/1.1 413 \r\ncontent-length: 0\r\n\r\n"));
  client.End();
  EXPECT_EQ(client.trace(), "413 content-length=0 | whole 0\nend\nreset 5\n");
  EXPECT_TRUE(client.codec().WantsClose());
}

TEST(ClientCodec, ResetClosesAndSaysNothingMore) {
  TestClient client;
  client.Ask("GET");
  client.codec().Reset(1, ResetReason::kCancelled);
  client.Feed(kOk + "content-length: 0\r\n\r\n");
  EXPECT_EQ(client.trace(), "");
  EXPECT_TRUE(client.codec().WantsClose());
}

// What one side writes, the other reads the same: request and answer with fields, content and trailers.
TEST(Comparison, RoundTrip) {
  for (const bool with_length : {false, true}) {
    SCOPED_TRACE(with_length);
    TestClient client;
    TestServer server;
    server.answers = false;
    RequestHead head(client.arena());
    head.method = "POST";
    head.path = "/x?y";
    head.authority = "a:1";
    head.fields.Add("te", "trailers");
    head.fields.Add("x-a", "b");
    head.expects_continue = true;
    if (with_length) head.framing.length = 2;
    const StreamId id = client.codec().SendRequest(head, false, client.arena());
    base::Buffer content;
    content.Append(std::string_view("ok"));
    client.codec().SendContent(id, content, false);
    Fields trailers(client.arena());
    trailers.Add("x-t", "u");
    client.codec().SendTrailers(id, trailers);
    server.Feed(client.TakeOutput());
    EXPECT_EQ(server.trace(),
              with_length ? "POST http a:1 /x?y te=trailers x-a=b content-length=2 | open 2 expects\ncontent ok\nend\n"
                          : "POST http a:1 /x?y te=trailers x-a=b | open expects\ncontent ok\ntrailers x-t=u\nend\n");

    ResponseHead early(client.arena());
    early.status = 100;
    server.codec().SendResponse(server.id(), early, false);
    ResponseHead answer(client.arena());
    answer.status = 201;
    answer.fields.Add("x-b", "c");
    server.codec().SendResponse(server.id(), answer, false);
    content.Append(std::string_view("done"));
    server.codec().SendContent(server.id(), content, false);
    server.codec().SendTrailers(server.id(), trailers);
    client.Feed(server.TakeOutput());
    EXPECT_EQ(client.trace(), "early 100\n201 x-b=c | open\ncontent done\ntrailers x-t=u\nend\n");
    EXPECT_TRUE(client.codec().Idle());
    EXPECT_FALSE(server.codec().WantsClose());
  }
}

}  // namespace
}  // namespace portico::http::h1
