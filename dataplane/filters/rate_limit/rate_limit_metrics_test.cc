#include "dataplane/filters/rate_limit/rate_limit_metrics.h"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "dataplane/observe/families.h"
#include "dataplane/shared/bucket_table.h"
#include "gtest/gtest.h"

namespace portico::rate_limit {
namespace {

using Outcome = shared::BucketTable::Outcome;

TEST(RateLimitMetrics, AreWhatTheTablesHaveCounted) {
  shared::BucketTables tables({.keys_max = 16});
  observe::MetricsSnapshot metrics;
  AddMetrics(tables, metrics);
  EXPECT_TRUE(metrics.empty());
  const std::shared_ptr<shared::BucketTable> table = tables.Of("default/p/one", "");
  const shared::Rate rate{1'000'000'000, 1};
  for (const Outcome if_none : {Outcome::kLimited, Outcome::kLimited, Outcome::kLimited, Outcome::kWouldLimit})
    table->Take(1, rate, 0, if_none);
  table->Take(2, rate, 0, Outcome::kLimited);  // it has no place
  table->Skip();
  AddMetrics(tables, metrics);
  const auto& requests = metrics.at(observe::kRateLimitRequests.name).series;
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_EQ(std::get<uint64_t>(requests.at({"default/p/one", "passed"})), 2u);
  EXPECT_EQ(std::get<uint64_t>(requests.at({"default/p/one", "limited"})), 2u);
  EXPECT_EQ(std::get<uint64_t>(requests.at({"default/p/one", "would_limit"})), 1u);
  EXPECT_EQ(std::get<uint64_t>(requests.at({"default/p/one", "skipped"})), 1u);
  EXPECT_EQ(std::get<uint64_t>(metrics.at(observe::kRateLimitOverflows.name).series.at({"default/p/one"})), 1u);
  EXPECT_EQ(std::get<int64_t>(metrics.at(observe::kRateLimitKeys.name).series.at({"default/p/one"})), 1);
}

}  // namespace
}  // namespace portico::rate_limit
