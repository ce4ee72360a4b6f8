#ifndef PORTICO_DATAPLANE_OBSERVE_METRICS_H_
#define PORTICO_DATAPLANE_OBSERVE_METRICS_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dataplane/base/time.h"
#include "dataplane/shared/counter.h"
#include "dataplane/shared/mutex.h"

// Numbers about the traffic. Each worker owns a Metrics and is the only one to write its cells; the main thread reads
// them all and adds them up.
//
//   worker, when a route comes into use:   shared::Counter& ok = metrics.CounterOf(kRequests, {"shop/cart", "2xx"});
//   worker, per exchange:                  ok.Add();                                  (no lock, no allocation)
//   main, when scraped:                    Merge(total, worker.Read()) for each worker
//   worker, when the last snapshot that names the route is gone:   metrics.Retire("route", "shop/cart");

namespace portico::observe {

enum class MetricKind { kCounter, kGauge, kHistogram };

// Described once, in families.h; lives for ever. Unused label names are "".
struct Family {
  std::string_view name;
  std::string_view help;
  MetricKind kind;
  std::array<std::string_view, 3> labels;

  constexpr size_t label_count() const {
    return static_cast<size_t>(std::find(labels.begin(), labels.end(), "") - labels.begin());
  }
};

// Upper bounds (inclusive) of the buckets of a duration; above the last is +Inf. Microseconds, so that sums are exact.
inline constexpr std::array<uint64_t, 16> kDurationBounds = {
    500,     1'000,   2'500,     5'000,     10'000,    25'000,     50'000,     100'000,
    250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000};

// Series of a family in one Metrics. Names come from configuration, yet a mistake there must not eat the memory: what
// comes after is counted in one series whose labels are all kOverflowLabel.
inline constexpr size_t kSeriesMax = 10'000;
inline constexpr std::string_view kOverflowLabel = "(overflow)";
// Longer label values are cut: namespace/name/rule of Kubernetes fits.
inline constexpr size_t kLabelBytesMax = 512;

// Durations. One thread writes, any thread reads.
class Histogram {
 public:
  // A negative duration counts as 0.
  void Record(base::Duration duration);

  uint64_t bucket(size_t index) const { return buckets_[index].value(); }
  uint64_t sum_microseconds() const { return sum_microseconds_.value(); }

 private:
  std::array<shared::Counter, kDurationBounds.size() + 1> buckets_;
  shared::Counter sum_microseconds_;
};

// What a histogram held when it was read. Buckets are not cumulative.
struct HistogramValue {
  std::array<uint64_t, kDurationBounds.size() + 1> buckets = {};
  uint64_t sum_microseconds = 0;
  bool operator==(const HistogramValue&) const = default;
};

// By kind of the family: counter, gauge, histogram.
using SeriesValue = std::variant<uint64_t, int64_t, HistogramValue>;
using LabelValues = std::vector<std::string>;

struct FamilyValues {
  const Family* family;
  std::map<LabelValues, SeriesValue> series;
};
// By the family's name.
using MetricsSnapshot = std::map<std::string_view, FamilyValues>;

class Metrics {
 public:
  Metrics() = default;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The cell of these label values, created with 0 at first use. It lives until it is retired. What is not UTF-8 in a
  // label value, and control characters, become U+FFFD. Takes a lock: keep the reference instead of asking per
  // exchange.
  shared::Counter& CounterOf(const Family& family, std::initializer_list<std::string_view> labels);
  shared::Gauge& GaugeOf(const Family& family, std::initializer_list<std::string_view> labels);
  Histogram& HistogramOf(const Family& family, std::initializer_list<std::string_view> labels);

  // Forgets every series, of any family, that has this label with this value. Their references dangle from here on.
  void Retire(std::string_view label, std::string_view value) PORTICO_EXCLUDES(mutex_);

  // Any thread.
  MetricsSnapshot Read() const PORTICO_EXCLUDES(mutex_);

 private:
  using Cell = std::variant<shared::Counter, shared::Gauge, Histogram>;
  struct FamilyCells {
    const Family* family;
    std::map<LabelValues, Cell> cells;
  };

  template <typename T>
  T& CellOf(const Family& family, std::initializer_list<std::string_view> labels) PORTICO_EXCLUDES(mutex_);

  mutable shared::Mutex mutex_;
  std::map<std::string_view, FamilyCells> families_ PORTICO_GUARDED_BY(mutex_);
};

// Adds `other` to `total`: counters, gauges and buckets sum up.
void Merge(MetricsSnapshot& total, const MetricsSnapshot& other);

}  // namespace portico::observe

#endif  // PORTICO_DATAPLANE_OBSERVE_METRICS_H_
