#include "api/base/shared_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "api/base/text.h"

namespace portico::base {
namespace {

using Map = SharedMap<std::string, int>;

std::string Text(const Map& map) {
  std::string text;
  for (const auto& [key, value] : map)
    text += Concat(text.empty() ? "" : " ", key, "=", value);
  return text;
}

std::string Differences(const Map& before, const Map& after) {
  std::string text;
  Compare(before, after, [&text](const std::string& key, const int* old, const int* now) {
    const auto say = [](const int* value) { return value == nullptr ? std::string("none") : Concat(*value); };
    text += Concat(text.empty() ? "" : " ", key, ":", say(old), ">", say(now));
  });
  return text;
}

TEST(SharedMap, IsAMap) {
  Map map;
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(map.find("a"), map.end());
  EXPECT_EQ(map.lower_bound("a"), map.end());
  EXPECT_FALSE(map.Erase("a"));
  map.Put("b", 2);
  map.Put("a", 1);
  map.Put("c", 3);
  map.Put("b", 4);
  EXPECT_EQ(Text(map), "a=1 b=4 c=3");
  EXPECT_EQ(map.size(), 3u);
  EXPECT_EQ(*map.Find("b"), 4);
  EXPECT_EQ(map.Find("bb"), nullptr);
  EXPECT_EQ(map.lower_bound("bb")->first, "c");
  EXPECT_EQ(map.lower_bound("d"), map.end());
  EXPECT_TRUE(map.Erase("b"));
  EXPECT_FALSE(map.contains("b"));
  EXPECT_EQ(Text(map), "a=1 c=3");
}

TEST(SharedMap, ACopyIsNotTouchedByWrites) {
  Map old;
  old.Put("a", 1);
  Map next = old;
  next.Put("a", 2);
  next.Put("b", 3);
  next.Erase("a");
  EXPECT_EQ(Text(old), "a=1");
  EXPECT_EQ(Text(next), "b=3");
}

TEST(SharedMap, ComparesByWhatDiffers) {
  Map old;
  old.Put("same", 1);
  old.Put("gone", 2);
  old.Put("other", 3);
  Map next = old;
  next.Put("same", 1);  // another entry with the same value
  next.Erase("gone");
  next.Put("other", 4);
  next.Put("new", 5);
  EXPECT_EQ(Differences(old, next), "gone:2>none new:none>5 other:3>4");
  EXPECT_EQ(Differences(next, old), "gone:none>2 new:5>none other:4>3");
  EXPECT_EQ(Differences(next, next), "");
  EXPECT_EQ(Differences({}, old), "gone:none>2 other:none>3 same:none>1");
}

// What Compare looks at is what was written, not what is there.
struct Counting {
  int value = 0;
  static inline int compared = 0;
  bool operator==(const Counting& other) const {
    ++compared;
    return value == other.value;
  }
};
struct CountingLess {
  static inline int compared = 0;
  bool operator()(int a, int b) const {
    ++compared;
    return a < b;
  }
};

TEST(SharedMap, OneWriteAmongManyIsFoundByLookingAtFew) {
  SharedMap<int, Counting, CountingLess> old;
  constexpr int kMany = 100'000;
  for (int i = 0; i < kMany; ++i)
    old.Put(i, {i});
  auto next = old;
  CountingLess::compared = 0;
  next.Put(kMany / 2, {-1});
  next.Put(kMany / 2 + 7, {kMany / 2 + 7});
  EXPECT_LT(CountingLess::compared, 100);
  Counting::compared = CountingLess::compared = 0;
  int differences = 0;
  Compare(old, next, [&differences](int, const Counting*, const Counting*) { ++differences; });
  EXPECT_EQ(differences, 1);
  EXPECT_EQ(Counting::compared, 2);
  EXPECT_LT(CountingLess::compared, 1000);
}

// Against std::map, with copies taken on the way.
TEST(SharedMap, AgreesWithAMapUnderRandomWrites) {
  std::mt19937 random(7);
  Map map;
  std::map<std::string, int> model;
  std::vector<std::pair<Map, std::map<std::string, int>>> copies;
  for (int step = 0; step < 20'000; ++step) {
    const std::string key = Concat(random() % 2000);
    // Phases of growing and of shrinking.
    if (random() % 10 < (step / 4000 % 2 == 0 ? 8u : 2u)) {
      map.Put(key, step);
      model[key] = step;
    } else {
      EXPECT_EQ(map.Erase(key), model.erase(key) == 1);
    }
    if (step % 2000 == 0) copies.emplace_back(map, model);
  }
  copies.emplace_back(map, model);
  for (size_t i = 0; i < copies.size(); ++i) {
    const auto& [copy, expected] = copies[i];
    ASSERT_EQ(copy.size(), expected.size());
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), copy.begin(),
                           [](const auto& a, const auto& b) { return a.first == b.first && a.second == b.second; }));
    for (int k = 0; k < 2000; k += 13) {
      const std::string key = Concat(k);
      const auto lower = expected.lower_bound(key);
      EXPECT_EQ(copy.lower_bound(key) == copy.end(), lower == expected.end());
      if (lower != expected.end()) EXPECT_EQ(copy.lower_bound(key)->first, lower->first);
    }
    if (i == 0) continue;
    std::map<std::string, int> patched = copies[i - 1].second;
    Compare(copies[i - 1].first, copy, [&patched](const std::string& key, const int*, const int* now) {
      if (now == nullptr) {
        patched.erase(key);
      } else {
        patched[key] = *now;
      }
    });
    EXPECT_EQ(patched, expected);
  }
}

}  // namespace
}  // namespace portico::base
