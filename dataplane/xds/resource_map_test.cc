#include "dataplane/xds/resource_map.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/base/random.h"

namespace portico::xds {
namespace {

using base::Concat;
using Plain = std::map<check::ResourceKey, std::string>;  // to its version

check::ResourceKey Key(uint64_t number) {
  return {number % 3 == 0 ? "Cluster" : "Route", "default", Concat("n", number)};
}

std::shared_ptr<const Received> Item(std::string version) {
  auto received = std::make_shared<Received>();
  received->version = std::move(version);
  return received;
}

// By its iterators, by its size, and by each key that there might be.
void ExpectSame(const ResourceMap& map, const Plain& plain, uint64_t keys) {
  Plain walked;
  check::ResourceKey last;
  for (const auto& [key, received] : map) {
    EXPECT_LT(last, key);
    last = key;
    walked[key] = received->version;
  }
  EXPECT_EQ(walked, plain);
  EXPECT_EQ(map.size(), plain.size());
  for (uint64_t number = 0; number < keys; ++number) {
    const auto found = map.find(Key(number));
    const auto expected = plain.find(Key(number));
    ASSERT_EQ(found == map.end(), expected == plain.end()) << number;
    if (found != map.end()) EXPECT_EQ(found->second->version, expected->second);
    const auto lower = map.lower_bound(Key(number));
    const auto expected_lower = plain.lower_bound(Key(number));
    ASSERT_EQ(lower == map.end(), expected_lower == plain.end()) << number;
    if (lower != map.end()) EXPECT_EQ(lower->first, expected_lower->first);
  }
}

TEST(ResourceMapTest, IsWhatAMapIsAndACopyStaysAsItWas) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    base::Random random(seed);
    const uint64_t keys = uint64_t{1} << (2 + seed);  // up to 16 parts
    ResourceMap map;
    Plain plain;
    std::vector<std::pair<ResourceMap, Plain>> copies;
    for (uint64_t step = 0; step < 4 * keys; ++step) {
      const check::ResourceKey key = Key(random.Below(keys));
      // It grows, then it goes.
      if (random.Below(4) < (step < 2 * keys ? 3u : 1u)) {
        map.Put(key, Item(Concat("e.", step)));
        plain[key] = Concat("e.", step);
      } else {
        EXPECT_EQ(map.Erase(key), plain.erase(key) > 0);
      }
      if (step % (keys / 2) == 0) copies.emplace_back(map, plain);
    }
    copies.emplace_back(map, plain);
    for (const auto& [copy, then] : copies)
      ExpectSame(copy, then, keys);
    while (!plain.empty()) {
      EXPECT_TRUE(map.Erase(plain.begin()->first));
      plain.erase(plain.begin());
    }
    ExpectSame(map, plain, keys);
  }
}

// What makes a copy cheap: ten thousand are the same in both, and one change makes little anew.
TEST(ResourceMapTest, ACopyShares) {
  ResourceMap map;
  for (uint64_t number = 0; number < 10'000; ++number)
    map.Put(Key(number), Item("e.1"));
  const ResourceMap copy = map;
  map.Put(Key(5000), Item("e.2"));
  size_t shared = 0;
  for (auto one = map.begin(), other = copy.begin(); one != map.end(); ++one, ++other)
    shared += &*one == &*other ? 1u : 0u;
  EXPECT_EQ(shared, 9'999u);
}

}  // namespace
}  // namespace portico::xds
