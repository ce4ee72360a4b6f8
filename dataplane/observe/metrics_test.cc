#include "dataplane/observe/metrics.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

#include "dataplane/observe/families.h"

namespace portico::observe {
namespace {

using std::chrono::microseconds;

TEST(Metrics, TheSameLabelsAreTheSameCell) {
  Metrics metrics;
  shared::Counter& ok = metrics.CounterOf(kRequests, {"shop/cart", "2xx"});
  ok.Add();
  metrics.CounterOf(kRequests, {"shop/cart", "2xx"}).Add(2);
  metrics.CounterOf(kRequests, {"shop/cart", "5xx"}).Add();
  const MetricsSnapshot snapshot = metrics.Read();
  ASSERT_EQ(snapshot.size(), 1u);
  const auto& series = snapshot.at("portico_requests_total").series;
  EXPECT_EQ(series.size(), 2u);
  EXPECT_EQ(std::get<uint64_t>(series.at({"shop/cart", "2xx"})), 3u);
}

TEST(Metrics, LabelsAreMadeClean) {
  const struct {
    const char* name;
    std::string label, expected;
  } kRows[] = {
      {"plain", "shop/cart", "shop/cart"},
      {"empty", "", ""},
      {"UTF-8 stays", "caf\xC3\xA9", "caf\xC3\xA9"},
      {"not UTF-8",
       "a\xFF"
       "b",
       "a\xEF\xBF\xBD"
       "b"},
      {"control", "a\nb\x7F",
       "a\xEF\xBF\xBD"
       "b\xEF\xBF\xBD"},
      {"NUL", std::string("a\0b", 3),
       "a\xEF\xBF\xBD"
       "b"},
      {"too long", std::string(600, 'x'), std::string(512, 'x')},
      {"never cut within a character", std::string(511, 'x') + "\xC3\xA9", std::string(511, 'x')},
  };
  for (const auto& row : kRows) {
    Metrics metrics;
    metrics.GaugeOf(kUpstreamConnections, {row.label}).Set(-1);
    EXPECT_EQ(metrics.Read().at(kUpstreamConnections.name).series.begin()->first[0], row.expected) << row.name;
    metrics.Retire("cluster", row.label);
    EXPECT_TRUE(metrics.Read().empty()) << row.name;
  }
}

TEST(Metrics, RetiringForgetsOneValueInEveryFamily) {
  Metrics metrics;
  metrics.CounterOf(kRequests, {"a", "2xx"}).Add();
  metrics.CounterOf(kRequests, {"a", "4xx"}).Add();
  shared::Counter& kept = metrics.CounterOf(kRequests, {"b", "2xx"});
  metrics.HistogramOf(kRequestDuration, {"a"}).Record(microseconds(1));
  metrics.GaugeOf(kUpstreamConnections, {"a"}).Add(1);
  metrics.Retire("route", "a");
  metrics.Retire("route", "never seen");
  metrics.Retire("no such label", "b");
  kept.Add();
  const MetricsSnapshot snapshot = metrics.Read();
  EXPECT_EQ(snapshot.at(kRequests.name).series.size(), 1u);
  EXPECT_EQ(std::get<uint64_t>(snapshot.at(kRequests.name).series.at({"b", "2xx"})), 1u);
  EXPECT_FALSE(snapshot.contains(kRequestDuration.name));
  EXPECT_TRUE(snapshot.contains(kUpstreamConnections.name)) << "a cluster of the same name is another label";
}

TEST(Metrics, TooManySeriesShareOne) {
  Metrics metrics;
  for (size_t i = 0; i < kSeriesMax + 5; ++i)
    metrics.CounterOf(kMisbehaviour, {std::to_string(i)}).Add();
  metrics.CounterOf(kMisbehaviour, {"0"}).Add();
  const MetricsSnapshot snapshot = metrics.Read();
  const auto& series = snapshot.at(kMisbehaviour.name).series;
  EXPECT_EQ(series.size(), kSeriesMax + 1);
  EXPECT_EQ(std::get<uint64_t>(series.at({std::string(kOverflowLabel)})), 5u);
  EXPECT_EQ(std::get<uint64_t>(series.at({"0"})), 2u);
}

TEST(Histogram, BoundsAreInclusive) {
  const struct {
    int64_t microseconds;
    size_t bucket;
    uint64_t sum;
  } kRows[] = {{-5, 0, 0},
               {0, 0, 0},
               {500, 0, 500},
               {501, 1, 501},
               {1'000, 1, 1'000},
               {60'000'000, 15, 60'000'000},
               {60'000'001, 16, 60'000'001}};
  for (const auto& row : kRows) {
    Histogram histogram;
    histogram.Record(microseconds(row.microseconds));
    for (size_t i = 0; i <= kDurationBounds.size(); ++i)
      EXPECT_EQ(histogram.bucket(i), i == row.bucket ? 1u : 0u) << row.microseconds << " in " << i;
    EXPECT_EQ(histogram.sum_microseconds(), row.sum);
  }
}

TEST(Merge, AddsWorkersUp) {
  Metrics a, b;
  a.CounterOf(kRequests, {"r", "2xx"}).Add(2);
  b.CounterOf(kRequests, {"r", "2xx"}).Add(3);
  b.CounterOf(kRequests, {"only in b", "2xx"}).Add(7);
  a.GaugeOf(kDownstreamConnections, {"web"}).Add(5);
  b.GaugeOf(kDownstreamConnections, {"web"}).Add(-1);
  a.HistogramOf(kRequestDuration, {"r"}).Record(microseconds(400));
  b.HistogramOf(kRequestDuration, {"r"}).Record(microseconds(700));
  MetricsSnapshot total;
  Merge(total, a.Read());
  Merge(total, b.Read());
  Merge(total, Metrics().Read());
  EXPECT_EQ(std::get<uint64_t>(total.at(kRequests.name).series.at({"r", "2xx"})), 5u);
  EXPECT_EQ(std::get<uint64_t>(total.at(kRequests.name).series.at({"only in b", "2xx"})), 7u);
  EXPECT_EQ(std::get<int64_t>(total.at(kDownstreamConnections.name).series.at({"web"})), 4);
  const auto& histogram = std::get<HistogramValue>(total.at(kRequestDuration.name).series.at({"r"}));
  EXPECT_EQ(histogram.buckets[0], 1u);
  EXPECT_EQ(histogram.buckets[1], 1u);
  EXPECT_EQ(histogram.sum_microseconds, 1'100u);
}

TEST(Metrics, IsReadWhileAWorkerWrites) {
  Metrics metrics;
  std::thread worker([&metrics] {
    for (int i = 0; i < 1000; ++i) {
      metrics.CounterOf(kRequests, {std::to_string(i % 10), "2xx"}).Add();
      if (i % 100 == 50) metrics.GaugeOf(kUpstreamConnections, {std::to_string(i)}).Add(1);
    }
    metrics.Retire("cluster", "50");
  });
  for (int i = 0; i < 100; ++i)
    metrics.Read();
  worker.join();
  EXPECT_EQ(metrics.Read().at(kRequests.name).series.size(), 10u);
}

TEST(Families, HaveProperNames) {
  std::set<std::string_view> names;
  for (const Family* family : kFamilies) {
    EXPECT_TRUE(family->name.starts_with("portico_")) << family->name;
    EXPECT_EQ(family->name.ends_with("_total"), family->kind == MetricKind::kCounter) << family->name;
    EXPECT_EQ(family->name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), family->name.npos) << family->name;
    EXPECT_TRUE(names.insert(family->name).second) << family->name;
  }
}

TEST(Families, CodeClass) {
  const struct {
    unsigned status;
    std::string_view expected;
  } kRows[] = {{0, "none"},  {99, "none"}, {100, "1xx"}, {200, "2xx"},
               {304, "3xx"}, {499, "4xx"}, {599, "5xx"}, {600, "none"}};
  for (const auto& row : kRows)
    EXPECT_EQ(CodeClass(row.status), row.expected) << row.status;
}

}  // namespace
}  // namespace portico::observe
