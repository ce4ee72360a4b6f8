#include "dataplane/export/prometheus.h"

#include <gtest/gtest.h>

namespace portico::exporting {
namespace {

using observe::Family;
using observe::MetricKind;
using observe::Metrics;

constexpr Family kCounter = {"portico_b_total", "Back\\slash, \"quote\"\nand line.", MetricKind::kCounter, {"x", "y"}};
constexpr Family kGauge = {"portico_a", "A.", MetricKind::kGauge, {}};
constexpr Family kHistogram = {"portico_c_seconds", "C.", MetricKind::kHistogram, {"route"}};

TEST(PrometheusText, IsEmptyWithoutSeries) {
  EXPECT_EQ(PrometheusText({}), "");
}

TEST(PrometheusText, SortsAndEscapes) {
  Metrics metrics;
  metrics.CounterOf(kCounter, {"z", ""}).Add(2);
  metrics.CounterOf(kCounter, {"a\\\"", "{}"}).Add();
  metrics.GaugeOf(kGauge, {}).Set(-3);
  EXPECT_EQ(PrometheusText(metrics.Read()),
            "# HELP portico_a A.\n# TYPE portico_a gauge\nportico_a -3\n"
            "# HELP portico_b_total Back\\\\slash, \"quote\"\\nand line.\n# TYPE portico_b_total counter\n"
            "portico_b_total{x=\"a\\\\\\\"\",y=\"{}\"} 1\nportico_b_total{x=\"z\",y=\"\"} 2\n");
}

TEST(PrometheusText, EscapesALineFeedInALabel) {
  observe::MetricsSnapshot snapshot;
  snapshot.try_emplace(kCounter.name, observe::FamilyValues{&kCounter, {{{"a\nb", "c"}, uint64_t{1}}}});
  EXPECT_NE(PrometheusText(snapshot).find("{x=\"a\\nb\",y=\"c\"} 1\n"), std::string::npos);
}

TEST(PrometheusText, BucketsAreCumulativeAndInSeconds) {
  Metrics metrics;
  for (int64_t microseconds : {400, 501, 60'000'001})
    metrics.HistogramOf(kHistogram, {"r"}).Record(std::chrono::microseconds(microseconds));
  const std::string text = PrometheusText(metrics.Read());
  for (const char* line : {"_bucket{route=\"r\",le=\"0.0005\"} 1\n", "_bucket{route=\"r\",le=\"0.001\"} 2\n",
                           "_bucket{route=\"r\",le=\"60\"} 2\n", "_bucket{route=\"r\",le=\"+Inf\"} 3\n",
                           "_sum{route=\"r\"} 60.000902\n", "_count{route=\"r\"} 3\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
}

}  // namespace
}  // namespace portico::exporting
