// What a call makes of connections that are not what they seem: stale, early, of another protocol, made on old terms.

#include <gtest/gtest.h>

#include "dataplane/http/codec.h"
#include "dataplane/http/h2/recorder_for_test.h"
#include "dataplane/http/h2/server_codec.h"
#include "dataplane/upstream/cluster_for_test.h"
#include "dataplane/upstream/stream_security.h"

namespace portico::upstream {
namespace {

using namespace for_test;
using Protocol = ClusterConfig::Protocol;

std::shared_ptr<ClusterConfig> Speaking(Protocol protocol, const std::vector<uint16_t>& ports) {
  auto config = Config(ports);
  config->protocol = protocol;
  return config;
}

// Changes nothing: what a handshake agreed on is what the far end says.
struct FakeSecurity : StreamSecurity {
  std::unique_ptr<net::ByteStream> Wrap(std::unique_ptr<net::ByteStream> stream, event::Loop&) const override {
    return stream;
  }
  call::Error WhyNotOpen(const net::ByteStream&) const override { return NotConnected(); }
  std::optional<call::Error> WhyRefused(const net::ByteStream&) const override { return std::nullopt; }
};

// An HTTP/2 origin server at the far end of a connection.
struct Http2Origin {
  explicit Http2Origin(test::FarEnd& of) : far(of) {}
  // Reads what was written, and says what it has to say.
  void Talk() {
    EXPECT_TRUE(codec.Feed(base::Slice::Copy(far.TakeWritten())));
    base::Buffer out;
    codec.Produce(out);
    far.Say(out.ToString());
  }
  test::FarEnd& far;
  http::h2::ServerRecorder heard;
  http::h2::ServerCodec codec{heard, http::Limits{}};
};

// One connection that has served a request and is idle.
void WarmUp(World& world) {
  Caller caller;
  caller.Start(*world.cluster);
  world.Open(0);
  world.Say(0, kOk);
  EXPECT_TRUE(caller.ended);
}

TEST(ClusterConnectionsTest, OverTlsTheOriginMustHaveAgreedToTheProtocol) {
  struct Row {
    Protocol protocol;
    std::string_view version, alpn;
    bool agreed;
  };
  const Row rows[] = {
      {Protocol::kHttp2, "TLSv1.3", "h2", true},        {Protocol::kHttp2, "TLSv1.3", "", false},
      {Protocol::kHttp2, "TLSv1.2", "http/1.1", false}, {Protocol::kHttp2, "", "", true},
      {Protocol::kHttp1, "TLSv1.3", "", true},          {Protocol::kHttp1, "TLSv1.3", "http/1.1", true},
      {Protocol::kHttp1, "TLSv1.3", "h2", false},       {Protocol::kHttp1, "", "", true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.protocol == Protocol::kHttp2 ? "HTTP/2 " : "HTTP/1.1 ") + std::string(row.version) +
                 " " + std::string(row.alpn));
    World world(Speaking(row.protocol, {9001, 9002}));
    Caller caller;
    caller.Start(*world.cluster);
    for (size_t i = 0; i < (row.agreed ? 1 : 2); ++i) {
      ASSERT_EQ(world.network.connects.size(), i + 1);
      world.far(i).tls_version = row.version;
      world.far(i).alpn = row.alpn;
      world.Open(i);
    }
    EXPECT_EQ(world.far(0).written.empty(), !row.agreed);
    EXPECT_EQ(world.cluster->connections(), row.agreed ? 1u : 0u);
    EXPECT_EQ(world.cluster->endpoint_states()[0].resting, !row.agreed);
    EXPECT_EQ(world.observer.connections, row.agreed ? 1 : 0);
    if (row.agreed) continue;
    EXPECT_EQ(world.network.connects.size(), 2u);  // each endpoint once
    EXPECT_EQ(caller.error, ErrorKind::kTlsProtocolError);
    EXPECT_TRUE(caller.retry_safe);
    EXPECT_EQ(caller.detail, row.protocol == Protocol::kHttp2 ? "the origin does not speak HTTP/2"
                                                              : "the origin does not speak HTTP/1.1");
    EXPECT_EQ(world.observer.Text(), "connect_failure 2");
  }
}

// RFC 9112 section 9.3 and 9.6, from the client's side: a response that is whole counts, however its connection ends.
TEST(ClusterConnectionsTest, AnEarlyAnswerIsDeliveredHoweverTheConnectionEnds) {
  struct Ending {
    std::string_view name;
    std::function<void(test::FarEnd&)> before, after;  // the answer is there
  };
  const auto nothing = [](test::FarEnd&) {};
  const Ending endings[] = {
      {"it stays open", nothing, nothing},
      {"closed together with it", [](test::FarEnd& far) { far.ended = true; }, nothing},
      {"closed after it", nothing, [](test::FarEnd& far) { far.End(); }},
      {"reset together with it", [](test::FarEnd& far) { far.failed = true; }, nothing},
      {"reset after it", nothing, [](test::FarEnd& far) { far.Fail(); }},
  };
  struct Sending {
    std::string_view name, sent;
    size_t write_room;
  };
  const Sending sendings[] = {{"nothing of the content sent", "", SIZE_MAX},
                              {"some of it sent", "some", SIZE_MAX},
                              {"the socket is full", "some", 10}};
  constexpr std::string_view kAnswer = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig";
  for (const Ending& ending : endings) {
    for (const Sending& sending : sendings) {
      SCOPED_TRACE(std::string(ending.name) + ", " + std::string(sending.name));
      World world(Config({9001}));
      Caller caller("POST", true);
      caller.head.expects_continue = sending.sent.empty();
      caller.Start(*world.cluster);
      world.far(0).write_room = sending.write_room;
      world.Open(0);
      if (!sending.sent.empty()) caller.Send(sending.sent, false);
      world.loop.Turn();
      ending.before(world.far(0));
      world.Say(0, kAnswer);
      ending.after(world.far(0));
      world.loop.Turn();
      EXPECT_EQ(caller.status, 413);
      EXPECT_EQ(caller.content, "big");
      EXPECT_TRUE(caller.ended);
      EXPECT_FALSE(caller.error);
      EXPECT_EQ(world.cluster->connections(), 0u);
      caller.Send("more", true);
      EXPECT_EQ(caller.call->Unsent(), 0u);
    }
  }
}

// The reset is noticed by writing; what came before it is still in the socket.
TEST(ClusterConnectionsTest, AWriteThatFailsReadsWhatTheOriginHadSaid) {
  struct Row {
    std::string_view name, inbound;
    bool whole;
  };
  const Row rows[] = {
      {"whole", "HTTP/1.1 413 No\r\ncontent-length: 3\r\n\r\nbig", true},
      {"whole, by its chunks", "HTTP/1.1 413 No\r\ntransfer-encoding: chunked\r\n\r\n3\r\nbig\r\n0\r\n\r\n", true},
      {"cut short", "HTTP/1.1 413 No\r\ncontent-length: 4\r\n\r\nbig", false},
      {"its end would be the connection's", "HTTP/1.1 413 No\r\n\r\nbig", false},
      {"nothing", "", false}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    World world(Config({9001}));
    Caller caller("POST", true);
    caller.Start(*world.cluster);
    world.Open(0);
    world.far(0).inbound = row.inbound;  // nobody has been told yet
    world.far(0).failed = true;
    caller.Send("more", false);
    world.loop.Turn();
    EXPECT_EQ(caller.ended, row.whole);
    EXPECT_EQ(caller.status, row.inbound.empty() ? 0 : 413);
    if (row.whole) continue;
    EXPECT_EQ(caller.error, ErrorKind::kConnectionTerminated);
    EXPECT_FALSE(caller.retry_safe);
  }
}

// A caller that does not read yet: the answer waits, and with it the end of its connection.
TEST(ClusterConnectionsTest, AnAnswerThatIsReadSlowlyOutlivesTheReset) {
  const std::string content(2 * http::Limits{}.stream_window_bytes, 'x');
  World world(Config({9001}));
  Caller caller("POST", true);
  caller.consumes = false;
  caller.Start(*world.cluster);
  world.Open(0);
  world.Say(0, "HTTP/1.1 413 No\r\ncontent-length: " + std::to_string(content.size()) + "\r\n\r\n" + content);
  world.far(0).Fail();
  world.loop.Turn();
  EXPECT_FALSE(caller.over());
  EXPECT_LT(caller.content.size(), content.size());
  for (size_t given = 0; !caller.over() && given < caller.content.size();) {
    const size_t held = caller.content.size() - given;
    given = caller.content.size();
    caller.call->Consumed(held);
    world.loop.Turn();
  }
  EXPECT_TRUE(caller.ended);
  EXPECT_EQ(caller.content, content);
}

// An answer while the end of the request still waits for room in the socket: the connection's next request would go out
// behind the rest of this one.
TEST(ClusterConnectionsTest, AConnectionIsNotReusedBeforeTheRequestHasLeft) {
  World world(Config({9001}));
  Caller caller("POST", true);
  caller.Start(*world.cluster);
  world.far(0).write_room = 100;
  world.Open(0);
  caller.Send(std::string(1000, 'x'), true);
  world.loop.Turn();
  EXPECT_EQ(caller.call->Unsent(), 0u);  // it has left the codec
  world.Say(0, kOk);
  EXPECT_TRUE(caller.ended);
  EXPECT_EQ(world.cluster->connections(), 0u);
}

// The end, or bytes that answer nothing, and a request come in one turn, the request first.
TEST(ClusterConnectionsTest, WhatHasNotBeenSentGoesToANewConnection) {
  struct Request {
    std::string_view name, method;
    bool content;
    std::string_view sent;
    bool ended;
  };
  const Request requests[] = {{"get", "GET", false, "", true},
                              {"post without content", "POST", false, "", true},
                              {"post with whole content", "POST", true, "hello", true},
                              {"post with content to come", "POST", true, "hel", false},
                              {"post without its content yet", "POST", true, "", false}};
  struct Happening {
    std::string_view name;
    std::function<void(test::FarEnd&)> happens;
  };
  const Happening happenings[] = {
      {"closed", [](test::FarEnd& far) { far.End(); }},
      {"reset", [](test::FarEnd& far) { far.Fail(); }},
      {"poison", [](test::FarEnd& far) { far.Say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"); }},
      {"408 and closed", [](test::FarEnd& far) {
         far.inbound = "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
         far.End();
       }}};
  for (const Request& request : requests) {
    for (const Happening& happening : happenings) {
      SCOPED_TRACE(std::string(request.name) + ", " + std::string(happening.name));
      World world(Config({9001}));
      WarmUp(world);
      world.far(0).TakeWritten();
      Caller caller(request.method, request.content);
      caller.Start(*world.cluster);
      if (request.content) caller.Send(request.sent, request.ended);
      happening.happens(world.far(0));
      world.loop.Turn();
      EXPECT_EQ(world.far(0).written, "");
      EXPECT_TRUE(world.far(0).destroyed);
      ASSERT_EQ(world.network.connects.size(), 2u);
      world.Open(1);
      if (!request.ended) caller.Send(request.sent.empty() ? "hello" : "lo", true);
      world.loop.Turn();
      const std::string written = world.far(1).TakeWritten();
      EXPECT_TRUE(written.starts_with(std::string(request.method) + " / HTTP/1.1\r\n")) << written;
      EXPECT_EQ(written.ends_with("\r\n0\r\n\r\n"), request.content) << written;
      EXPECT_EQ(written.find("hel") != std::string::npos, request.content) << written;
      world.Say(1, kOk);
      EXPECT_EQ(caller.content, "ok");
      EXPECT_EQ(caller.call->facts().attempts, 2);
      EXPECT_EQ(world.observer.Text(), "reset 1; success 2");
    }
  }
}

TEST(ClusterConnectionsTest, TrailersGoAlongToTheNewConnection) {
  World world(Config({9001}));
  WarmUp(world);
  Caller caller("POST", true);
  caller.Start(*world.cluster);
  caller.Send("hello", false);
  http::Fields trailers(caller.arena);
  trailers.Add("checksum", "1");
  caller.call->SendTrailers(trailers);
  world.far(0).End();
  world.loop.Turn();
  world.Open(1);
  EXPECT_TRUE(world.far(1).written.ends_with("5\r\nhello\r\n0\r\nchecksum: 1\r\n\r\n")) << world.far(1).written;
}

TEST(ClusterConnectionsTest, WhatHasNotBeenSentIsRetriedOnceAndThenSafeToRetry) {
  World world(Config({9001}));
  WarmUp(world);
  Caller caller("POST", true);
  caller.Start(*world.cluster);
  world.far(0).End();
  world.loop.Turn();
  ASSERT_EQ(world.network.connects.size(), 2u);
  world.far(1).Open(true);
  world.far(1).End();
  world.loop.Turn();
  EXPECT_EQ(caller.error, ErrorKind::kConnectionTerminated);
  EXPECT_TRUE(caller.retry_safe);
  EXPECT_EQ(world.network.connects.size(), 2u);
}

TEST(ClusterConnectionsTest, WhatHasBeenSentWithContentIsNotRepeated) {
  for (const std::string_view method : {"POST", "PUT"}) {
    World world(Config({9001}));
    WarmUp(world);
    Caller caller(method, true);
    caller.Start(*world.cluster);
    caller.Send("hello", true);
    world.loop.Turn();
    world.far(0).End();
    world.loop.Turn();
    EXPECT_EQ(caller.error, ErrorKind::kConnectionTerminated);
    EXPECT_FALSE(caller.retry_safe);
    EXPECT_EQ(world.network.connects.size(), 1u);
  }
}

// When an origin restarts, every idle connection to it is as dead as the first.
TEST(ClusterConnectionsTest, ARepeatedRequestGoesToANewConnection) {
  World world(Config({9001}));
  {
    Caller callers[2];
    for (Caller& caller : callers)
      caller.Start(*world.cluster);
    world.Open(0), world.Open(1);
    world.Say(0, kOk), world.Say(1, kOk);
    EXPECT_TRUE(callers[0].ended && callers[1].ended);
  }
  Caller caller;
  caller.Start(*world.cluster);
  world.loop.Turn();
  world.far(1).End();  // the one used last
  world.loop.Turn();
  ASSERT_EQ(world.network.connects.size(), 3u);
  world.far(0).End();
  world.Open(2);
  world.Say(2, kOk);
  EXPECT_TRUE(caller.ended);
}

TEST(ClusterConnectionsTest, ARepeatedRequestTakesAnOldConnectionWhenThereIsNoRoom) {
  auto config = Config({9001});
  config->connections_max = 2;
  World world(config);
  Caller first, second;
  first.Start(*world.cluster);
  second.Start(*world.cluster);
  world.Open(0), world.Open(1);
  world.Say(0, kOk), world.Say(1, kOk);
  EXPECT_TRUE(first.ended && second.ended);
  auto lower = std::make_shared<ClusterConfig>(*config);
  lower->connections_max = 1;
  world.cluster->Update(lower);
  Caller caller;
  caller.Start(*world.cluster);
  world.loop.Turn();
  world.far(1).End();
  world.loop.Turn();
  EXPECT_EQ(world.network.connects.size(), 2u);
  world.Say(0, kOk);
  EXPECT_TRUE(caller.ended);
}

TEST(ClusterConnectionsTest, AnOriginThatDoesNotGreetHasNoConnection) {
  struct Row {
    std::string_view name, says;
    std::optional<ErrorKind> error;
  };
  const Row rows[] = {
      {"nothing", "", ErrorKind::kConnectionTimeout},
      {"another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n", ErrorKind::kHttpProtocolError},
      {"no streams", std::string_view("\0\0\6\4\0\0\0\0\0\0\3\0\0\0\0", 15), ErrorKind::kDestinationUnavailable},
      {"its settings", World::kGreeting, std::nullopt}};
  for (const Row& row : rows) {
    World world(Speaking(Protocol::kHttp2, {9001}));
    Caller caller;
    caller.Start(*world.cluster);
    world.far(0).Open(true);
    world.Say(0, row.says);
    world.loop.Turn(std::chrono::seconds(2));
    EXPECT_EQ(caller.error, row.error) << row.name;
    EXPECT_EQ(world.cluster->connections(), row.error ? 0u : 1u) << row.name;
  }
}

TEST(ClusterConnectionsTest, ARefusedStreamIsSentAgainOnTheSameConnection) {
  World world(Speaking(Protocol::kHttp2, {9001}));
  Caller caller("POST");
  caller.Start(*world.cluster);
  world.far(0).Open(true);
  world.loop.Turn();
  Http2Origin origin(world.far(0));
  origin.Talk();  // its greeting
  world.loop.Turn();
  origin.Talk();
  world.loop.Turn();
  origin.codec.Reset(1, http::ResetReason::kRefused);
  origin.Talk();
  world.loop.Turn();
  origin.Talk();
  EXPECT_NE(origin.heard.Take().find("request 3 POST"), std::string::npos);
  EXPECT_EQ(world.network.connects.size(), 1u);
}

// RFC 9113 section 8.3.1, README.
TEST(ClusterConnectionsTest, TheSchemeIsThatOfTheOriginsConnection) {
  struct Row {
    std::string_view clients;
    bool tls;
    std::string_view sent;
  };
  const Row rows[] = {{"http", false, "http://orders/"},
                      {"https", false, "http://orders/"},
                      {"http", true, "https://orders/"},
                      {"https", true, "https://orders/"}};
  for (const Row& row : rows) {
    auto config = Speaking(Protocol::kHttp2, {9001});
    if (row.tls) config->security = std::make_shared<FakeSecurity>();
    World world(config);
    Caller caller;
    caller.head.scheme = row.clients;
    caller.Start(*world.cluster);
    if (row.tls) world.far(0).tls_version = "TLSv1.3", world.far(0).alpn = "h2";
    world.far(0).Open(true);
    world.loop.Turn();
    Http2Origin origin(world.far(0));
    origin.Talk();  // its greeting
    world.loop.Turn();
    origin.Talk();
    world.loop.Turn();
    EXPECT_NE(origin.heard.Take().find("GET " + std::string(row.sent) + " "), std::string::npos) << row.clients;
  }
}

TEST(ClusterConnectionsTest, ConnectionsMadeOnOtherTermsAreNotUsedAgain) {
  struct Row {
    std::string_view name;
    std::function<void(ClusterConfig&)> changes;
    bool renewed;
  };
  const Row rows[] = {
      {"nothing", [](ClusterConfig&) {}, false},
      {"a timeout", [](ClusterConfig& config) { config.connect_timeout = seconds(3); }, false},
      {"TLS", [](ClusterConfig& config) { config.security_identity = "orders.example\n"; }, true},
      {"the protocol", [](ClusterConfig& config) { config.protocol = Protocol::kHttp2; }, true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    World world(Config({9001}));
    Caller idle, busy;
    idle.Start(*world.cluster);
    busy.Start(*world.cluster);
    world.Open(0), world.Open(1);
    world.Say(0, kOk);
    Caller third;
    third.Start(*world.cluster);
    world.Say(0, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n");
    auto newer = Config({9001});
    row.changes(*newer);
    world.cluster->Update(newer);
    world.loop.Turn();
    world.Say(1, kOk);
    EXPECT_TRUE(busy.ended);
    EXPECT_EQ(world.far(1).destroyed, row.renewed);
    Caller next;
    next.Start(*world.cluster);
    world.loop.Turn();
    EXPECT_EQ(world.network.connects.size(), row.renewed ? 3u : 2u);
  }
}

// What an exchange noted before a change is logged after it, when the old configuration is gone.
TEST(ClusterConnectionsTest, ItsNameOutlivesItsConfigurations) {
  World world(Config({9001}));
  const std::string_view name = world.cluster->name();
  world.config = Config({9001});
  world.cluster->Update(world.config);
  EXPECT_EQ(name, world.config->name);
}

TEST(ClusterConnectionsTest, AConnectionOnItsWayWhenTheTermsChangeIsNotUsed) {
  World world(Config({9001}));
  Caller caller;
  caller.Start(*world.cluster);
  auto newer = Config({9001});
  newer->security_identity = "orders.example\n";
  world.cluster->Update(newer);
  world.Open(0);
  EXPECT_EQ(world.far(0).written, "");
  EXPECT_TRUE(world.far(0).destroyed);
  ASSERT_EQ(world.network.connects.size(), 2u);
  world.Open(1);
  world.Say(1, kOk);
  EXPECT_TRUE(caller.ended);
}

// Connections that were begun together fail together.
TEST(ClusterConnectionsTest, ABurstOfFailuresIsOneFailure) {
  World world(Config({9001}));
  Caller callers[10];
  for (Caller& caller : callers)
    caller.Start(*world.cluster);
  for (size_t i = 0; i < 10; ++i)
    world.far(i).Open(false);
  world.loop.Turn();
  EXPECT_TRUE(world.cluster->endpoint_states()[0].resting);
  world.loop.Turn(milliseconds(1100));
  EXPECT_FALSE(world.cluster->endpoint_states()[0].resting);
}

TEST(ClusterConnectionsTest, ACallerThatPausesIsNotTheOriginsFault) {
  struct Row {
    std::string_view name;
    size_t write_room;
    base::Duration before, after;
  };
  const Row rows[] = {{"the caller pauses", SIZE_MAX, seconds(299), seconds(2)},
                      {"the origin does not read", 0, seconds(59), seconds(2)}};
  for (const Row& row : rows) {
    World world(Config({9001}));
    Caller caller("POST", true);
    caller.Start(*world.cluster);
    world.far(0).write_room = row.write_room;
    world.Open(0);
    caller.Send(std::string(2 * http::kSendHighMarkBytes, 'x'), false);
    world.loop.Turn();
    world.loop.Turn(row.before);
    EXPECT_FALSE(caller.error) << row.name;
    world.loop.Turn(row.after);
    EXPECT_EQ(caller.error, ErrorKind::kConnectionReadTimeout) << row.name;
  }
}

// Whoever sends without an end holds up nobody else of the worker.
TEST(ClusterConnectionsTest, AnOriginIsReadForSomeTimeAndThenOthersHaveTheirTurn) {
  World world(Config({9001}));
  Caller caller;
  caller.Start(*world.cluster);
  world.Open(0);
  const size_t content_bytes = 1 << 20;
  std::string answer = "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(content_bytes) + "\r\n\r\n";
  world.loop.Turn();
  world.far(0).Say(answer.append(content_bytes, 'x'));
  const size_t in_one_turn = caller.content.size();
  EXPECT_GT(in_one_turn, 128u << 10);
  EXPECT_LE(in_one_turn, 256u << 10);
  world.loop.Turn();
  EXPECT_GT(caller.content.size(), in_one_turn) << "it goes on by itself";
  for (int i = 0; i < 8; ++i)
    world.loop.Turn();
  EXPECT_TRUE(caller.ended);
  EXPECT_EQ(caller.content.size(), content_bytes);
}

TEST(ClusterConnectionsTest, ARequestThatBreaksItsLengthIsNotTheOriginsFault) {
  World world(Config({9001}));
  Caller caller("POST", true);
  caller.head.fields.Add("content-length", "3");
  caller.head.framing.length = 3;
  caller.Start(*world.cluster);
  world.Open(0);
  caller.Send("more", true);
  world.loop.Turn();
  EXPECT_EQ(caller.error, ErrorKind::kHttpProtocolError);
  EXPECT_EQ(caller.detail, "request does not fit its content-length");
}

}  // namespace
}  // namespace portico::upstream
