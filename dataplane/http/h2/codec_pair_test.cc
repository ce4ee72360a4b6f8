// The two codecs against each other, in memory: what one writes, the other must read, however the bytes are cut.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "api/base/arena.h"
#include "dataplane/base/buffer.h"
#include "dataplane/http/codec.h"
#include "dataplane/http/h2/client_codec.h"
#include "dataplane/http/h2/misbehaviour.h"
#include "dataplane/http/h2/recent_streams.h"
#include "dataplane/http/h2/recorder_for_test.h"
#include "dataplane/http/h2/server_codec.h"

namespace portico::http::h2 {
namespace {

struct Pair {
  explicit Pair(size_t piece_bytes, Limits limits = {})
      : piece_bytes(piece_bytes), server(server_recorder, limits), client(client_recorder, limits) {}

  bool Move(Codec& from, Codec& to) {
    base::Buffer out;
    from.Produce(out);
    const std::string bytes = out.ToString();
    for (size_t at = 0; at < bytes.size(); at += piece_bytes) {
      EXPECT_TRUE(to.Feed(base::Slice::Copy(std::string_view(bytes).substr(at, piece_bytes))));
    }
    return !bytes.empty();
  }
  // Until neither has anything to say.
  void Run() {
    bool moved = true;
    while (moved) {
      moved = Move(client, server);
      moved = Move(server, client) || moved;
    }
  }
  StreamId Request(std::string_view method, std::string_view path, bool end) {
    base::Arena head_arena;
    RequestHead head(head_arena);
    head.method = method;
    head.scheme = "https";
    head.authority = "a.test";
    head.path = path;
    head.fields.Add("authorization", "secret");
    head.fields.Add("cookie", "a=1; b=2");
    return client.SendRequest(head, end, arena);
  }
  void Respond(StreamId id, int status, bool end) {
    base::Arena head_arena;
    ResponseHead head(head_arena);
    head.status = status;
    head.fields.Add("content-type", "text/plain");
    server.SendResponse(id, head, end);
  }
  static void Content(Codec& codec, StreamId id, std::string_view text, bool end) {
    base::Buffer content;
    content.Append(text);
    codec.SendContent(id, content, end);
  }

  const size_t piece_bytes;
  base::Arena arena;
  ServerRecorder server_recorder;
  ClientRecorder client_recorder;
  ServerCodec server;
  ClientCodec client;
};

constexpr char kFields[] = " [authorization=secret,cookie=a=1; b=2]";

TEST(Http2CodecPair, ExchangesInPiecesOfEverySize) {
  for (size_t piece_bytes = 1; piece_bytes < 200; ++piece_bytes) {
    SCOPED_TRACE(piece_bytes);
    Pair pair(piece_bytes);
    ASSERT_EQ(pair.Request("GET", "/1", true), 1);
    ASSERT_EQ(pair.Request("POST", "/3", false), 3);
    Pair::Content(pair.client, 3, "question", false);
    Fields trailers(pair.arena);
    trailers.Add("t", "1");
    pair.client.SendTrailers(3, trailers);
    pair.Run();
    ASSERT_EQ(pair.server_recorder.Take(), std::string("request 1 GET https://a.test/1") + kFields +
                                               "; end 1; request 3 POST https://a.test/3" + kFields +
                                               "; content 3 question; trailers 3 [t=1]; end 3");
    pair.Respond(3, 103, false);
    pair.Respond(3, 200, false);
    Pair::Content(pair.server, 3, "answer", false);
    pair.server.SendTrailers(3, trailers);
    pair.Respond(1, 204, true);
    pair.Run();
    ASSERT_EQ(pair.client_recorder.Take(),
              "informational 3 103 [content-type=text/plain]; response 3 200 [content-type=text/plain]; "
              "response 1 204 [content-type=text/plain]; end 1; content 3 answer; trailers 3 [t=1]; end 3");
    ASSERT_TRUE(pair.client.Idle() && pair.server.Idle());
    ASSERT_EQ(pair.client.misbehaviours() + pair.server.misbehaviours(), 0);
  }
}

TEST(Http2CodecPair, ASlowStreamDoesNotStallTheOthers) {
  Limits limits;
  limits.connection_window_bytes = 300 * 1024;
  Pair pair(16000, limits);
  const std::string content(200 * 1024, 'a');
  for (const std::string_view path : {"/1", "/3", "/5"})
    pair.Request("POST", path, false);
  size_t taken = 0;
  for (int round = 0; round < 20; ++round) {
    // Nobody takes what comes on 1 and 3; each is held back by its own window. 5 is taken at once.
    for (const StreamId id : {1, 3}) {
      if (pair.client.Unsent(id) == 0) Pair::Content(pair.client, id, content, false);
    }
    Pair::Content(pair.client, 5, content, false);
    while (pair.client.Unsent(5) > 0) {
      pair.Run();
      const size_t come = pair.server_recorder.content_bytes(5);
      ASSERT_GT(come, taken) << "stalled in round " << round;
      pair.server.Consumed(5, come - taken);
      taken = come;
    }
  }
  EXPECT_EQ(taken, 20 * content.size());
  EXPECT_EQ(pair.server_recorder.content_bytes(1), limits.stream_window_bytes);
  EXPECT_GT(pair.client.Unsent(1), 0u);
  EXPECT_FALSE(pair.server.WantsClose());
}

TEST(Http2CodecPair, ResetsCross) {
  Pair pair(7);
  pair.Request("POST", "/1", false);
  pair.Request("POST", "/3", false);
  pair.Request("POST", "/5", false);
  pair.Run();
  pair.server_recorder.Take();
  pair.client.Reset(1, ResetReason::kCancelled);
  pair.server.Reset(3, ResetReason::kRefused);
  pair.client.Reset(5, ResetReason::kCancelled);
  pair.server.Reset(5, ResetReason::kInternal);
  pair.Run();
  EXPECT_EQ(pair.server_recorder.Take(), "reset 1 cancelled");
  EXPECT_EQ(pair.client_recorder.Take(), "reset 3 refused");
  EXPECT_TRUE(pair.client.Idle() && pair.server.Idle());
}

TEST(Http2CodecPair, DrainEndsBothSides) {
  Pair pair(5);
  pair.Request("GET", "/1", true);
  pair.Run();
  pair.server.Drain(false);
  pair.Run();
  EXPECT_EQ(pair.client_recorder.Take(), "drains");
  pair.server.Drain(true);
  pair.Run();
  EXPECT_FALSE(pair.client.WantsClose() || pair.server.WantsClose());
  pair.Respond(1, 200, true);
  pair.Run();
  EXPECT_EQ(pair.client_recorder.Take(), "response 1 200 [content-type=text/plain]; end 1");
  EXPECT_TRUE(pair.client.WantsClose() && pair.server.WantsClose());
}

TEST(Misbehaviour, Table) {
  Misbehaviour misbehaviour(2);
  misbehaviour.StreamEndedWell();
  EXPECT_EQ(misbehaviour.count(), 0) << "no credit in advance";
  misbehaviour.CountRepeated();
  EXPECT_EQ(misbehaviour.count(), 0);
  misbehaviour.CountRepeated();
  EXPECT_EQ(misbehaviour.count(), 1);
  misbehaviour.Written();
  misbehaviour.CountRepeated();
  misbehaviour.Count();
  EXPECT_FALSE(misbehaviour.exceeded());
  misbehaviour.Count();
  EXPECT_TRUE(misbehaviour.exceeded());
  misbehaviour.StreamEndedWell();
  EXPECT_FALSE(misbehaviour.exceeded());
}

TEST(RecentStreams, Table) {
  using Verdict = RecentStreams::Verdict;
  RecentStreams recent;
  EXPECT_EQ(recent.Judge(1), Verdict::kNew);
  recent.Opened(1);
  recent.Opened(5);
  recent.Ended(5);
  recent.Ended(99);
  EXPECT_EQ(recent.Judge(1), Verdict::kTolerated);
  EXPECT_EQ(recent.Judge(3), Verdict::kSkipped);
  EXPECT_EQ(recent.Judge(5), Verdict::kClosed);
  EXPECT_EQ(recent.Judge(7), Verdict::kNew);
  for (uint32_t id = 7; id < 7 + 2 * 126; id += 2)
    recent.Opened(id);
  EXPECT_EQ(recent.Judge(3), Verdict::kSkipped) << "128 are remembered";
  recent.Opened(1001);
  recent.Opened(1003);
  EXPECT_EQ(recent.Judge(3), Verdict::kTolerated);
  EXPECT_EQ(recent.Judge(5), Verdict::kTolerated) << "forgotten";
  EXPECT_EQ(recent.Judge(999), Verdict::kSkipped);
}

}  // namespace
}  // namespace portico::http::h2
