#include "dataplane/upstream/balancer/balancer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace portico::upstream::balancer {
namespace {

using Places = std::vector<size_t>;

constexpr auto kAnybody = [](size_t) { return true; };
constexpr auto kIdle = [](size_t) { return size_t{0}; };

Balancer Make(Kind kind, const std::vector<uint32_t>& weights) {
  Balancer balancer;
  balancer.Update(kind, weights, Places(weights.size(), Balancer::kNew));
  return balancer;
}

// "aabacaa": who is asked, one after another; '-': nobody.
template <typename MayTake>
std::string Order(Balancer& balancer, size_t count, MayTake may_take) {
  base::Random random(1);
  std::string order;
  for (size_t i = 0; i < count; ++i) {
    const auto place = balancer.Choose(may_take, kIdle, random);
    order += place ? static_cast<char>('a' + *place) : '-';
  }
  return order;
}

TEST(BalancerTest, InTurnByWeight) {
  struct Row {
    std::string_view name;
    std::vector<uint32_t> weights;
    std::string_view passed_over;  // these are not to be taken
    std::string_view order;
  };
  const Row rows[] = {
      {"nobody", {}, "", "-"},
      {"one", {1}, "", "aaa"},
      {"equal weights", {1, 1, 1}, "", "abcabc"},
      {"equal weights of any size", {7, 7, 7}, "", "abcabc"},
      {"one is passed over", {1, 1, 1}, "b", "acac"},
      {"all are passed over", {1, 1, 1}, "abc", "---"},
      {"nginx's example", {5, 1, 1}, "", "aabacaaaabacaa"},
      {"two to one", {2, 1}, "", "abaaba"},
      {"one gets nothing", {1, 0, 1}, "", "acac"},
      {"nobody gets anything", {0, 0}, "", "--"},
      {"the only one with a weight is passed over", {0, 3}, "b", "--"},
      {"the heavy one is passed over", {5, 1, 1}, "a", "bcbc"},
      {"the light ones are passed over", {5, 1, 1}, "bc", "aaaa"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Balancer balancer = Make(Kind::kRoundRobin, row.weights);
    const auto may_take = [&](size_t place) {
      return row.passed_over.find(static_cast<char>('a' + place)) == row.passed_over.npos;
    };
    EXPECT_EQ(Order(balancer, row.order.size(), may_take), row.order);
  }
}

// Whatever the weights, after as many choices as they sum up to each was asked as often as its weight says.
TEST(BalancerTest, SmoothTurnsAreExact) {
  base::Random random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint32_t> weights(1 + random.Below(12));
    for (uint32_t& weight : weights)
      weight = static_cast<uint32_t>(random.Below(20));
    Balancer balancer = Make(Kind::kRoundRobin, weights);
    std::vector<uint32_t> asked(weights.size());
    uint32_t total = 0;
    for (const uint32_t weight : weights)
      total += weight;
    for (uint32_t i = 0; i < total; ++i)
      ++asked[*balancer.Choose(kAnybody, kIdle, random)];
    const bool equal =
        std::all_of(weights.begin(), weights.end(), [&](uint32_t one) { return one == weights.front(); });
    if (!equal || total == 0) EXPECT_EQ(asked, weights) << "round " << round;
  }
}

// An endpoint in the middle goes, and one comes in front: who stays goes on where it was.
TEST(BalancerTest, AnUpdateKeepsTheTurns) {
  Balancer balancer = Make(Kind::kRoundRobin, {5, 1, 1});
  EXPECT_EQ(Order(balancer, 3, kAnybody), "aab");
  balancer.Update(Kind::kRoundRobin, {5, 1, 1}, Places{0, 1, 2});
  EXPECT_EQ(Order(balancer, 4, kAnybody), "acaa");
  EXPECT_EQ(Order(balancer, 2, kAnybody), "aa");
  balancer.Update(Kind::kRoundRobin, {1, 5, 1}, Places{Balancer::kNew, 0, 2});
  EXPECT_EQ(Order(balancer, 2, kAnybody), "cb") << "the third place has gained two, the heavy one has paid";

  Balancer equal = Make(Kind::kRoundRobin, {1, 1, 1});
  EXPECT_EQ(Order(equal, 2, kAnybody), "ab");
  equal.Update(Kind::kRoundRobin, {1, 1, 1, 1}, Places{0, 1, 2, Balancer::kNew});
  EXPECT_EQ(Order(equal, 2, kAnybody), "cd");
}

constexpr int kSeeds = 20, kChoices = 2500;

// How often each of the endpoints was chosen, of a thousand, over many seeds.
template <typename MayTake, typename CallsOf>
std::vector<int> Shares(const std::vector<uint32_t>& weights, MayTake may_take, CallsOf calls_of) {
  std::vector<int> counts(weights.size());
  for (int seed = 1; seed <= kSeeds; ++seed) {
    Balancer balancer = Make(Kind::kLeastRequest, weights);
    base::Random random(static_cast<uint64_t>(seed));
    for (int i = 0; i < kChoices; ++i)
      ++counts[*balancer.Choose(may_take, calls_of, random)];
  }
  for (int& count : counts)
    count = count / (kSeeds * kChoices / 1000);
  return counts;
}

void ExpectNear(const std::vector<int>& got, const std::vector<int>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], wanted[i], wanted[i] == 0 || wanted[i] == 1000 ? 0 : 15) << "place " << i;
}

TEST(BalancerTest, LeastRequestDraws) {
  struct Row {
    std::string_view name;
    std::vector<uint32_t> weights;
    std::string_view passed_over;
    std::vector<size_t> calls;
    std::vector<int> shares;  // of a thousand
  };
  const Row rows[] = {
      {"one", {1}, "", {0}, {1000}},
      {"idle ones", {1, 1, 1, 1}, "", {0, 0, 0, 0}, {250, 250, 250, 250}},
      {"idle ones by weight", {1, 3}, "", {0, 0}, {250, 750}},
      {"equally busy for their weight", {1, 3}, "", {2, 6}, {250, 750}},
      {"the busier of two", {1, 1}, "", {3, 2}, {0, 1000}},
      {"the busier for its weight", {1, 3}, "", {1, 2}, {0, 1000}},
      {"the busiest of three is drawn against a lighter one", {1, 1, 1}, "", {9, 0, 0}, {0, 500, 500}},
      {"by load in the middle", {1, 1, 1}, "", {2, 1, 0}, {0, 333, 667}},
      {"one gets nothing", {1, 0, 1}, "", {0, 0, 0}, {500, 0, 500}},
      {"passed over", {1, 1, 1}, "a", {0, 0, 0}, {0, 500, 500}},
      {"the idle ones are passed over", {1, 1, 1}, "bc", {9, 0, 0}, {1000, 0, 0}},
      {"by weight among the rest, at load", {6, 2, 2, 2}, "a", {0, 0, 1, 2}, {0, 667, 333, 0}},
      {"by weight among the rest", {6, 1, 3}, "a", {0, 0, 0}, {0, 250, 750}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto may_take = [&](size_t place) {
      return row.passed_over.find(static_cast<char>('a' + place)) == row.passed_over.npos;
    };
    ExpectNear(Shares(row.weights, may_take, [&](size_t place) { return row.calls[place]; }), row.shares);
  }
}

TEST(BalancerTest, LeastRequestFindsNobody) {
  base::Random random(1);
  for (const auto& weights : {std::vector<uint32_t>{}, {0}, {0, 0, 0}}) {
    Balancer balancer = Make(Kind::kLeastRequest, weights);
    EXPECT_EQ(balancer.Choose(kAnybody, kIdle, random), std::nullopt);
  }
  Balancer balancer = Make(Kind::kLeastRequest, {1, 1});
  EXPECT_EQ(balancer.Choose([](size_t) { return false; }, kIdle, random), std::nullopt);
}

// Ten endpoints serve a call in ten ticks each, the first one in a hundred; a call comes each tick and a bit. In turn
// the slow one would have a tenth of all and pile up; by load it has about what it can do.
TEST(BalancerTest, ASlowEndpointGetsLess) {
  for (int seed = 1; seed <= kSeeds; ++seed) {
    base::Random random(static_cast<uint64_t>(seed));
    Balancer balancer = Make(Kind::kLeastRequest, std::vector<uint32_t>(10, 1));
    std::vector<std::vector<int>> ends(10);  // when the calls of each are over
    int given = 0;
    size_t most = 0;
    for (int tick = 0; tick < 2000; ++tick) {
      for (std::vector<int>& calls : ends)
        std::erase_if(calls, [tick](int end) { return end <= tick; });
      for (int calls = 0; calls < 3; ++calls) {
        const size_t place = *balancer.Choose(kAnybody, [&](size_t one) { return ends[one].size(); }, random);
        ends[place].push_back(tick + (place == 0 ? 100 : 10));
        given += place == 0 ? 1 : 0;
      }
      most = std::max(most, ends[0].size());
    }
    EXPECT_LT(given, 6000 / 10 / 4) << "seed " << seed;
    EXPECT_LT(most, 12u) << "seed " << seed;
  }
}

}  // namespace
}  // namespace portico::upstream::balancer
