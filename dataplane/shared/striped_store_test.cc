#include "dataplane/shared/striped_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "dataplane/shared/byte_account.h"

namespace portico::shared {
namespace {

using Store = StripedStore<std::string, std::hash<std::string_view>>;

// What is held elsewhere stays.
size_t Weigh(const Store::Shared& value) {
  return value.use_count() > 1 ? 0 : value->size();
}

// Keys that stand in stripe 7.
std::vector<std::string> KeysOfOneStripe(size_t count) {
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < count; ++i) {
    const std::string key = "key" + std::to_string(i);
    if (std::hash<std::string_view>()(key) % Store::kStripes == 7) keys.push_back(key);
  }
  return keys;
}

Store::Shared Value(const char* text) {
  return std::make_shared<const std::string>(text);
}

std::string Text(const Store::Shared& value) {
  return value == nullptr ? "(none)" : *value;
}

TEST(StripedStoreTest, WhatIsPutInIsFoundUntilItIsReplaced) {
  Store store;
  EXPECT_EQ(store.Find("a"), nullptr);
  const Store::Shared one = Value("1"), two = Value("2");
  EXPECT_TRUE(store.Replace("a", nullptr, one, store.Generation("a")));
  EXPECT_EQ(store.Find("a"), one);
  EXPECT_EQ(store.Find("b"), nullptr);
  EXPECT_FALSE(store.Replace("a", nullptr, two, store.Generation("a"))) << "there is another";
  EXPECT_FALSE(store.Replace("b", one, two, store.Generation("b"))) << "there is none";
  EXPECT_TRUE(store.Replace("a", one, two, store.Generation("a")));
  EXPECT_EQ(store.Find("a"), two);
  EXPECT_EQ(store.size(), 1u);
  EXPECT_EQ(one.use_count(), 1) << "it holds nothing of what it gave up";
  EXPECT_TRUE(store.Replace("a", two, nullptr, store.Generation("a")));
  EXPECT_EQ(store.size(), 0u);
}

TEST(StripedStoreTest, WhatWasBegunBeforeAnInvalidationIsRefused) {
  Store store;
  const uint64_t before = store.Generation("a"), others = store.Generation("b");
  EXPECT_FALSE(store.Invalidate("a")) << "nothing there";
  EXPECT_FALSE(store.Replace("a", nullptr, Value("old"), before));
  EXPECT_TRUE(store.Replace("a", nullptr, Value("new"), store.Generation("a")));
  EXPECT_TRUE(store.Replace("b", nullptr, Value("b"), others)) << "of another key";
  EXPECT_TRUE(store.Invalidate("a"));
  EXPECT_EQ(Text(store.Find("a")), "(none)");
  EXPECT_EQ(Text(store.Find("b")), "b");
  const uint64_t prepared = store.Generation("c");
  store.InvalidatePrepared();
  EXPECT_FALSE(store.Replace("c", nullptr, Value("c"), prepared));
  EXPECT_EQ(Text(store.Find("b")), "b") << "what is there is left";
}

TEST(StripedStoreTest, TheOneThatWasUsedTheLongestAgoGoesFirst) {
  Store store;
  const std::vector<std::string> keys = KeysOfOneStripe(3);
  for (const std::string& key : keys)
    EXPECT_TRUE(store.Replace(key, nullptr, Value("x"), store.Generation(key)));
  EXPECT_EQ(store.Keys(7).size(), 3u);
  EXPECT_NE(store.Find(keys[0]), nullptr);
  EXPECT_EQ(store.Evict(Weigh), 1u);
  EXPECT_EQ(store.Keys(7), (std::vector<std::string>{keys[0], keys[2]}));
  EXPECT_EQ(store.Evict(Weigh), 1u);
  EXPECT_EQ(store.Keys(7), (std::vector<std::string>{keys[0]}));
  EXPECT_EQ(store.Evict(Weigh), 1u);
  EXPECT_EQ(store.Evict(Weigh), 0u) << "nothing left";
}

// A walk under a lock is bounded; what it passed, being in use, is not in the way of the next.
TEST(StripedStoreTest, WhatIsInUseIsNotEvicted) {
  Store store;
  const std::vector<std::string> keys = KeysOfOneStripe(20);
  std::vector<Store::Shared> in_use;
  for (const std::string& key : keys) {
    in_use.push_back(Value("value"));
    EXPECT_TRUE(store.Replace(key, nullptr, in_use.back(), store.Generation(key)));
  }
  EXPECT_EQ(store.Evict(Weigh), 0u);
  EXPECT_EQ(store.Evictable(100, Weigh), 0u);
  in_use[7].reset();
  size_t walks = 0;
  while (store.Evict(Weigh) == 0 && walks < 10)
    ++walks;
  EXPECT_EQ(walks, 1u);
  EXPECT_EQ(store.Find(keys[7]), nullptr);
  EXPECT_EQ(store.size(), 19u) << "and no other";
  in_use[9].reset();
  for (walks = 0; store.Evictable(100, Weigh) == 0 && walks < 10;)
    ++walks;
  EXPECT_LE(walks, 2u);
  in_use.clear();
  EXPECT_EQ(store.Evictable(100, Weigh), 95u) << "what could go does not count";
  EXPECT_EQ(store.Evictable(6, Weigh), 10u) << "no further than it is wanted";
}

// Two keys of one hash, which no hash of 64 bits has: the latter takes the place, and nobody gets the other's value.
TEST(StripedStoreTest, KeysOfOneHash) {
  struct Same {
    uint64_t operator()(std::string_view) const { return 1; }
  };
  StripedStore<std::string, Same> store;
  EXPECT_TRUE(store.Replace("a", nullptr, Value("a"), 0));
  EXPECT_EQ(store.Find("b"), nullptr);
  EXPECT_FALSE(store.Invalidate("b"));
  EXPECT_TRUE(store.Replace("b", nullptr, nullptr, store.Generation("b")));
  EXPECT_EQ(Text(store.Find("a")), "a");
  EXPECT_TRUE(store.Replace("b", nullptr, Value("b"), store.Generation("b")));
  EXPECT_EQ(store.Find("a"), nullptr);
  EXPECT_EQ(Text(store.Find("b")), "b");
  EXPECT_EQ(store.size(), 1u);
}

// Which keys share a generation is the hash's to say, and nothing that a stranger can work out.
TEST(StripedStoreTest, GenerationsAreOfTheKeyedHash) {
  struct Keyed {
    uint64_t operator()(std::string_view key) const {
      return std::hash<std::string_view>()(key) ^ (key == "a" ? 1 : 0);
    }
  };
  const auto index = [](std::string_view key) { return std::hash<std::string_view>()(key) % Generations::kCounts; };
  std::string same;
  for (int i = 0; same.empty(); ++i)
    if (index(std::to_string(i)) == index("a")) same = std::to_string(i);
  StripedStore<std::string, Keyed> store;
  const uint64_t generation = store.Generation("a");
  for (int i = 0; i < 3; ++i)
    store.Invalidate(same);
  EXPECT_EQ(store.Generation("a"), generation);
  EXPECT_TRUE(store.Replace("a", nullptr, Value("a"), generation));
  EXPECT_FALSE(store.Replace(same, nullptr, Value("x"), 0));
}

TEST(StripedStoreTest, AClosedOneTakesAndGivesNothing) {
  Store store;
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(store.Replace(std::to_string(i), nullptr, Value("x"), store.Generation(std::to_string(i))));
  const uint64_t prepared = store.Generation("0");
  store.Close();
  EXPECT_TRUE(store.is_closed());
  EXPECT_EQ(store.size(), 0u);
  EXPECT_EQ(store.Find("0"), nullptr);
  EXPECT_NE(store.Generation("0"), prepared);
  EXPECT_FALSE(store.Replace("0", nullptr, Value("x"), store.Generation("0")));
  EXPECT_FALSE(store.Invalidate("0"));
  EXPECT_EQ(store.Evict(Weigh), 0u);
}

TEST(StripedStoreTest, EvictionGoesRoundTheStripes) {
  Store store;
  for (int i = 0; i < 1000; ++i)
    EXPECT_TRUE(store.Replace(std::to_string(i), nullptr, Value("x"), store.Generation(std::to_string(i))));
  for (int i = 0; i < 128; ++i)
    EXPECT_EQ(store.Evict(Weigh), 1u);
  EXPECT_EQ(store.size(), 1000u - 128);
  for (size_t stripe = 0; stripe < Store::kStripes; ++stripe)
    EXPECT_GT(store.Keys(stripe).size(), 2u);
}

// What tsan looks at, and that no use and no byte is lost.
TEST(StripedStoreTest, SeveralThreads) {
  Store store;
  const auto account = std::make_shared<ByteAccount>(1000);
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        const std::string key = std::to_string(i % 50);
        const uint64_t generation = store.Generation(key);
        ByteHold hold(account);
        if (!hold.Grow(400)) ++refused;
        store.Replace(key, store.Find(key), Value("x"), generation);
        if (i % 7 == 0) store.Invalidate(key);
        if (i % 11 == 0) store.Evict(Weigh);
        if (i % 100 == 0) store.InvalidatePrepared();
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  size_t count = 0;
  for (size_t stripe = 0; stripe < Store::kStripes; ++stripe)
    count += store.Keys(stripe).size();
  EXPECT_EQ(count, store.size());
  EXPECT_EQ(account->bytes(), 0u);
}

TEST(ByteAccountTest, NeverHoldsMoreThanItMay) {
  const auto account = std::make_shared<ByteAccount>(10);
  ByteHold first(account), second(account);
  EXPECT_TRUE(first.Grow(6));
  EXPECT_FALSE(second.Grow(5));
  EXPECT_FALSE(second.Grow(SIZE_MAX));
  EXPECT_TRUE(second.Grow(4));
  EXPECT_EQ(account->bytes(), 10u);
  account->set_bytes_max(5);
  EXPECT_FALSE(first.Grow(1)) << "above the new limit";
  {
    const ByteHold moved = std::move(first);
    EXPECT_EQ(moved.bytes(), 6u);
    EXPECT_EQ(first.bytes(), 0u);
  }
  EXPECT_EQ(account->bytes(), 4u);
  EXPECT_TRUE(first.bytes() == 0 && second.Grow(1));
}

}  // namespace
}  // namespace portico::shared
