#include "dataplane/filters/rate_limit/rate_limit_metrics.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dataplane/observe/families.h"

namespace portico::rate_limit {
namespace {

// As BucketTable::Outcome.
constexpr std::array<std::string_view, shared::BucketTable::kOutcomes> kOutcomes = {"passed", "limited", "would_limit",
                                                                                    "skipped"};

void Add(const observe::Family& family, observe::LabelValues labels, observe::SeriesValue value,
         observe::MetricsSnapshot& metrics) {
  auto& values = metrics.try_emplace(family.name, observe::FamilyValues{&family, {}}).first->second;
  values.series.emplace(std::move(labels), value);
}

}  // namespace

void AddMetrics(const shared::BucketTables& tables, observe::MetricsSnapshot& metrics) {
  for (const auto& [name, counts] : tables.Read()) {
    for (size_t i = 0; i < kOutcomes.size(); ++i) {
      if (counts.outcomes[i] == 0) continue;
      Add(observe::kRateLimitRequests, {name, std::string(kOutcomes[i])}, counts.outcomes[i], metrics);
    }
    Add(observe::kRateLimitOverflows, {name}, counts.overflows, metrics);
    Add(observe::kRateLimitKeys, {name}, static_cast<int64_t>(counts.keys), metrics);
  }
}

}  // namespace portico::rate_limit
