// What is not tried again although it failed, and what bounds the rest.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/base/text.h"
#include "dataplane/upstream/retry_call.h"
#include "dataplane/upstream/retry_play_for_test.h"
#include "dataplane/upstream/stream_security.h"

namespace portico::upstream {
namespace {

using namespace for_test;

TEST(RetryLimitsTest, TheClusterBoundsThem) {
  struct Row {
    std::string_view name;
    shared::RetryConstraint constraint;
    int retried;  // of ten
  };
  const Row rows[] = {{"none", {0, 0}, 0}, {"the least", {0, 3}, 3}, {"a share", {50, 0}, 5}, {"all", {100, 0}, 10}};
  for (const Row& row : rows) {
    for (const std::string failure : {"503", "reset", "refuse"}) {
      SCOPED_TRACE(base::Concat(row.name, ", ", failure));
      Play play;
      play.plan.backoff = base::Duration(0);
      auto config = Config({9001});
      config->retry_constraint = row.constraint;
      config->idle_connections_max = 0;
      play.world.cluster->Update(config);
      for (int i = 0; i < 10; ++i) {
        play.script.insert(play.script.end(), {failure, "200"});
        Caller caller;
        play.Start(caller);
        play.RunUntilOver(caller);
        if (caller.status != 200) play.script.pop_back();
      }
      const int refused = 10 - row.retried;
      std::string outcomes = refused > 0 ? base::Concat("over_budget ", refused) : "";
      if (row.retried > 0) base::AppendTo(outcomes, base::Concat(refused > 0 ? "; " : "", "success ", row.retried));
      EXPECT_EQ(play.Retries(), outcomes);
    }
  }
}

struct RefusingSecurity : StreamSecurity {
  std::unique_ptr<net::ByteStream> Wrap(std::unique_ptr<net::ByteStream> stream, event::Loop&) const override {
    return stream;
  }
  call::Error WhyNotOpen(const net::ByteStream&) const override {
    return {ErrorKind::kTlsCertificateError, true, "scripted"};
  }
  std::optional<call::Error> WhyRefused(const net::ByteStream&) const override { return std::nullopt; }
};

// A limit of ours is no failure of an origin's: more of the same would not help, however safe it is.
TEST(RetryLimitsTest, ARefusalOfOursIsNotTriedAgain) {
  struct Row {
    std::string_view name;
    Ports ports;
    std::function<void(ClusterConfig&)> says;
    std::function<void(Play&)> happens;
    ErrorKind error;
  };
  const auto nothing = [](auto&) {};
  const Row rows[] = {
      {"too many requests",
       {9001},
       [](ClusterConfig& config) { config.requests_max = 1; },
       nothing,
       ErrorKind::kConnectionLimitReached},
      {"too many that wait",
       {9001},
       [](ClusterConfig& config) { config.connections_max = 1, config.pending_max = 0; },
       nothing,
       ErrorKind::kConnectionLimitReached},
      {"its time to wait is over",
       {9001},
       [](ClusterConfig& config) { config.connections_max = 1; },
       [](Play& play) { play.world.loop.Turn(seconds(61)); },
       ErrorKind::kConnectionTimeout},
      {"its attempt's time is over in the line",
       {9001},
       [](ClusterConfig& config) { config.connections_max = 1; },
       [](Play& play) { play.world.loop.Turn(seconds(11)); },
       ErrorKind::kConnectionTimeout},
      {"no endpoint", {}, nothing, nothing, ErrorKind::kDestinationUnavailable},
      {"none any more",
       {9001},
       nothing,
       [](Play& play) { play.world.cluster->Update(Config({})); },
       ErrorKind::kDestinationUnavailable},
      {"the wrong certificate",
       {9001},
       [](ClusterConfig& config) { config.security = std::make_shared<RefusingSecurity>(); },
       [](Play& play) { play.world.far(0).Open(false), play.world.far(1).Open(false); },
       ErrorKind::kTlsCertificateError},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Play play(row.ports);
    auto config = Config(row.ports);
    config->stream_idle_timeout = config->response_head_timeout * 2;
    row.says(*config);
    play.world.cluster->Update(config);
    Caller busy("POST", true), caller;
    busy.Start(*play.world.cluster);
    if (config->security == nullptr && !row.ports.empty()) play.world.Open(0);
    const bool is_bounded = row.name.starts_with("its attempt's");
    play.Start(caller, is_bounded ? std::optional<base::Duration>(seconds(10)) : std::nullopt);
    row.happens(play);
    play.world.loop.Turn();
    play.world.loop.Turn();
    EXPECT_EQ(caller.error, row.error);
    EXPECT_TRUE(caller.retry_safe);
    EXPECT_EQ(play.Retries(), "");
    EXPECT_EQ(caller.call->facts().retries, "");
  }
}

// An answer that dawdles and is not wanted has ended before the next attempt begins.
TEST(RetryLimitsTest, ADiscardedAnswerTakesNoRoomFromTheNext) {
  struct Row {
    std::string_view name;
    std::function<void(ClusterConfig&)> says;
  };
  const Row rows[] = {{"of requests", [](ClusterConfig& config) { config.requests_max = 1; }},
                      {"of connections", [](ClusterConfig& config) { config.connections_max = 1; }}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Play play({9001}, {"503 half", "200"});
    auto config = Config({9001});
    row.says(*config);
    play.world.cluster->Update(config);
    Caller caller;
    play.Start(caller);
    play.RunUntilOver(caller);
    EXPECT_EQ(caller.status, 200);
    EXPECT_EQ(play.Retries(), "success 1");
    EXPECT_EQ(play.times.size(), 2u);
    EXPECT_LE(play.times.back() - play.times.front(), seconds(1));
  }
}

// The attempt was over before its connection stood: nothing has left, so that any method may be tried again.
TEST(RetryLimitsTest, AnAttemptThatNeverLeftIsTriedAgain) {
  Play play({9001, 9002}, {"200"});
  Caller caller("POST");
  play.Start(caller, milliseconds(500));
  play.world.loop.Turn(milliseconds(600));
  EXPECT_FALSE(caller.over());
  play.RunUntilOver(caller);
  EXPECT_EQ(caller.status, 200);
  EXPECT_EQ(caller.call->facts().retries, "connection_timeout");
  EXPECT_EQ(play.world.observer.Text(), "success 1; timeout 1");
}

// Where nobody answers is no better place the next time, though a connection is on its way there that anybody may have.
TEST(RetryLimitsTest, AnAttemptThatNeverLeftIsTriedElsewhere) {
  for (const balancer::Kind kind : {balancer::Kind::kRoundRobin, balancer::Kind::kLeastRequest}) {
    for (int i = 0; i < 20; ++i) {
      SCOPED_TRACE(base::Concat(kind == balancer::Kind::kRoundRobin ? "in turn, " : "least request, ", i));
      Play play({9001, 9002});
      auto config = Config({9001, 9002});
      config->balancer = kind;
      config->connect_timeout = seconds(5);
      play.world.cluster->Update(config);
      for (int drawn = 0; drawn < i; ++drawn)
        play.world.random.Below(2);
      Caller caller("POST");
      play.Start(caller, milliseconds(500));
      play.world.loop.Turn(milliseconds(600));
      play.world.loop.Turn(milliseconds(100));
      EXPECT_FALSE(caller.over());
      ASSERT_EQ(play.world.network.connects.size(), 2u);
      EXPECT_NE(play.world.far(0).address, play.world.far(1).address);
      play.world.Open(1);
      play.world.Say(1, kOk);
      EXPECT_EQ(caller.status, 200);
    }
  }
}

// More of the same would not help, and the budget is for what does.
TEST(RetryLimitsTest, ACallerThatDawdlesIsNotTriedAgain) {
  Play play({9001, 9002}, {"silent"});
  Caller caller("PUT", true);
  play.Start(caller, milliseconds(500));
  caller.Send("ab", false);
  play.RunUntilOver(caller);
  EXPECT_EQ(caller.error, ErrorKind::kHttpResponseTimeout);
  EXPECT_EQ(caller.call->facts().retries, "");
  EXPECT_EQ(play.Retries(), "");
  EXPECT_EQ(play.world.cluster->pending(), 0u);
}

}  // namespace
}  // namespace portico::upstream
