#include "dataplane/observe/metrics.h"

#include <algorithm>
#include <type_traits>

#include "api/base/check.h"
#include "api/base/utf8.h"

namespace portico::observe {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::string CleanLabel(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t bytes = base::Utf8CharacterBytes(text);
    const bool control = bytes == 1 && (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F);
    const std::string_view piece = bytes == 0 || control ? kReplacement : text.substr(0, bytes);
    if (out.size() + piece.size() > kLabelBytesMax) break;
    out += piece;
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return out;
}

SeriesValue ValueOf(const shared::Counter& counter) {
  return counter.value();
}
SeriesValue ValueOf(const shared::Gauge& gauge) {
  return gauge.value();
}
SeriesValue ValueOf(const Histogram& histogram) {
  HistogramValue value;
  for (size_t i = 0; i < value.buckets.size(); ++i)
    value.buckets[i] = histogram.bucket(i);
  value.sum_microseconds = histogram.sum_microseconds();
  return value;
}

void AddTo(uint64_t& total, uint64_t other) {
  total += other;
}
void AddTo(int64_t& total, int64_t other) {
  total += other;
}
void AddTo(HistogramValue& total, const HistogramValue& other) {
  for (size_t i = 0; i < total.buckets.size(); ++i)
    total.buckets[i] += other.buckets[i];
  total.sum_microseconds += other.sum_microseconds;
}

}  // namespace

void Histogram::Record(base::Duration duration) {
  const uint64_t microseconds = static_cast<uint64_t>(std::max<int64_t>(duration.count(), 0));
  const auto bound = std::lower_bound(kDurationBounds.begin(), kDurationBounds.end(), microseconds);
  buckets_[static_cast<size_t>(bound - kDurationBounds.begin())].Add();
  sum_microseconds_.Add(microseconds);
}

template <typename T>
T& Metrics::CellOf(const Family& family, std::initializer_list<std::string_view> labels) {
  PORTICO_CHECK(labels.size() == family.label_count());
  LabelValues values;
  for (std::string_view label : labels)
    values.push_back(CleanLabel(label));
  shared::MutexLock lock(mutex_);
  FamilyCells& cells = families_.try_emplace(family.name, FamilyCells{&family, {}}).first->second;
  if (cells.cells.size() >= kSeriesMax && !cells.cells.contains(values))
    values.assign(labels.size(), std::string(kOverflowLabel));
  return std::get<T>(cells.cells.try_emplace(std::move(values), std::in_place_type<T>).first->second);
}

shared::Counter& Metrics::CounterOf(const Family& family, std::initializer_list<std::string_view> labels) {
  PORTICO_CHECK(family.kind == MetricKind::kCounter);
  return CellOf<shared::Counter>(family, labels);
}

shared::Gauge& Metrics::GaugeOf(const Family& family, std::initializer_list<std::string_view> labels) {
  PORTICO_CHECK(family.kind == MetricKind::kGauge);
  return CellOf<shared::Gauge>(family, labels);
}

Histogram& Metrics::HistogramOf(const Family& family, std::initializer_list<std::string_view> labels) {
  PORTICO_CHECK(family.kind == MetricKind::kHistogram);
  return CellOf<Histogram>(family, labels);
}

void Metrics::Retire(std::string_view label, std::string_view value) {
  const std::string clean = CleanLabel(value);
  shared::MutexLock lock(mutex_);
  for (auto& [name, family] : families_)
    for (size_t i = 0; i < family.family->label_count(); ++i)
      if (family.family->labels[i] == label)
        std::erase_if(family.cells, [&clean, i](const auto& cell) { return cell.first[i] == clean; });
  std::erase_if(families_, [](const auto& family) { return family.second.cells.empty(); });
}

MetricsSnapshot Metrics::Read() const {
  MetricsSnapshot snapshot;
  shared::MutexLock lock(mutex_);
  for (const auto& [name, family] : families_) {
    FamilyValues& values = snapshot.try_emplace(name, FamilyValues{family.family, {}}).first->second;
    for (const auto& [labels, cell] : family.cells)
      values.series.emplace(labels, std::visit([](const auto& one) { return ValueOf(one); }, cell));
  }
  return snapshot;
}

void Merge(MetricsSnapshot& total, const MetricsSnapshot& other) {
  for (const auto& [name, family] : other) {
    FamilyValues& values = total.try_emplace(name, FamilyValues{family.family, {}}).first->second;
    for (const auto& [labels, value] : family.series) {
      const auto [place, added] = values.series.try_emplace(labels, value);
      if (added) continue;
      std::visit([&value](auto& sum) { AddTo(sum, std::get<std::remove_reference_t<decltype(sum)>>(value)); },
                 place->second);
    }
  }
}

}  // namespace portico::observe
