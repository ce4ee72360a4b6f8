// What a handler may do inside its callbacks, and what is left behind: nothing, whatever became of the call.

#include <gtest/gtest.h>

#include "dataplane/http/codec.h"
#include "dataplane/upstream/cluster_for_test.h"

namespace portico::upstream {
namespace {

using namespace for_test;

constexpr std::string_view kEverything =
    "HTTP/1.1 103 Early Hints\r\n\r\n"
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx: 1\r\n\r\n";

// Opens what waits to be opened and answers what has asked, until nobody asks.
void Serve(World& world) {
  for (size_t i = 0; i < world.network.connects.size(); ++i) {
    test::FarEnd& far = world.far(i);
    if (far.destroyed) continue;
    if (!far.open && !far.failed) world.Open(i);
    world.loop.Turn();
    while (far.TakeWritten().find("\r\n\r\n") != std::string::npos)
      world.Say(i, kOk);
  }
}

// What leads to a callback, in one read where there is more than one.
struct Cause {
  std::string_view name;
  At at;
  std::function<void(World&, Caller&)> happens;
};

const Cause kCauses[] = {
    {"informational", At::kInformational, [](World& world, Caller&) { world.far(0).Say(kEverything); }},
    {"response", At::kResponse, [](World& world, Caller&) { world.far(0).Say(kEverything); }},
    {"content", At::kContent, [](World& world, Caller&) { world.far(0).Say(kEverything); }},
    {"trailers", At::kTrailers, [](World& world, Caller&) { world.far(0).Say(kEverything); }},
    {"end", At::kEnd, [](World& world, Caller&) { world.far(0).Say(kEverything); }},
    {"end with the connection's", At::kEnd,
     [](World& world, Caller&) { world.far(0).Say("HTTP/1.1 200 OK\r\n\r\nhello"), world.far(0).End(); }},
    {"malformed", At::kError, [](World& world, Caller&) { world.far(0).Say("HTTP/1.1 2000 OK\r\n\r\n"); }},
    {"closed", At::kError, [](World& world, Caller&) { world.far(0).End(); }},
    {"reset", At::kError, [](World& world, Caller&) { world.far(0).Fail(); }},
    {"not in time", At::kError, [](World& world, Caller&) { world.loop.Turn(seconds(301)); }},
    {"room again", At::kSendReady,
     [](World& world, Caller&) { world.far(0).write_room = SIZE_MAX, world.far(0).handler->OnWritable(); }},
};

TEST(ClusterReentryTest, AHandlerMayDoAnythingInEveryCallback) {
  struct Act {
    std::string_view name;
    std::function<void(World&, Caller& self, Caller& waiting, Caller& next)> does;
  };
  const Act acts[] = {
      {"leave", [](World&, Caller& self, Caller&, Caller&) { self.call.reset(); }},
      {"leave and start another",
       [](World& world, Caller& self, Caller&, Caller& next) { self.call.reset(), next.Start(*world.cluster); }},
      {"start another", [](World& world, Caller&, Caller&, Caller& next) { next.Start(*world.cluster); }},
      {"start another and leave",
       [](World& world, Caller& self, Caller&, Caller& next) { next.Start(*world.cluster), self.call.reset(); }},
      {"end one that waits", [](World&, Caller&, Caller& waiting, Caller&) { waiting.call.reset(); }},
      {"a new configuration", [](World& world, Caller&, Caller&, Caller&) { world.cluster->Update(Config({9002})); }},
      {"no endpoints, and leave",
       [](World& world, Caller& self, Caller&, Caller&) { world.cluster->Update(Config({})), self.call.reset(); }},
  };
  for (const size_t connections_max : {1, 10}) {
    for (const Cause& cause : kCauses) {
      for (const Act& act : acts) {
        SCOPED_TRACE(std::string(cause.name) + ", " + std::string(act.name) + ", " + std::to_string(connections_max));
        auto config = Config({9001});
        config->connections_max = connections_max;
        World world(config);
        Caller self("POST", true), waiting, next;
        bool acted = false;
        self.hook = [&](At at) {
          if (at == cause.at && !std::exchange(acted, true)) act.does(world, self, waiting, next);
        };
        self.Start(*world.cluster);
        world.far(0).write_room = 1000;
        world.Open(0);
        self.Send(std::string(2 * http::kSendHighMarkBytes, 'x'), false);
        world.loop.Turn();
        waiting.Start(*world.cluster);
        cause.happens(world, self);
        world.loop.Turn();
        EXPECT_TRUE(acted);
        for (int i = 0; i < 4; ++i)
          Serve(world);
        for (const Caller* other : {&waiting, &next})
          EXPECT_TRUE(other->call == nullptr || other->over());
      }
    }
  }
}

// The memory of a cluster that has seen everything: what it holds once its idle connections have aged out.
TEST(ClusterReentryTest, AfterCallsOfEveryKindNothingIsHeld) {
  World world(Config({9001}));
  for (const Cause& cause : kCauses) {
    for (const bool leaves : {false, true}) {
      world.network.connects.clear();
      Caller self("POST", true);
      self.hook = [&](At at) {
        if (at == cause.at && leaves) self.call.reset();
      };
      self.Start(*world.cluster);
      ASSERT_EQ(world.network.connects.size(), 1u) << cause.name;
      world.far(0).write_room = 1000;
      world.Open(0);
      self.Send(std::string(2 * http::kSendHighMarkBytes, 'x'), false);
      world.loop.Turn();
      cause.happens(world, self);
      world.loop.Turn();
      self.call.reset();
      world.loop.Turn(seconds(60));
      EXPECT_EQ(world.cluster->calls(), 0u) << cause.name;
      EXPECT_EQ(world.cluster->pending(), 0u) << cause.name;
      EXPECT_EQ(world.cluster->connections(), 0u) << cause.name;
      EXPECT_EQ(world.observer.connections, 0) << cause.name;
      EXPECT_EQ(world.loop.timers().size(), 0u) << cause.name;
      EXPECT_EQ(world.pool.blocks_in_use(), 0u) << cause.name;
    }
  }
}

}  // namespace
}  // namespace portico::upstream
