#ifndef PORTICO_DATAPLANE_UPSTREAM_CLUSTER_FOR_TEST_H_
#define PORTICO_DATAPLANE_UPSTREAM_CLUSTER_FOR_TEST_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/random.h"
#include "dataplane/upstream/caller_for_test.h"
#include "dataplane/upstream/cluster.h"
#include "test/support/scripted_network.h"

// A cluster over a scripted network. For tests only.

namespace portico::upstream::for_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

inline std::shared_ptr<ClusterConfig> Config(const std::vector<uint16_t>& ports) {
  auto config = std::make_shared<ClusterConfig>();
  config->name = "default/orders";
  for (const uint16_t port : ports)
    config->endpoints.push_back(*net::Address::Parse("127.0.0.1", port));
  return config;
}

struct CountingObserver : ClusterObserver {
  void OnAttempt(std::string_view cluster, std::string_view outcome) override {
    EXPECT_EQ(cluster, "default/orders");
    ++outcomes[std::string(outcome)];
  }
  void OnRetry(std::string_view cluster, std::string_view outcome) override {
    EXPECT_EQ(cluster, "default/orders");
    ++retries[std::string(outcome)];
  }
  void OnConnections(std::string_view cluster, int64_t change) override {
    connections += change;
    EXPECT_GE(connections, 0);
  }
  void OnEjected(std::string_view cluster, std::string_view endpoint, base::Duration time) override {
    EXPECT_EQ(cluster, "default/orders");
    ++ejected;
    const auto whole = std::chrono::duration_cast<seconds>(time).count();
    told += std::string(endpoint) + " ejected for " + std::to_string(whole) + " s; ";
  }
  void OnEjectionOver(std::string_view, std::string_view endpoint, bool serves) override {
    EXPECT_GE(--ejected, 0);
    told += std::string(endpoint) + (serves ? " is back; " : " is forgotten; ");
  }
  // "reset 1; success 2"
  std::string Text() const { return Text(outcomes); }
  static std::string Text(const std::map<std::string, int>& counts) {
    std::string text;
    for (const auto& [outcome, count] : counts)
      text += (text.empty() ? "" : "; ") + outcome + " " + std::to_string(count);
    return text;
  }
  std::map<std::string, int> outcomes, retries;
  int64_t connections = 0;
  int ejected = 0;
  std::string told;  // of ejections
};

struct World {
  explicit World(std::shared_ptr<ClusterConfig> first, const ClusterShared& shared = {}) : config(std::move(first)) {
    cluster = std::make_unique<Cluster>(loop, network, pool, random, config, &observer, shared);
  }
  // Nothing may stay behind, whatever the test did.
  ~World() {
    EXPECT_EQ(cluster->calls(), 0u);
    EXPECT_EQ(cluster->pending(), 0u);
    EXPECT_EQ(cluster->requests(), 0u);
    cluster.reset();
    loop.Turn();
    EXPECT_EQ(observer.connections, 0);
    EXPECT_EQ(observer.ejected, 0);
    EXPECT_EQ(loop.timers().size(), 0u);
    EXPECT_EQ(pool.blocks_in_use(), 0u);
    for (const auto& far : network.connects)
      EXPECT_TRUE(far->destroyed);
  }
  test::FarEnd& far(size_t i) { return *network.connects.at(i); }
  // An HTTP/2 origin says its SETTINGS as well: at most 100 streams.
  void Open(size_t i) {
    far(i).Open(true);
    loop.Turn();
    if (config->protocol == ClusterConfig::Protocol::kHttp2) Say(i, kGreeting);
  }
  static constexpr std::string_view kGreeting{"\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64", 15};
  // Answers what has been sent.
  void Say(size_t i, std::string_view bytes) {
    loop.Turn();
    far(i).Say(bytes);
    loop.Turn();
  }

  base::BlockPool pool;
  base::Random random{1};
  test::ManualLoop loop;
  test::ScriptedNetwork network;
  CountingObserver observer;
  std::shared_ptr<ClusterConfig> config;
  std::unique_ptr<Cluster> cluster;
};

}  // namespace portico::upstream::for_test

#endif  // PORTICO_DATAPLANE_UPSTREAM_CLUSTER_FOR_TEST_H_
