#include "dataplane/worker/traffic_metrics.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "api/base/text.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/base/time.h"
#include "dataplane/listener/test_snapshot.h"
#include "dataplane/observe/families.h"
#include "dataplane/observe/process_log.h"

namespace portico::worker {
namespace {

using std::chrono::milliseconds;

// "family label,label value" of every counter and gauge, and the number of records of every histogram.
std::set<std::string> Series(const observe::Metrics& metrics) {
  std::set<std::string> lines;
  for (const auto& [name, family] : metrics.Read()) {
    for (const auto& [labels, value] : family.series) {
      std::string line = base::Concat(name, " ", base::Join(labels, ","), " ");
      if (const auto* histogram = std::get_if<observe::HistogramValue>(&value)) {
        uint64_t count = 0;
        for (uint64_t bucket : histogram->buckets)
          count += bucket;
        base::AppendTo(line, count);
      } else if (const auto* counter = std::get_if<uint64_t>(&value)) {
        base::AppendTo(line, *counter);
      } else {
        base::AppendTo(line, std::get<int64_t>(value));
      }
      lines.insert(line);
    }
  }
  return lines;
}

observe::ExchangeRecord Record(std::string_view route, int status) {
  observe::ExchangeRecord record;
  record.duration = milliseconds(3);
  record.status = status;
  record.route = route;
  return record;
}

std::shared_ptr<snapshot::Snapshot> Naming(const std::vector<std::string>& routes,
                                           const std::vector<std::string>& clusters) {
  auto snapshot = test::MakeSnapshot({});
  for (const std::string& name : routes)
    snapshot->routes.Put(name, std::make_shared<const snapshot::BoundRoute>());
  for (const std::string& name : clusters)
    snapshot->clusters.Put(name, test::MakeCluster(name, {}));
  return snapshot;
}

TEST(TrafficMetrics, CountsByRouteAndClass) {
  observe::Metrics metrics;
  TrafficMetrics traffic(metrics);
  for (const int status : {200, 204, 404, 503, 101, 0, 999, -1})
    traffic.OnExchangeEnd(Record("default/shop", status));
  traffic.OnExchangeEnd(Record("", 404));
  for (const std::string_view outcome : {"hit", "miss", "hit"}) {
    observe::ExchangeRecord record = Record("", 200);
    record.cache = outcome;
    traffic.OnExchangeEnd(record);
  }
  EXPECT_EQ(Series(metrics), (std::set<std::string>{
                                 "portico_requests_total default/shop,1xx 1",
                                 "portico_requests_total default/shop,2xx 2",
                                 "portico_requests_total default/shop,4xx 1",
                                 "portico_requests_total default/shop,5xx 1",
                                 "portico_requests_total default/shop,none 3",
                                 "portico_requests_total none,2xx 3",
                                 "portico_requests_total none,4xx 1",
                                 "portico_request_duration_seconds default/shop 8",
                                 "portico_request_duration_seconds none 4",
                                 "portico_cache_requests_total hit 2",
                                 "portico_cache_requests_total miss 1",
                             }));
}

TEST(TrafficMetrics, RetiresRoutesThatAreGone) {
  observe::Metrics metrics;
  TrafficMetrics traffic(metrics);
  for (const std::string_view route : {"default/a", "default/b", "default/c", ""})
    traffic.OnExchangeEnd(Record(route, 200));
  traffic.KeepOnly(*Naming({"default/a", "default/c"}, {}));
  const std::set<std::string> kept = {
      "portico_requests_total default/a,2xx 1", "portico_request_duration_seconds default/a 1",
      "portico_requests_total default/c,2xx 1", "portico_request_duration_seconds default/c 1",
      "portico_requests_total none,2xx 1",      "portico_request_duration_seconds none 1",
  };
  EXPECT_EQ(Series(metrics), kept);
  // An exchange that outlived its route is counted until the next swap, and the kept cells are still the same.
  traffic.OnExchangeEnd(Record("default/b", 200));
  traffic.OnExchangeEnd(Record("default/a", 200));
  EXPECT_TRUE(Series(metrics).contains("portico_requests_total default/b,2xx 1"));
  EXPECT_TRUE(Series(metrics).contains("portico_requests_total default/a,2xx 2"));
  traffic.KeepOnly(*Naming({"default/a"}, {}));
  EXPECT_FALSE(Series(metrics).contains("portico_requests_total default/b,2xx 1"));
  EXPECT_TRUE(Series(metrics).contains("portico_requests_total default/a,2xx 2"));
}

TEST(TrafficMetrics, KeepsAClustersSeriesWhileItIsConnected) {
  observe::Metrics metrics;
  TrafficMetrics traffic(metrics);
  traffic.OnConnections("default/orders", 1);
  traffic.OnConnections("default/orders", 1);
  traffic.OnAttempt("default/orders", upstream::outcome::kSuccess);
  traffic.OnAttempt("default/orders", upstream::outcome::kTimeout);
  traffic.OnAttempt("default/stock", upstream::outcome::kNoEndpoint);
  traffic.OnRetry("default/orders", upstream::retry_outcome::kSuccess);
  traffic.OnRetry("default/orders", upstream::retry_outcome::kSuccess);
  const std::set<std::string> orders = {"portico_retries_total default/orders,success 2",
                                        "portico_upstream_connections default/orders 2",
                                        "portico_upstream_requests_total default/orders,success 1",
                                        "portico_upstream_requests_total default/orders,timeout 1"};
  traffic.KeepOnly(*Naming({}, {}));
  EXPECT_EQ(Series(metrics), orders);
  traffic.OnConnections("default/orders", -1);
  EXPECT_EQ(Series(metrics).size(), 4u);
  traffic.OnConnections("default/orders", -1);
  EXPECT_TRUE(Series(metrics).empty());
}

// A cluster that is dropped while an endpoint is ejected is forgotten with that.
TEST(TrafficMetrics, CountsAndTellsEjections) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const base::FileDescriptor read(pipe[0]), write(pipe[1]);
  observe::ProcessLog log(write.get(), [] { return base::WallTime(); });
  observe::Metrics metrics;
  TrafficMetrics traffic(metrics, &log);
  traffic.OnEjected("default/orders", "10.0.0.1:80", milliseconds(1500));
  traffic.OnEjected("default/orders", "10.0.0.2:80", milliseconds(30000));
  EXPECT_EQ(Series(metrics), (std::set<std::string>{"portico_endpoint_ejections_total default/orders 2",
                                                    "portico_endpoints_ejected default/orders 2"}));
  traffic.OnEjectionOver("default/orders", "10.0.0.1:80", true);
  EXPECT_TRUE(Series(metrics).contains("portico_endpoints_ejected default/orders 1"));
  traffic.KeepOnly(*Naming({}, {}));
  EXPECT_EQ(Series(metrics).size(), 2u);
  traffic.OnEjectionOver("default/orders", "10.0.0.2:80", false);
  EXPECT_TRUE(Series(metrics).empty());
  std::string said(4096, ' ');
  said.resize(static_cast<size_t>(std::max<ssize_t>(0, ::read(read.get(), said.data(), said.size()))));
  EXPECT_EQ(said,
            "1970-01-01T00:00:00.000Z warning cluster default/orders: 10.0.0.1:80 fails and is ejected for 1500 ms\n"
            "1970-01-01T00:00:00.000Z warning cluster default/orders: 10.0.0.2:80 fails and is ejected for 30000 ms\n"
            "1970-01-01T00:00:00.000Z info cluster default/orders: 10.0.0.1:80 is asked again\n");
}

TEST(TrafficMetrics, AClusterThatComesBackIsKept) {
  observe::Metrics metrics;
  TrafficMetrics traffic(metrics);
  traffic.OnConnections("default/orders", 1);
  traffic.KeepOnly(*Naming({}, {}));
  traffic.KeepOnly(*Naming({}, {"default/orders"}));
  traffic.OnConnections("default/orders", 1);
  traffic.OnConnections("default/orders", -1);
  traffic.OnConnections("default/orders", -1);
  EXPECT_EQ(Series(metrics), (std::set<std::string>{"portico_upstream_connections default/orders 0"}));
  traffic.KeepOnly(*Naming({}, {}));
  EXPECT_TRUE(Series(metrics).empty());
}

// Steps are counted as long as a rule goes to their composition.
TEST(TrafficMetricsTest, StepsOfCompositions) {
  observe::Metrics metrics;
  TrafficMetrics traffic(metrics);
  // The last one was not begun when the whole ended: it is counted, and has no time.
  const observe::StepRecord steps[] = {{.name = "orders", .outcome = "ok"},
                                       {.name = "stock", .outcome = "fallback"},
                                       {.name = "price", .outcome = "unfinished", .items = 1},
                                       {.name = "never", .outcome = "unfinished"}};
  for (const std::string_view name : {"default/history", "default/gone", "default/history"}) {
    observe::ExchangeRecord record = Record("none", 200);
    record.composition = name;
    record.steps = steps;
    traffic.OnExchangeEnd(record);
  }
  auto next = Naming({}, {});
  next->parts.backends.Take({{"Composition", "default", "history"}, std::nullopt},
                            [] { return std::make_shared<const snapshot::BoundBackend>(); });
  traffic.KeepOnly(*next);
  EXPECT_EQ(Series(metrics), (std::set<std::string>{
                                 "portico_composition_step_duration_seconds default/history,orders 2",
                                 "portico_composition_step_duration_seconds default/history,price 2",
                                 "portico_composition_step_duration_seconds default/history,stock 2",
                                 "portico_composition_steps_total default/history,never,unfinished 2",
                                 "portico_composition_steps_total default/history,orders,ok 2",
                                 "portico_composition_steps_total default/history,price,unfinished 2",
                                 "portico_composition_steps_total default/history,stock,fallback 2",
                                 "portico_request_duration_seconds none 3",
                                 "portico_requests_total none,2xx 3",
                             }));
  traffic.KeepOnly(*Naming({}, {}));
  EXPECT_EQ(Series(metrics).size(), 2u);
}

}  // namespace
}  // namespace portico::worker
