#include "dataplane/base/random.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace portico::base {
namespace {

std::string Hex(Random& random, size_t digits) {
  std::string hex(digits, '?');
  random.FillHex(hex.data(), digits);
  return hex;
}

TEST(Random, IsTheSameForTheSameSeed) {
  Random one(42), same(42), other(43);
  EXPECT_EQ(one.Next(), same.Next());
  EXPECT_NE(one.Next(), other.Next());
}

// The first numbers of the authors' reference code, from SplitMix64(0).
TEST(Random, IsXoshiro256StarStar) {
  Random random(0);
  EXPECT_EQ(random.Next(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(random.Next(), 0xbf6e1f784956452au);
  EXPECT_EQ(random.Next(), 0x1a5f849d4933e6e0u);
}

TEST(Random, BelowStaysBelowAndIsEven) {
  for (uint64_t bound : {uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{10}, uint64_t{1} << 63, UINT64_MAX}) {
    SCOPED_TRACE(bound);
    Random random(1);
    std::vector<int> counts(10);
    for (int i = 0; i < 10'000; ++i) {
      const uint64_t value = random.Below(bound);
      ASSERT_LT(value, bound);
      if (bound == 10) ++counts[value];
    }
    if (bound != 10) continue;
    for (int count : counts)
      EXPECT_NEAR(count, 1000, 150);
  }
}

TEST(Random, WritesHexOfAnyLength) {
  for (size_t digits : {0, 1, 15, 16, 17, 32, 33}) {
    SCOPED_TRACE(digits);
    Random random(7);
    const std::string hex = Hex(random, digits);
    EXPECT_EQ(hex.size(), digits);
    EXPECT_EQ(hex.find_first_not_of("0123456789abcdef"), std::string::npos) << hex;
  }
  Random random(7);
  EXPECT_NE(Hex(random, 32), Hex(random, 32));
}

TEST(RandomDeathTest, BelowNothing) {
  Random random(1);
  EXPECT_DEATH(random.Below(0), "bound > 0");
}

}  // namespace
}  // namespace portico::base
