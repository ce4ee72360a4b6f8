#include "dataplane/shared/bucket_table.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace portico::shared {
namespace {

using Outcome = BucketTable::Outcome;

constexpr int64_t kSecond = 1'000'000'000;
constexpr Rate kOnePerSecond{kSecond, 1};

std::shared_ptr<std::atomic<size_t>> NoKeys() {
  return std::make_shared<std::atomic<size_t>>(0);
}

// A hash of `number`, evenly spread: the finaliser of SplitMix64.
uint64_t Key(uint64_t number) {
  number = (number + 1) * 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

TEST(BucketTable, EachKeyHasABucketOfItsOwn) {
  BucketTable table({}, NoKeys());
  for (uint64_t number = 0; number < 5'000; ++number) {
    EXPECT_TRUE(table.Take(Key(number), kOnePerSecond, 0, Outcome::kLimited).token);
    EXPECT_FALSE(table.Take(Key(number), kOnePerSecond, 0, Outcome::kLimited).token);
  }
  for (uint64_t number = 0; number < 5'000; ++number)
    EXPECT_FALSE(table.Take(Key(number), kOnePerSecond, 0, Outcome::kWouldLimit).token);
  const BucketTable::Counts counts = table.Read();
  EXPECT_EQ(counts.outcomes, (std::array<uint64_t, 4>{5'000, 5'000, 5'000, 0}));
  EXPECT_EQ(counts.keys, 5'000u);
  EXPECT_EQ(counts.overflows, 0u);
}

TEST(BucketTable, KeysThatLookAlike) {
  BucketTable table({}, NoKeys());
  // Of one stripe and one first place, and the one that marks an empty place.
  for (const uint64_t key : {0x10ull << 32, 0x20ull << 32, 0x30ull << 32, 0ull}) {
    EXPECT_TRUE(table.Take(key, kOnePerSecond, 0, Outcome::kLimited).token);
    EXPECT_FALSE(table.Take(key, kOnePerSecond, 0, Outcome::kLimited).token);
  }
}

TEST(BucketTable, WhoFindsNoPlaceSharesABucket) {
  BucketTable table({.keys_max = 160}, NoKeys());
  size_t own = 0, passed = 0;
  for (uint64_t number = 0; number < 1'000; ++number) {
    const BucketTable::Result result = table.Take(Key(number), {kSecond, 3}, 0, Outcome::kLimited);
    own += result.overflow ? 0 : 1;
    passed += result.overflow && result.token ? 1 : 0;
  }
  EXPECT_EQ(own, 160u);
  EXPECT_EQ(passed, 3u);  // one bucket of three tokens for all the others
  EXPECT_EQ(table.Read().keys, 160u);
  EXPECT_EQ(table.Read().overflows, 840u);
  // Those that have a place keep it.
  EXPECT_TRUE(table.Take(Key(0), {kSecond, 3}, 0, Outcome::kLimited).token);
}

TEST(BucketTable, WhatIsFullAgainMakesRoom) {
  BucketTable table({.keys_max = 16}, NoKeys());
  const auto fill = [&table](uint64_t first, int64_t now_ns) {
    size_t own = 0;
    for (uint64_t number = first; number < first + 1'000; ++number)
      own += table.Take(Key(number), kOnePerSecond, now_ns, Outcome::kLimited).overflow ? 0 : 1;
    return own;
  };
  EXPECT_EQ(fill(0, 0), 16u);
  EXPECT_EQ(fill(10'000, kSecond - BucketTable::kWalkPauseNs), 0u);
  EXPECT_EQ(fill(20'000, kSecond), 16u);
  EXPECT_EQ(table.Read().keys, 16u);
}

// Somebody who sends ever new keys to a full table, where at any time one bucket or another has just become full, or
// was given its token back, has it walked no more often than once in each pause.
TEST(BucketTable, AFullTableIsSeldomWalked) {
  struct Row {
    std::string_view name;
    bool gives_back;
  };
  for (const Row& row : {Row{"they become full one after another", false}, Row{"their tokens come back", true}}) {
    SCOPED_TRACE(row.name);
    BucketTable table({.keys_max = 16 * 100}, NoKeys());
    uint64_t next = 1;  // of one stripe
    for (; next <= 100; ++next)
      table.Take(next, kOnePerSecond, static_cast<int64_t>(next) * 1'000'000, Outcome::kLimited);
    const int64_t begin = row.gives_back ? kSecond / 2 : kSecond + 1'000'000;
    const BucketTable::Result own{{.token = true}, false};
    std::vector<int64_t> walked_at_ms;
    for (int64_t ms = 0; ms < 50; ++ms) {
      const int64_t now = begin + ms * 1'000'000;
      if (row.gives_back) table.GiveBack(static_cast<uint64_t>(ms + 1), own, kOnePerSecond, now);
      size_t places = 0;
      for (int i = 0; i < 200; ++i)
        places += table.Take(next++, kOnePerSecond, now, Outcome::kLimited).overflow ? 0 : 1;
      if (places > 0) walked_at_ms.push_back(ms);
      EXPECT_EQ(places, ms == 0 ? 1u : ms % 10 == 0 ? 10u : 0u) << ms;
    }
    EXPECT_EQ(walked_at_ms, (std::vector<int64_t>{0, 10, 20, 30, 40}));
  }
}

// Who was refused a moment ago is not forgotten for those who come anew.
TEST(BucketTable, WhatIsNotFullIsNeverForgotten) {
  BucketTable table({.keys_max = 64}, NoKeys());
  EXPECT_TRUE(table.Take(Key(1), {60 * kSecond, 1}, 0, Outcome::kLimited).token);
  for (uint64_t number = 2; number < 10'000; ++number)
    table.Take(Key(number), kOnePerSecond, static_cast<int64_t>(number) * 1'000'000, Outcome::kLimited);
  EXPECT_FALSE(table.Take(Key(1), {60 * kSecond, 1}, 10 * kSecond, Outcome::kLimited).token);
}

TEST(BucketTable, AllTablesTogetherAreBounded) {
  BucketTables tables({.keys_max = 1'000, .all_keys_max = 500});
  const std::shared_ptr<BucketTable> one = tables.Of("one", ""), two = tables.Of("two", "");
  const auto fill = [](BucketTable& table) {
    size_t own = 0;
    for (uint64_t number = 0; number < 400; ++number)
      own += table.Take(Key(number), kOnePerSecond, 0, Outcome::kLimited).overflow ? 0 : 1;
    return own;
  };
  EXPECT_EQ(fill(*one), 400u);
  EXPECT_EQ(fill(*two), 100u);
}

TEST(BucketTable, ATableThatGoesGivesItsKeysBack) {
  BucketTables tables({.keys_max = 1'000, .all_keys_max = 100});
  for (int round = 0; round < 3; ++round) {
    const std::shared_ptr<BucketTable> table = tables.Of("one", "");
    size_t own = 0;
    for (uint64_t number = 0; number < 200; ++number)
      own += table->Take(Key(number), kOnePerSecond, 0, Outcome::kLimited).overflow ? 0 : 1;
    EXPECT_EQ(own, 100u) << round;
  }
}

TEST(BucketTable, GivesBack) {
  BucketTable table({.keys_max = 16}, NoKeys());
  const BucketTable::Result own = table.Take(Key(1), kOnePerSecond, 0, Outcome::kLimited);
  table.GiveBack(Key(1), own, kOnePerSecond, 0);
  EXPECT_TRUE(table.Take(Key(1), kOnePerSecond, 0, Outcome::kLimited).token);
  uint64_t number = 2;
  BucketTable::Result shared;
  while (!shared.overflow)
    shared = table.Take(Key(++number), kOnePerSecond, 0, Outcome::kLimited);
  ASSERT_TRUE(shared.token);
  table.GiveBack(Key(number), shared, kOnePerSecond, 0);
  EXPECT_TRUE(table.Take(Key(number), kOnePerSecond, 0, Outcome::kLimited).token);
  EXPECT_FALSE(table.Take(Key(number), kOnePerSecond, 0, Outcome::kLimited).token);
  // To a key that nobody remembers.
  const size_t keys = table.Read().keys;
  table.GiveBack(Key(99'999), own, kOnePerSecond, 0);
  EXPECT_EQ(table.Read().keys, keys);
}

TEST(BucketTables, AreFoundByNameAndShapeWhileAnybodyHoldsThem) {
  BucketTables tables;
  std::shared_ptr<BucketTable> held = tables.Of("a", "address");
  EXPECT_EQ(tables.Of("a", "address"), held);
  EXPECT_NE(tables.Of("b", "address"), held);
  const std::shared_ptr<BucketTable> other_shape = tables.Of("a", "header");
  EXPECT_NE(other_shape, held);
  held->Take(Key(1), kOnePerSecond, 0, Outcome::kLimited);
  other_shape->Take(Key(1), kOnePerSecond, 0, Outcome::kLimited);
  EXPECT_EQ(tables.Read().at("a").outcomes[0], 2u);
  EXPECT_EQ(tables.Read().size(), 1u);  // b's is gone
  held.reset();
  EXPECT_TRUE(tables.Of("a", "address")->Take(Key(1), kOnePerSecond, 0, Outcome::kLimited).token);
  for (int i = 0; i < 1'000; ++i)
    tables.Of("many" + std::to_string(i), "");
  EXPECT_EQ(tables.Read().size(), 1u);
}

// The workers of a process count together: of all their requests exactly as many pass as one bucket has tokens.
TEST(BucketTable, ThreadsShareIt) {
  BucketTables tables({.keys_max = 1'024});
  constexpr size_t kThreads = 4, kKeys = 50, kRequests = 20'000;
  const Rate rate{3'600 * kSecond, 100};
  std::atomic<size_t> passed = 0;
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&tables, &passed, &rate, t] {
      const std::shared_ptr<BucketTable> table = tables.Of("shared", "");
      std::mt19937_64 random(t);
      for (size_t i = 0; i < kRequests; ++i) {
        const uint64_t key = Key(random() % kKeys);
        const BucketTable::Result result = table->Take(key, rate, 0, Outcome::kLimited);
        if (i % 10 == 0 && result.token) {
          table->GiveBack(key, result, rate, 0);
        } else if (result.token) {
          ++passed;
        }
      }
      EXPECT_GT(tables.Read().at("shared").keys, 0u);
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(passed, kKeys * 100);
}

// Keys that come and go from all sides, so that places move while others are looked up.
TEST(BucketTable, ThreadsMakeRoomForEachOther) {
  BucketTable table({.keys_max = 256}, NoKeys());
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&table, t] {
      for (int64_t i = 0; i < 20'000; ++i)
        table.Take(Key(t * 1'000'000 + static_cast<uint64_t>(i)), {1'000, 1}, i * 100, Outcome::kLimited);
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  const BucketTable::Counts counts = table.Read();
  EXPECT_EQ(counts.outcomes[0] + counts.outcomes[1], 80'000u);
  EXPECT_LE(counts.keys, 256u);
}

}  // namespace
}  // namespace portico::shared
