#include "dataplane/worker/cluster_state.h"

#include <gtest/gtest.h>

namespace portico::worker {
namespace {

TEST(MergeClusterStates, SumsByNameAndAddress) {
  const std::vector<ClusterState> first = {
      {"default/a", {{"10.0.0.1:80", false, true, 2, 1}, {"10.0.0.2:80", true, false, 0, 0}}, 2, 3, 1},
      {"default/b", {}, 0, 0, 0},
  };
  // This one has not swapped yet: another endpoint, and a cluster less.
  const std::vector<ClusterState> second = {{"default/a", {{"10.0.0.2:80", false, false, 4, 0}}, 4, 5, 6}};
  const std::vector<ClusterState> merged = MergeClusterStates({first, second});
  ASSERT_EQ(merged.size(), 2u);
  EXPECT_EQ(merged[0].name, "default/a");
  EXPECT_EQ(merged[0].connections, 6u);
  EXPECT_EQ(merged[0].calls, 8u);
  EXPECT_EQ(merged[0].pending, 7u);
  ASSERT_EQ(merged[0].endpoints.size(), 2u);
  EXPECT_EQ(merged[0].endpoints[0].address, "10.0.0.1:80");
  EXPECT_EQ(merged[0].endpoints[0].connections, 2u);
  EXPECT_EQ(merged[0].endpoints[0].waiting, 1u);
  EXPECT_FALSE(merged[0].endpoints[0].resting);
  EXPECT_TRUE(merged[0].endpoints[0].ejected);
  EXPECT_EQ(merged[0].endpoints[1].connections, 4u);
  EXPECT_TRUE(merged[0].endpoints[1].resting);
  EXPECT_FALSE(merged[0].endpoints[1].ejected);
  EXPECT_EQ(merged[1].name, "default/b");
  EXPECT_TRUE(MergeClusterStates({}).empty());
}

}  // namespace
}  // namespace portico::worker
