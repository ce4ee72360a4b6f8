// A cluster in a simulated world that fails in every way, under callers that do whatever they may.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/upstream/cluster_for_test.h"
#include "dataplane/upstream/sim_origin_for_test.h"
#include "test/support/sim/fault_plan.h"
#include "test/support/sim/sim_world.h"

namespace portico::upstream {
namespace {

using namespace for_test;

constexpr uint16_t kPorts[] = {9001, 9002, 9003};
constexpr size_t kCallsMax = 60;

// Failures as they come, but few connections that move byte by byte: they cost the most time and show the least.
sim::FaultPlan RandomPlan(base::Random& random) {
  sim::FaultPlan plan = sim::FaultPlan::Random(random, 5);
  if (random.Below(10) == 0) return plan;
  plan.piece_bytes_max = std::max<size_t>(plan.piece_bytes_max, 512);
  plan.send_buffer_bytes = std::max<size_t>(plan.send_buffer_bytes, 1024);
  plan.receive_buffer_bytes = std::max<size_t>(plan.receive_buffer_bytes, 1024);
  return plan;
}

std::shared_ptr<ClusterConfig> RandomConfig(base::Random& random, bool http2) {
  std::vector<uint16_t> ports;
  for (const uint16_t port : kPorts) {
    if (random.Below(3) != 0) ports.push_back(port);
  }
  auto config = Config(ports);
  config->protocol = http2 ? ClusterConfig::Protocol::kHttp2 : ClusterConfig::Protocol::kHttp1;
  config->connections_max = 1 + random.Below(6);
  config->pending_max = random.Below(20);
  config->idle_connections_max = random.Below(4);
  if (random.Below(2) == 0) config->balancer = balancer::Kind::kLeastRequest;
  if (random.Below(2) == 0) {
    for (ConfiguredEndpoint& endpoint : config->endpoints)
      endpoint.weight = static_cast<uint32_t>(random.Below(4));
  }
  if (random.Below(2) == 0) config->requests_max = 1 + random.Below(kCallsMax);
  if (random.Below(2) == 0) {
    config->ejection.emplace();
    config->ejection->consecutive_failures = static_cast<uint32_t>(1 + random.Below(4));
  }
  if (random.Below(4) == 0) config->security_identity = std::to_string(random.Below(2));
  return config;
}

// Calls the cluster, from its own loop: at every tick, and inside callbacks too, something that a caller may do.
class Driver final : private event::Timer::Handler {
 public:
  Driver(sim::SimWorld& world, sim::SimLoop& loop, Cluster& cluster, bool http2)
      : random_(world.random()), loop_(loop), cluster_(cluster), http2_(http2), tick_(loop.timers(), *this) {
    tick_.Set(loop.Now());
  }

  bool Done() const {
    return calls_.size() == kCallsMax && std::all_of(calls_.begin(), calls_.end(), [](const auto& one) {
             return one->caller.call == nullptr || one->caller.over();
           });
  }
  void Check(const std::map<std::string, int>& taken) const {
    for (const auto& one : calls_) {
      const Caller& caller = one->caller;
      if (caller.status == 200 || caller.status == 500) EXPECT_EQ(caller.answers, one->id);
      EXPECT_EQ(caller.content.find_first_not_of(SimOrigin::LetterOf(one->id)), std::string::npos) << one->id;
      const auto found = taken.find(one->id);
      // Whatever came to an origin may have been done there.
      const int taken_max = caller.head.method == "POST" || one->content > 0 ? 1 : 2;
      if (found != taken.end()) EXPECT_LE(found->second, taken_max) << one->id << " " << caller.head.method;
    }
  }
  int ended() const {
    return Count([](const Caller& caller) { return caller.ended; });
  }
  int failed() const {
    return Count([](const Caller& caller) { return caller.error.has_value(); });
  }
  void Leave() {
    for (const auto& one : calls_)
      one->caller.call.reset();
  }

 private:
  struct One {
    One(std::string id, std::string_view method, size_t content)
        : caller(method, content > 0), id(std::move(id)), content(content) {}
    Caller caller;
    std::string id;
    size_t content;
    size_t sent = 0;
    size_t given_back = 0;
  };

  template <typename Predicate>
  int Count(Predicate predicate) const {
    return static_cast<int>(
        std::count_if(calls_.begin(), calls_.end(), [&](const auto& one) { return predicate(one->caller); }));
  }

  void OnTimer(event::Timer&) override {
    const uint64_t acts = random_.Below(4);
    for (uint64_t i = 0; i < acts; ++i)
      Act();
    if (random_.Below(20) == 0) cluster_.Update(RandomConfig(random_, http2_));
    for (size_t i = 0; i < calls_.size(); ++i)
      GoOn(*calls_[i]);
    tick_.Set(loop_.Now() + milliseconds(1 + random_.Below(uint64_t{1} << random_.Below(12))));
  }

  void Act() {
    if (calls_.size() < kCallsMax && random_.Below(3) != 0) return Start();
    if (!calls_.empty() && random_.Below(12) == 0) calls_[random_.Below(calls_.size())]->caller.call.reset();
  }

  void Start() {
    constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "DELETE"};
    const size_t content =
        random_.Below(2) == 0 ? 0 : 1 + random_.Below(uint64_t{1} << random_.Below(random_.Below(10) == 0 ? 20 : 12));
    const std::string id = std::to_string(calls_.size());
    calls_.push_back(std::make_unique<One>(id, kMethods[random_.Below(4)], content));
    One& one = *calls_.back();
    one.caller.head.fields.Add("x-call", id);
    if (content > 0 && random_.Below(2) == 0) {
      one.caller.head.fields.Add("content-length", std::to_string(content));
      one.caller.head.framing.length = content;
    }
    one.caller.consumes = random_.Below(3) != 0;
    one.caller.hook = [this, &one](At at) { InCallback(one, at); };
    std::optional<base::Duration> timeout;
    if (random_.Below(5) == 0) timeout = milliseconds(random_.Below(5000));
    one.caller.Start(cluster_, timeout);
    if (random_.Below(2) == 0) GoOn(one);
  }

  void InCallback(One& one, At at) {
    if (at == At::kSendReady) GoOn(one);
    if (random_.Below(30) == 0) Act();
    if (random_.Below(40) == 0 && calls_.size() < kCallsMax) Start();
    if (random_.Below(60) == 0) one.caller.call.reset();
  }

  // Sends some more, and gives back what has been held.
  void GoOn(One& one) {
    Caller& caller = one.caller;
    if (caller.call == nullptr || caller.over()) return;
    while (one.sent < one.content && caller.call->Unsent() < http::kSendHighMarkBytes) {
      const size_t piece = std::min<size_t>(one.content - one.sent, 1 + random_.Below(100'000));
      one.sent += piece;
      caller.Send(std::string(piece, SimOrigin::LetterOf(one.id)), one.sent == one.content);
      if (random_.Below(3) == 0) break;
    }
    if (caller.consumes) return;
    const size_t held = caller.content.size() - std::exchange(one.given_back, caller.content.size());
    if (held > 0) caller.call->Consumed(held);
  }

  base::Random& random_;
  sim::SimLoop& loop_;
  Cluster& cluster_;
  const bool http2_;
  event::Timer tick_;
  std::vector<std::unique_ptr<One>> calls_;
};

struct Sum {
  int ended = 0, failed = 0;
};

void RunWorld(uint64_t seed, Sum& sum) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  sim::SimWorld world(seed);
  const bool http2 = seed % 2 == 0;
  world.set_plan_chooser([](const net::Address&, base::Random& random) { return RandomPlan(random); });
  base::BlockPool pool;
  CountingObserver observer;
  {
    sim::SimLoop loop(world, "proxy"), far_loop(world, "origins");
    sim::SimNetwork network(world, loop, "127.0.0.2"), far_network(world, far_loop, "127.0.0.1");
    std::vector<std::unique_ptr<SimOrigin>> origins;
    for (const uint16_t port : kPorts) {
      origins.push_back(std::make_unique<SimOrigin>(far_loop, far_network, *net::Address::Parse("127.0.0.1", port),
                                                    http2, world.random()));
    }
    auto cluster =
        std::make_unique<Cluster>(loop, network, pool, world.random(), RandomConfig(world.random(), http2), &observer);
    auto driver = std::make_unique<Driver>(world, loop, *cluster, http2);
    EXPECT_TRUE(world.RunUntil([&] { return driver->Done(); }, std::chrono::hours(2)));
    std::map<std::string, int> taken;
    for (const auto& origin : origins) {
      for (const auto& [id, count] : origin->taken())
        taken[id] += count;
    }
    driver->Check(taken);
    sum.ended += driver->ended();
    sum.failed += driver->failed();
    driver->Leave();
    driver.reset();
    EXPECT_EQ(cluster->calls(), 0u);
    EXPECT_EQ(cluster->pending(), 0u);
    EXPECT_EQ(cluster->requests(), 0u);
    world.RunFor(seconds(60));  // idle connections age out, connecting ones give up
    EXPECT_EQ(cluster->connections(), 0u);
    EXPECT_EQ(observer.connections, 0);
    EXPECT_EQ(loop.timers().size(), 0u);
    EXPECT_EQ(pool.blocks_in_use(), 0u);
    cluster.reset();
    origins.clear();
    world.RunUntilIdle(seconds(600));
  }
  EXPECT_EQ(world.Leaks(), "");
  EXPECT_EQ(pool.blocks_in_use(), 0u);
}

TEST(ClusterSimTest, EveryCallEndsOnceAndNothingStaysBehind) {
  Sum sum;
  for (uint64_t seed = 1; seed <= 40 && !HasFailure(); ++seed)
    RunWorld(seed, sum);
  EXPECT_GT(sum.ended, 500);  // the test tests something
  EXPECT_GT(sum.failed, 500);
}

}  // namespace
}  // namespace portico::upstream
