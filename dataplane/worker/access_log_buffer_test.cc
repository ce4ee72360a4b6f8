#include "dataplane/worker/access_log_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "test/support/scripted_network.h"

namespace portico::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

observe::ExchangeRecord Record() {
  observe::ExchangeRecord record;
  record.method = "GET";
  record.target = "/cart";
  record.status = 200;
  return record;
}

struct World {
  World() {
    buffer = std::make_unique<AccessLogBuffer>(
        loop,
        [this](std::string& lines) {
          if (full) return false;
          taken.push_back(std::exchange(lines, {}));
          return true;
        },
        dropped);
  }
  void Add(int count = 1) {
    for (int i = 0; i < count; ++i)
      buffer->Add(Record());
  }
  static long LineCount(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

  test::ManualLoop loop;
  shared::Counter dropped;
  std::vector<std::string> taken;
  bool full = false;
  std::unique_ptr<AccessLogBuffer> buffer;
};

TEST(AccessLogBuffer, HandsOverWhatIsASecondOld) {
  World world;
  world.Add();
  world.loop.Turn(milliseconds(600));
  world.Add();
  world.loop.Turn(milliseconds(300));
  EXPECT_TRUE(world.taken.empty());
  world.loop.Turn(milliseconds(200));
  ASSERT_EQ(world.taken.size(), 1u);
  EXPECT_EQ(World::LineCount(world.taken[0]), 2);
  EXPECT_TRUE(world.taken[0].starts_with("{") && world.taken[0].ends_with("}\n")) << world.taken[0];
  // The next line's second begins with that line.
  world.loop.Turn(seconds(5));
  world.Add();
  world.loop.Turn(milliseconds(900));
  EXPECT_EQ(world.taken.size(), 1u);
  world.loop.Turn(milliseconds(200));
  EXPECT_EQ(world.taken.size(), 2u);
}

TEST(AccessLogBuffer, HandsOverWhenItIsFull) {
  World world;
  while (world.taken.empty())
    world.Add();
  EXPECT_GE(world.taken[0].size(), AccessLogBuffer::kBytes);
  EXPECT_LT(world.taken[0].size(), AccessLogBuffer::kBytes + 200);
  EXPECT_EQ(world.taken[0].back(), '\n');
  EXPECT_EQ(world.loop.timers().size(), 0u);
}

TEST(AccessLogBuffer, CountsWhatNobodyTakes) {
  World world;
  world.full = true;
  world.Add(3);
  world.buffer->Flush();
  EXPECT_EQ(world.dropped.value(), 3u);
  world.full = false;
  world.Add(2);
  world.buffer->Flush();
  ASSERT_EQ(world.taken.size(), 1u);
  EXPECT_EQ(World::LineCount(world.taken[0]), 2);
  EXPECT_EQ(world.dropped.value(), 3u);
}

TEST(AccessLogBuffer, LosesNothingAtItsEnd) {
  World world;
  world.Add(2);
  world.buffer.reset();
  ASSERT_EQ(world.taken.size(), 1u);
  EXPECT_EQ(World::LineCount(world.taken[0]), 2);
}

TEST(AccessLogBuffer, NothingToSay) {
  World world;
  world.buffer->Flush();
  world.loop.Turn(seconds(5));
  EXPECT_TRUE(world.taken.empty());
  AccessLogBuffer nowhere(world.loop, nullptr, world.dropped);
  nowhere.Add(Record());
  nowhere.Flush();
  EXPECT_EQ(world.dropped.value(), 0u);
  EXPECT_EQ(world.loop.timers().size(), 0u);
}

}  // namespace
}  // namespace portico::worker
