#include "dataplane/worker/default_workers.h"

#include <gtest/gtest.h>

namespace portico::worker {
namespace {

TEST(DefaultWorkers, AsManyAsMayRunAtATime) {
  const struct {
    std::string_view name, cpu_max;
    size_t processors, workers;
  } kRows[] = {
      {"no quota", "max 100000\n", 8, 8},
      {"two processors", "200000 100000\n", 8, 2},
      {"one and a half", "150000 100000\n", 8, 2},
      {"a twentieth", "5000 100000\n", 8, 1},
      {"another period", "30000 10000", 8, 3},
      {"more than the mask allows", "1600000 100000\n", 4, 4},
      {"no cgroup", "", 3, 3},
      {"no processors, it says", "", 0, 1},
      {"quota of nothing", "0 100000\n", 8, 1},
      {"period of nothing", "100000 0\n", 8, 8},
      {"period alone", "100000\n", 8, 8},
      {"three numbers", "100000 100000 100000\n", 8, 8},
      {"not a number", "1x0000 100000\n", 8, 8},
      {"negative", "-1 100000\n", 8, 8},
      {"too large a number", "99999999999999999999999 100000\n", 8, 8},
      {"the largest there is", "18446744073709551615 1\n", 8, 8},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(WorkersFor(row.cpu_max, row.processors), row.workers) << row.name;
}

TEST(DefaultConnections, HalfOfTheFiles) {
  EXPECT_EQ(ConnectionsFor(0), 1u);
  EXPECT_EQ(ConnectionsFor(65), 1u);
  EXPECT_EQ(ConnectionsFor(66), 1u);
  EXPECT_EQ(ConnectionsFor(1024), 480u);
  EXPECT_GT(DefaultConnectionsMax(), 1u);
}

TEST(DefaultWorkers, ThisMachine) {
  EXPECT_GE(DefaultWorkers(), 1u);
}

}  // namespace
}  // namespace portico::worker
