#include "dataplane/upstream/cluster.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "dataplane/upstream/cluster_for_test.h"

namespace portico::upstream {
namespace {

using namespace for_test;

TEST(ClusterTest, ARequestGoesOutAndItsConnectionIsReused) {
  World world(Config({9001}));
  for (int i = 0; i < 3; ++i) {
    Caller caller;
    caller.Start(*world.cluster);
    if (i == 0) world.Open(0);
    world.loop.Turn();
    EXPECT_EQ(world.far(0).TakeWritten().substr(0, 16), "GET / HTTP/1.1\r\n");
    world.Say(0, kOk);
    EXPECT_EQ(caller.status, 200);
    EXPECT_EQ(caller.content, "ok");
    EXPECT_TRUE(caller.ended);
    EXPECT_EQ(caller.call->facts().reused_connection, i > 0);
    EXPECT_EQ(caller.call->facts().endpoint, "127.0.0.1:9001");
  }
  EXPECT_EQ(world.network.connects.size(), 1u);
}

TEST(ClusterTest, EndpointsTakeTurns) {
  World world(Config({9001, 9002, 9003}));
  std::vector<uint16_t> ports;
  Caller callers[6];
  for (Caller& caller : callers)
    caller.Start(*world.cluster);
  for (const auto& far : world.network.connects)
    ports.push_back(far->address.port());
  EXPECT_EQ(ports, (std::vector<uint16_t>{9001, 9002, 9003, 9001, 9002, 9003}));
}

TEST(ClusterTest, AConnectionThatCantBeMadeGoesToAnotherEndpoint) {
  World world(Config({9001, 9002}));
  Caller caller;
  caller.Start(*world.cluster);
  world.far(0).Open(false);
  world.loop.Turn();
  ASSERT_EQ(world.network.connects.size(), 2u);
  EXPECT_EQ(world.far(1).address.port(), 9002);
  world.Open(1);
  world.Say(1, kOk);
  EXPECT_EQ(caller.status, 200);
  EXPECT_EQ(caller.call->facts().attempts, 2);
}

TEST(ClusterTest, AFailingEndpointRestsLongerAndLongerAndAllAreUsedWhenAllRest) {
  World world(Config({9001, 9002}));
  const auto connects_after_a_call = [&] {
    Caller caller;
    caller.Start(*world.cluster);
    const uint16_t port = world.network.connects.back()->address.port();
    return port;
  };
  Caller first;
  first.Start(*world.cluster);
  world.far(0).Open(false);  // 9001 rests for a second
  world.loop.Turn();
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(connects_after_a_call(), 9002);
  world.loop.Turn(milliseconds(1500));
  EXPECT_EQ(connects_after_a_call(), 9001);  // rested: its turn again
}

TEST(ClusterTest, WhenEveryEndpointFailsTheCallFails) {
  World world(Config({9001, 9002}));
  for (int round = 0; round < 2; ++round) {  // the second round finds all resting, and tries all the same
    const size_t before = world.network.connects.size();
    Caller caller;
    caller.Start(*world.cluster);
    for (size_t i = before; i < before + 2; ++i) {
      ASSERT_EQ(world.network.connects.size(), i + 1);
      EXPECT_FALSE(caller.error);
      world.far(i).Open(false);
      world.loop.Turn();
    }
    EXPECT_EQ(caller.error, ErrorKind::kConnectionRefused);
  }
}

TEST(ClusterTest, NoEndpointIsSaidAfterStartReturned) {
  World world(Config({}));
  Caller caller;
  caller.Start(*world.cluster);
  EXPECT_FALSE(caller.error);
  world.loop.Turn();
  EXPECT_EQ(caller.error, ErrorKind::kDestinationUnavailable);
}

// A reused connection that fails before the first byte of a response.
TEST(ClusterTest, OnlyWhatIsSafeIsRepeated) {
  struct Row {
    std::string_view name, method;
    bool content, repeated;
  };
  const Row rows[] = {{"get", "GET", false, true},
                      {"delete", "DELETE", false, true},
                      {"post without content", "POST", false, false},
                      {"put with content", "PUT", true, false}};
  for (const Row& row : rows) {
    World world(Config({9001}));
    Caller warm;
    warm.Start(*world.cluster);
    world.Open(0);
    world.Say(0, kOk);
    Caller caller(row.method);
    caller.head.framing.ends_with_head = !row.content;
    caller.Start(*world.cluster);
    world.loop.Turn();
    world.far(0).End();
    world.loop.Turn();
    if (!row.repeated) {
      EXPECT_EQ(caller.error, ErrorKind::kConnectionTerminated) << row.name;
      EXPECT_EQ(world.network.connects.size(), 1u) << row.name;
      continue;
    }
    ASSERT_EQ(world.network.connects.size(), 2u) << row.name;
    world.Open(1);
    world.far(1).End();  // a new connection: not repeated again
    world.loop.Turn();
    EXPECT_EQ(caller.error, ErrorKind::kConnectionTerminated) << row.name;
    EXPECT_EQ(world.network.connects.size(), 2u) << row.name;
  }
}

// An instance that is killed: the kernel has accepted connections for it that nobody will ever read.
TEST(ClusterTest, ARepeatedRequestGoesToAnotherEndpointFirst) {
  enum class Other { kStands, kRests, kRefuses, kDies, kNone };
  struct Row {
    std::string_view name, method;
    bool reused;
    Other other;
    std::vector<uint16_t> sent;  // where the request arrived
    int status;
  };
  const Row rows[] = {
      {"an old connection", "GET", true, Other::kStands, {9001, 9002}, 200},
      {"a new connection", "GET", false, Other::kStands, {9001}, 0},
      {"an old one, not to be repeated", "POST", true, Other::kStands, {9001}, 0},
      {"a new one, not to be repeated", "POST", false, Other::kStands, {9001}, 0},
      {"an old one, the other rests", "GET", true, Other::kRests, {9001, 9001}, 200},
      {"an old one, the other is gone", "GET", true, Other::kRefuses, {9001, 9001}, 200},
      {"an old one, the other dies as well", "GET", true, Other::kDies, {9001, 9002}, 0},
      {"an old one, there is no other", "GET", true, Other::kNone, {9001, 9001}, 200},
      {"a new one, there is no other", "GET", false, Other::kNone, {9001}, 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    auto config = Config(row.other == Other::kNone ? std::vector<uint16_t>{9001} : std::vector<uint16_t>{9001, 9002});
    if (!row.reused) config->idle_connections_max = 0;
    World world(config);
    std::map<uint16_t, int> deaths;  // how many of the requests that come next are not answered but reset
    bool refuses = false;            // 9002
    std::vector<uint16_t> sent;
    const auto run = [&] {
      world.loop.Turn();
      for (size_t i = 0; i < world.network.connects.size(); ++i) {
        test::FarEnd& far = world.far(i);
        const uint16_t port = far.address.port();
        if (far.destroyed) continue;
        if (!far.open) {
          far.Open(port != 9002 || !refuses);
        } else if (far.TakeWritten().empty()) {
          continue;
        } else if (sent.push_back(port); deaths[port]-- > 0) {
          far.Fail();
        } else {
          far.Say(kOk);
        }
        world.loop.Turn();
        i = SIZE_MAX;  // what was heard may have sent something over any connection
      }
    };
    refuses = row.other == Other::kRests;
    for (int i = 0; i < 2; ++i) {
      Caller before;
      before.Start(*world.cluster);
      run();
      EXPECT_TRUE(before.ended);
    }
    refuses = row.other == Other::kRefuses;
    deaths = {{9001, 1}, {9002, row.other == Other::kDies ? 1 : 0}};
    sent.clear();
    Caller caller(row.method);
    caller.Start(*world.cluster);
    run();
    EXPECT_EQ(sent, row.sent);
    EXPECT_EQ(caller.status, row.status);
    EXPECT_EQ(caller.error.has_value(), row.status == 0);
  }
}

TEST(ClusterTest, AResponseThatBreaksOffIsNotRepeated) {
  World world(Config({9001}));
  Caller caller;
  caller.Start(*world.cluster);
  world.Open(0);
  world.Say(0, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
  EXPECT_EQ(caller.content, "half");
  world.far(0).End();
  world.loop.Turn();
  EXPECT_EQ(caller.error, ErrorKind::kConnectionTerminated);
  EXPECT_FALSE(caller.ended);
}

TEST(ClusterTest, WhatComesOnAnIdleConnectionClosesIt) {
  for (const std::string_view bytes : {std::string_view(kOk), std::string_view()}) {
    World world(Config({9001}));
    Caller caller;
    caller.Start(*world.cluster);
    world.Open(0);
    world.Say(0, kOk);
    if (bytes.empty()) {
      world.far(0).End();
    } else {
      world.far(0).Say(bytes);  // poison for the next request
    }
    world.loop.Turn();
    EXPECT_TRUE(world.far(0).destroyed);
    EXPECT_EQ(world.cluster->connections(), 0u);
    EXPECT_EQ(caller.content, "ok");
  }
}

TEST(ClusterTest, EveryWaitHasAnEnd) {
  struct Row {
    std::string_view name;
    bool opens;
    std::string_view said;
    std::optional<base::Duration> attempt;
    base::Duration before;  // not over yet
    ErrorKind kind;
  };
  const Row rows[] = {
      {"connect", false, "", std::nullopt, milliseconds(900), ErrorKind::kConnectionTimeout},
      {"response head", true, "", std::nullopt, seconds(59), ErrorKind::kConnectionReadTimeout},
      {"stream idle", true, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1", std::nullopt, seconds(299),
       ErrorKind::kConnectionReadTimeout},
      {"attempt, before the head", true, "", milliseconds(700), milliseconds(690), ErrorKind::kHttpResponseTimeout},
      {"attempt, in the content", true, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1", milliseconds(700),
       milliseconds(690), ErrorKind::kHttpResponseTimeout},
      {"attempt, connecting", false, "", milliseconds(700), milliseconds(690), ErrorKind::kConnectionTimeout},
  };
  for (const Row& row : rows) {
    World world(Config({9001}));
    Caller caller;
    caller.Start(*world.cluster, row.attempt);
    if (row.opens) world.Open(0);
    if (!row.said.empty()) world.Say(0, row.said);
    world.loop.Turn(row.before);
    EXPECT_FALSE(caller.error) << row.name;
    world.loop.Turn(seconds(3));
    EXPECT_EQ(caller.error, row.kind) << row.name;
    EXPECT_EQ(caller.retry_safe, !row.opens) << row.name << ": nothing has left";
    world.loop.Turn();
    EXPECT_EQ(world.cluster->pending(), 0u) << row.name;
  }
}

// The caller leaves at every point where it waits: nothing stays behind.
TEST(ClusterTest, LeavingAtEveryPointLeaksNothing) {
  for (int point = 0; point < 5; ++point) {
    World world(Config({9001}));
    auto caller = std::make_unique<Caller>("POST");
    caller->head.framing = {};
    caller->Start(*world.cluster);
    if (point >= 1) world.Open(0);
    if (point >= 2) {
      base::Buffer content;
      content.Append("content");
      caller->call->SendContent(content, false);
      world.loop.Turn();
    }
    if (point >= 3) world.Say(0, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n");
    if (point >= 4) world.Say(0, "half");
    caller.reset();
    world.loop.Turn();
    EXPECT_EQ(world.cluster->calls(), 0u) << point;
    EXPECT_EQ(world.cluster->pending(), 0u) << point;
    // A connection in the middle of a message can't be used again; one that is on its way can.
    EXPECT_EQ(world.cluster->connections(), point == 0 ? 1u : 0u) << point;
  }
}

TEST(ClusterTest, TheCallMayBeDestroyedInItsOwnCallback) {
  World world(Config({9001}));
  Caller caller;
  caller.hook = [&caller](At at) {
    if (at == At::kError) caller.call.reset();
  };
  caller.Start(*world.cluster);
  world.far(0).Open(false);
  world.loop.Turn();
  EXPECT_EQ(caller.error, ErrorKind::kConnectionRefused);
  EXPECT_EQ(world.cluster->calls(), 0u);
}

TEST(ClusterTest, LimitsAreKept) {
  auto config = Config({9001});
  config->connections_max = 2;
  config->pending_max = 3;
  World world(config);
  Caller callers[4];
  for (Caller& caller : callers)
    caller.Start(*world.cluster);
  world.loop.Turn();
  EXPECT_EQ(world.network.connects.size(), 2u);
  EXPECT_EQ(world.cluster->pending(), 3u);
  EXPECT_EQ(callers[3].error, ErrorKind::kConnectionLimitReached);
  // The third waits until one of the two is free.
  world.Open(0);
  world.Open(1);
  world.Say(0, kOk);
  EXPECT_TRUE(callers[0].ended);
  world.Say(0, kOk);
  EXPECT_TRUE(callers[2].ended);
  EXPECT_EQ(world.network.connects.size(), 2u);
}

TEST(ClusterTest, WaitingForABusyConnectionHasAnEnd) {
  auto config = Config({9001});
  config->connections_max = 1;
  config->stream_idle_timeout = std::chrono::hours(2);
  World world(config);
  Caller busy, waiting;
  busy.Start(*world.cluster);
  world.Open(0);
  world.Say(0, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1");
  waiting.Start(*world.cluster);
  world.loop.Turn(seconds(59));
  EXPECT_FALSE(waiting.error);
  world.loop.Turn(seconds(3));
  EXPECT_EQ(waiting.error, ErrorKind::kConnectionTimeout);
  EXPECT_EQ(world.cluster->pending(), 0u);
}

// The origin lets a connection have 100 streams until it says otherwise: who is over that gets another connection.
TEST(ClusterTest, WaitersBeyondASharedConnectionGetAnotherOne) {
  auto config = Config({9001});
  config->protocol = ClusterConfig::Protocol::kHttp2;
  World world(config);
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < 150; ++i) {
    callers.push_back(std::make_unique<Caller>());
    callers.back()->Start(*world.cluster);
  }
  EXPECT_EQ(world.network.connects.size(), 1u);
  world.Open(0);
  ASSERT_EQ(world.network.connects.size(), 2u);
  EXPECT_EQ(world.cluster->pending(), 50u);
  world.Open(1);
  EXPECT_EQ(world.cluster->pending(), 0u);
  EXPECT_EQ(world.network.connects.size(), 2u);
}

TEST(ClusterTest, AfterA103NothingIsRepeated) {
  World world(Config({9001}));
  Caller warm;
  warm.Start(*world.cluster);
  world.Open(0);
  world.Say(0, kOk);
  Caller caller;
  caller.Start(*world.cluster);
  world.loop.Turn();
  world.Say(0, "HTTP/1.1 103 Early Hints\r\n\r\n");
  EXPECT_EQ(caller.informational, 103);
  world.far(0).End();
  world.loop.Turn();
  EXPECT_EQ(caller.error, ErrorKind::kConnectionTerminated);
  EXPECT_EQ(world.network.connects.size(), 1u);
}

TEST(ClusterTest, IdleConnectionsBeyondThePoolAreClosed) {
  auto config = Config({9001});
  config->idle_connections_max = 1;
  World world(config);
  Caller callers[3];
  for (Caller& caller : callers)
    caller.Start(*world.cluster);
  for (size_t i = 0; i < 3; ++i)
    world.Open(i);
  for (size_t i = 0; i < 3; ++i)
    world.Say(i, kOk);
  EXPECT_EQ(world.cluster->connections(), 1u);
  EXPECT_FALSE(world.far(2).destroyed);  // the last used
}

// The connection in use is older than the one that is idle, and stands in the way of nothing.
TEST(ClusterTest, APoolOfNoneKeepsNone) {
  auto config = Config({9001});
  config->idle_connections_max = 0;
  World world(config);
  Caller first, second;
  first.Start(*world.cluster);
  second.Start(*world.cluster);
  world.Open(0);
  world.Open(1);
  world.Say(1, kOk);
  EXPECT_TRUE(world.far(1).destroyed);
  world.Say(0, kOk);
  EXPECT_TRUE(first.ended);
  EXPECT_TRUE(world.far(0).destroyed);
}

TEST(ClusterTest, IdleConnectionsAgeOut) {
  World world(Config({9001}));
  Caller caller;
  caller.Start(*world.cluster);
  world.Open(0);
  world.Say(0, kOk);
  world.loop.Turn(seconds(49));
  EXPECT_EQ(world.cluster->connections(), 1u);
  world.loop.Turn(seconds(2));
  EXPECT_EQ(world.cluster->connections(), 0u);
}

TEST(ClusterTest, ContentWaitsForTheConnectionAndStreams) {
  World world(Config({9001}));
  Caller caller("POST");
  caller.head.framing = {};
  caller.Start(*world.cluster);
  base::Buffer content;
  content.Append("early ");
  caller.call->SendContent(content, false);
  EXPECT_EQ(caller.call->Unsent(), 6u);
  world.Open(0);
  EXPECT_NE(world.far(0).TakeWritten().find("early "), std::string::npos);
  content.Append("late");
  caller.call->SendContent(content, true);
  world.loop.Turn();
  EXPECT_EQ(world.far(0).TakeWritten(), "4\r\nlate\r\n0\r\n\r\n");
  world.Say(0, kOk);
  EXPECT_TRUE(caller.ended);
}

TEST(ClusterTest, ASlowOriginStopsTheSenderAndWakesIt) {
  World world(Config({9001}));
  Caller caller("POST");
  caller.head.framing = {};
  caller.Start(*world.cluster);
  world.Open(0);
  world.far(0).write_room = 0;
  base::Buffer content;
  content.Append(std::string(2 * http::kSendHighMarkBytes, 'x'));
  caller.call->SendContent(content, false);
  world.loop.Turn();
  EXPECT_EQ(caller.ready, 0);
  world.far(0).write_room = SIZE_MAX;
  world.far(0).handler->OnWritable();
  world.loop.Turn();
  EXPECT_EQ(caller.call->Unsent(), 0u);
  EXPECT_GE(caller.ready, 1);
}

TEST(ClusterTest, AnEarlyAnswerEndsTheUploadAndItsConnection) {
  World world(Config({9001}));
  Caller caller("POST");
  caller.head.framing = {};
  caller.Start(*world.cluster);
  world.Open(0);
  world.Say(0, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(caller.status, 413);
  EXPECT_TRUE(caller.ended);
  base::Buffer content;
  content.Append("more");
  caller.call->SendContent(content, true);
  EXPECT_EQ(caller.call->Unsent(), 0u);
  EXPECT_EQ(world.cluster->connections(), 0u);
}

TEST(ClusterTest, AnUpdateKeepsWhatIsNamedAgain) {
  World world(Config({9001, 9002}));
  Caller first, second;
  first.Start(*world.cluster);
  second.Start(*world.cluster);
  world.Open(0);
  world.Open(1);
  world.Say(0, kOk);
  world.cluster->Update(Config({9001, 9003}));  // 9001 is idle and stays; 9002 is busy and goes when it is done
  world.loop.Turn();
  EXPECT_FALSE(world.far(0).destroyed);
  EXPECT_FALSE(world.far(1).destroyed);
  world.Say(1, kOk);
  EXPECT_TRUE(second.ended);
  EXPECT_TRUE(world.far(1).destroyed);
  EXPECT_EQ(world.cluster->connections(), 1u);
}

TEST(ClusterTest, AWaiterOfARemovedEndpointGoesToAnother) {
  World world(Config({9001}));
  Caller caller;
  caller.Start(*world.cluster);
  world.cluster->Update(Config({9002}));
  world.loop.Turn();
  ASSERT_EQ(world.network.connects.size(), 2u);
  world.Open(1);
  world.Say(1, kOk);
  EXPECT_TRUE(caller.ended);
}

}  // namespace
}  // namespace portico::upstream
