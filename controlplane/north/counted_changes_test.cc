#include "controlplane/north/counted_changes.h"

#include <memory>
#include <numeric>
#include <optional>
#include <string>

#include "api/base/text.h"
#include "controlplane/change/codec.h"
#include "controlplane/change/plan.h"
#include "controlplane/model/test_resources.h"
#include "controlplane/store/memory/memory_store.h"
#include "gtest/gtest.h"

namespace portico::north {
namespace {

using base::Concat;

change::Change ClusterAt(int port) {
  return {.resources = test::ReadResources(Concat(
              "kind: Cluster\nmetadata: {name: a}\nspec: {endpoints: [{address: 127.0.0.1, port: ", port, "}]}"))};
}

change::Change DryRun(change::Change change) {
  change.dry_run = true;
  return change;
}

change::Change Late(change::Change change) {
  change.expected_revision = 9;
  return change;
}

change::Change TooMuch() {
  change::Change change;
  change.deletes.resize(change::kResourcesMax + 1);
  return change;
}

// "stored 1 unchanged 0 …"
std::string Text(const ChangeCounts& counts) {
  return Concat("stored ", counts.stored, " unchanged ", counts.unchanged, " tried ", counts.tried, " overtaken ",
                counts.overtaken, " refused ", counts.refused, " failed ", counts.failed);
}

class CountedChangesTest : public testing::Test {
 protected:
  const test::AnyKeyPair key_pairs_;
  const std::unique_ptr<change::Changes> changes_ = *change::Changes::Open(
      store::memory::Open(), change::Codec(std::nullopt), key_pairs_, [] { return int64_t{1'000'000}; }, {100});
  int64_t now_ = 0, step_ = 0;
  CountedChanges counted_{*changes_, [this] { return now_ += step_; }};
};

TEST_F(CountedChangesTest, CountsWhatBecomesOfEach) {
  const struct {
    const char* name;
    change::Change change;
    const char* after;
  } kRows[] = {
      {"new", ClusterAt(1), "stored 1 unchanged 0 tried 0 overtaken 0 refused 0 failed 0"},
      {"the same", ClusterAt(1), "stored 1 unchanged 1 tried 0 overtaken 0 refused 0 failed 0"},
      {"a dry run", DryRun(ClusterAt(2)), "stored 1 unchanged 1 tried 1 overtaken 0 refused 0 failed 0"},
      {"a wrong dry run", DryRun(ClusterAt(0)), "stored 1 unchanged 1 tried 1 overtaken 0 refused 1 failed 0"},
      {"too late", Late(ClusterAt(2)), "stored 1 unchanged 1 tried 1 overtaken 1 refused 1 failed 0"},
      {"wrong", ClusterAt(0), "stored 1 unchanged 1 tried 1 overtaken 1 refused 2 failed 0"},
      {"over a limit", TooMuch(), "stored 1 unchanged 1 tried 1 overtaken 1 refused 2 failed 1"},
  };
  for (const auto& row : kRows) {
    counted_.Apply(row.change, {}, nullptr);
    EXPECT_EQ(Text(counted_.Read()), row.after) << row.name;
  }
  counted_.Rollback(7, "", {}, {}, nullptr);
  counted_.Rollback(1, "", {}, {}, nullptr);
  EXPECT_EQ(Text(counted_.Read()), "stored 1 unchanged 2 tried 1 overtaken 1 refused 3 failed 1");
  for (const auto code : {absl::StatusCode::kPermissionDenied, absl::StatusCode::kUnauthenticated}) {
    counted_.Apply(ClusterAt(3), {}, [code](const model::Model&, const change::Change&) {
      return change::Refusal{absl::Status(code, "no"), {}};
    });
  }
  EXPECT_EQ(Text(counted_.Read()), "stored 1 unchanged 2 tried 1 overtaken 1 refused 5 failed 1");
}

TEST_F(CountedChangesTest, DurationsFallIntoClasses) {
  const struct {
    const char* name;
    int64_t took;
    size_t place;
  } kRows[] = {{"no time", 0, 0},          {"up to a bound", 1'000, 0},
               {"beyond it", 1'001, 1},    {"the last", 10'000'000, 10},
               {"longer", 10'000'001, 11}, {"a clock that was set back", -5, 0}};
  uint64_t all = 0;
  for (const auto& row : kRows) {
    step_ = row.took;
    const uint64_t before = counted_.Read().durations[row.place];
    counted_.Apply(ClusterAt(1), {}, nullptr);
    const ChangeCounts counts = counted_.Read();
    EXPECT_EQ(counts.durations[row.place], before + 1) << row.name;
    EXPECT_EQ(std::accumulate(counts.durations.begin(), counts.durations.end(), uint64_t{0}), ++all) << row.name;
  }
  EXPECT_EQ(counted_.Read().duration_micros, 1'000u + 1'001 + 10'000'000 + 10'000'001);
}

}  // namespace
}  // namespace portico::north
