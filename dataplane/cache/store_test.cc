#include "dataplane/cache/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "dataplane/cache/content.h"

namespace portico::cache {
namespace {

using std::chrono::seconds;
using Lines = std::vector<std::pair<std::string, std::string>>;

constexpr base::WallTime kNow{seconds(784111777)};
constexpr std::string_view kNoon = "Sun, 06 Nov 1994 08:49:37 GMT", kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";

struct Request {
  explicit Request(const Lines& lines = {}, std::string_view rule = "a rule", std::string key = "http://shop.example/a")
      : asks{std::move(key), Identity({.stores = true, .rule = std::string(rule)}, head), {}, false, &head} {
    for (const auto& [name, value] : lines)
      head.fields.Add(name, value);
  }
  base::Arena arena;
  http::RequestHead head{arena};
  CacheRequest asks;
};

struct World {
  explicit World(size_t bytes_max = 1 << 20) : own(std::make_unique<Store>(bytes_max)), store(*own) {}
  explicit World(Store& shared) : store(shared) {}

  // With `length` bytes of content; nullptr: no room.
  std::shared_ptr<StoredResponse> Make(const Request& request, const Lines& lines, size_t length = 1) {
    auto stored = std::make_shared<StoredResponse>(store.NewHold(), request.asks.identity);
    http::ResponseHead head(arena);
    head.status = 200;
    for (const auto& [name, value] : lines)
      head.fields.Add(name, value);
    ReadHead(head, request.head.fields, {now, now, kNow}, *stored);
    auto content = std::make_shared<Content>(store.NewHold());
    if (!store.Grow(stored->hold, stored->bytes())) return nullptr;
    if (!store.Grow(content->hold(), sizeof(Content) + content->BytesFor(length, length))) return nullptr;
    content->Append(std::string(length, 'x'), length);
    stored->content = std::move(content);
    stored->length = length;
    return stored;
  }
  bool Put(const Request& request, std::shared_ptr<const StoredResponse> stored,
           const StoredResponse* replaced = nullptr) {
    return store.Put(request.asks.key, std::move(stored), store.Generation(request.asks.key), replaced);
  }
  const StoredResponse* Find(const Request& request) { return store.Find(request.asks).response.get(); }

  const std::unique_ptr<Store> own;
  Store& store;
  base::Arena arena;
  base::MonotonicTime now{seconds(100)};
};

// Section 4: the most recent, by date.
TEST(StoreTest, TheMoreRecentStays) {
  struct Row {
    std::string_view name, first, second;
    base::Duration later;  // the second was answered
    bool second_stays;
  };
  const Row rows[] = {
      {"a later date", kBefore, kNoon, seconds(0), true},
      {"a later date that was answered before", kBefore, kNoon, -seconds(5), true},
      {"an older date, though it came later", kNoon, kBefore, seconds(5), false},
      {"within one second: what was answered later", kNoon, kNoon, seconds(1), true},
      {"within one second: what was answered before", kNoon, kNoon, -seconds(1), false},
      {"no date: when it came", "", "", seconds(1), true},
  };
  for (const Row& row : rows) {
    for (const bool replaces : {false, true}) {
      World world;
      const Request request;
      const auto lines = [](std::string_view date) {
        return date.empty() ? Lines() : Lines{{"date", std::string(date)}};
      };
      const auto first = world.Make(request, lines(row.first));
      world.now += row.later;
      const auto second = world.Make(request, lines(row.second));
      EXPECT_TRUE(world.Put(request, first)) << row.name;
      const bool stays = row.second_stays || replaces;
      EXPECT_EQ(world.Put(request, second, replaces ? first.get() : nullptr), stays) << row.name;
      EXPECT_EQ(world.Find(request), stays ? second.get() : first.get()) << row.name;
    }
  }
}

// Of variants that all are for the request, too, whichever was stored the last.
TEST(StoreTest, TheMostRecentVariantIsFound) {
  World world;
  const Request german({{"accept-language", "de"}}), plain;
  const auto newer = world.Make(german, {{"date", std::string(kNoon)}, {"vary", "accept-language"}});
  const auto older = world.Make(german, {{"date", std::string(kBefore)}});
  EXPECT_TRUE(world.Put(german, newer));
  EXPECT_TRUE(world.Put(german, older));
  EXPECT_EQ(world.Find(german), newer.get());
  EXPECT_EQ(world.Find(plain), older.get());
}

TEST(StoreTest, WhatIsFoundIsForTheRequest) {
  struct Row {
    std::string_view name;
    Lines lines;
    std::string rule, key;
    bool found, known;
  };
  const std::string key = "http://shop.example/a";
  const Row rows[] = {
      {"the same", {{"x", "1"}}, "a rule", key, true, true},
      {"another value", {{"x", "2"}}, "a rule", key, false, true},
      {"none", {}, "a rule", key, false, true},
      {"another rule", {{"x", "1"}}, "another", key, false, false},
      {"another URI", {{"x", "1"}}, "a rule", "http://shop.example/b", false, false},
  };
  World world;
  const Request first({{"x", "1"}});
  EXPECT_TRUE(world.Put(first, world.Make(first, {{"vary", "x"}})));
  for (const Row& row : rows) {
    const Request request(row.lines, row.rule, row.key);
    const Store::Found found = world.store.Find(request.asks);
    EXPECT_EQ(found.response != nullptr, row.found) << row.name;
    EXPECT_EQ(found.known, row.known) << row.name;
  }
}

TEST(StoreTest, VariantsAreBounded) {
  World world;
  for (size_t i = 0; i <= Store::kVariantsMax; ++i) {
    const Request request({{"x", std::to_string(i)}});
    EXPECT_TRUE(world.Put(request, world.Make(request, {{"vary", "x"}})));
  }
  EXPECT_EQ(world.Find(Request({{"x", "0"}})), nullptr) << "the oldest went";
  EXPECT_NE(world.Find(Request({{"x", "1"}})), nullptr);
  EXPECT_EQ(world.store.size(), 1u);
}

TEST(StoreTest, WhatWasAskedForBeforeAnInvalidationIsRefused) {
  World world;
  const Request request;
  const uint64_t before = world.store.Generation(request.asks.key);
  world.store.Invalidate(request.asks.key);
  EXPECT_FALSE(world.store.Put(request.asks.key, world.Make(request, {}), before, nullptr));
  EXPECT_EQ(world.store.size(), 0u);
  EXPECT_TRUE(world.Put(request, world.Make(request, {})));
}

Request Numbered(int number) {
  return Request({}, "a rule", "http://shop.example/" + std::to_string(number));
}

// To let go of what a slow client is still being sent brings nothing: it stays, and so does all else if that would not
// do.
TEST(StoreTest, NothingIsEvictedInVain) {
  constexpr size_t kBytesMax = 200'000;
  struct Row {
    std::string_view name;
    int in_use;      // of ten
    size_t missing;  // beside the room that there is
    bool has_room;
  };
  const Row rows[] = {
      {"room without anybody's going", 10, 0, true},
      {"what is not in use gives way", 5, 20'000, true},
      {"all are in use", 10, 1, false},
      {"those that are not would not do", 8, 60'000, false},
      {"more than there may be", 0, kBytesMax, false},
  };
  for (const Row& row : rows) {
    World world(kBytesMax);
    std::vector<std::shared_ptr<const StoredResponse>> in_use;
    for (int i = 0; i < 10; ++i) {
      const auto stored = world.Make(Numbered(i), {}, 9'000);
      ASSERT_NE(stored, nullptr);
      ASSERT_TRUE(world.Put(Numbered(i), stored));
      if (i < row.in_use) in_use.push_back(stored);
    }
    shared::ByteHold hold = world.store.NewHold();
    EXPECT_EQ(world.store.Grow(hold, kBytesMax - world.store.bytes() + row.missing), row.has_room) << row.name;
    EXPECT_EQ(world.store.evictions() > 0, row.has_room && row.missing > 0) << row.name;
    for (int i = 0; i < row.in_use; ++i)
      EXPECT_NE(world.Find(Numbered(i)), nullptr) << row.name;
    EXPECT_LE(world.store.bytes(), kBytesMax);
  }
}

// One content that is sent is one that is in use, though its response was refreshed meanwhile.
TEST(StoreTest, ContentInUseStays) {
  World world(20'000);  // of which 15,000 are wanted
  const Request request;
  auto stored = world.Make(request, {}, 9'000);
  const std::shared_ptr<const Content> sent = stored->content;
  ASSERT_TRUE(world.Put(request, std::move(stored)));
  shared::ByteHold hold = world.store.NewHold();
  EXPECT_FALSE(world.store.Grow(hold, 15'000));
  EXPECT_NE(world.Find(request), nullptr);
}

TEST(StoreTest, ALowerLimitLeavesWhatIsBeingSent) {
  World world;
  std::shared_ptr<const StoredResponse> in_use = world.Make(Numbered(0), {});
  EXPECT_TRUE(world.Put(Numbered(0), in_use));
  EXPECT_TRUE(world.Put(Numbered(1), world.Make(Numbered(1), {})));
  world.store.set_bytes_max(0);
  EXPECT_EQ(world.store.size(), 1u);
  EXPECT_EQ(world.store.evictions(), 1u);
  in_use.reset();
  world.store.set_bytes_max(0);
  EXPECT_EQ(world.store.size(), 0u);
  EXPECT_EQ(world.store.bytes(), 0u);
}

// What tsan looks at; and that no byte is lost, and nothing that was purged is there.
TEST(StoreTest, SeveralThreads) {
  Store store(60'000);
  std::atomic<int> running = 3;
  std::vector<std::thread> threads;
  for (int number = 0; number < 3; ++number) {
    threads.emplace_back([&, number] {
      std::shared_ptr<const StoredResponse> sent;
      for (int i = 0; i < 400; ++i) {
        World world(store);
        const Request request({{"x", std::to_string((i + number) % 3)}}, "a rule", Numbered(i % 7).asks.key);
        const uint64_t generation = store.Generation(request.asks.key);
        const Store::Found found = store.Find(request.asks);
        if (found.response != nullptr) {
          EXPECT_EQ(found.response->content->RunAt(0).size(), 2'000u);
          sent = found.response;
        }
        world.now += seconds(i);
        auto stored = world.Make(request, {{"vary", "x"}}, 2'000);
        if (stored != nullptr) store.Put(request.asks.key, std::move(stored), generation, found.response.get());
        if (i % 13 == 0) store.Invalidate(request.asks.key);
      }
      --running;
    });
  }
  for (int i = 0; running > 0; ++i) {
    store.Obey({{"p", std::to_string(i), {"", "/1"}}});
    store.set_bytes_max(i % 2 == 0 ? 60'000 : 30'000);
  }
  for (std::thread& thread : threads)
    thread.join();
  store.Obey({{"p", "the last", {"", "/"}}});
  EXPECT_EQ(store.size(), 0u);
  EXPECT_EQ(store.bytes(), 0u);
}

TEST(StoreTest, WhatIsOnItsWayInHasAPart) {
  Store store(1000);
  shared::ByteHold filling = store.NewFillingHold();
  EXPECT_FALSE(filling.Grow(501));
  EXPECT_TRUE(filling.Grow(500));
  store.set_bytes_max(2000);
  EXPECT_TRUE(filling.Grow(500));
  EXPECT_EQ(store.filling_bytes(), 1000u);
  EXPECT_EQ(store.bytes(), 0u);
}

}  // namespace
}  // namespace portico::cache
