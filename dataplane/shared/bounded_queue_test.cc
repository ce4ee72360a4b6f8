#include "dataplane/shared/bounded_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace portico::shared {
namespace {

TEST(BoundedQueue, RefusesWhatIsTooMuchAndLeavesTheValue) {
  BoundedQueue<std::string> queue(1);
  std::string first = "first", second = "second";
  EXPECT_TRUE(queue.TryPush(first));
  EXPECT_FALSE(queue.TryPush(second));
  EXPECT_EQ(second, "second");
  EXPECT_EQ(queue.TakeAll().values.size(), 1u);
  EXPECT_TRUE(queue.TryPush(second));
}

struct Bytes {
  size_t operator()(const std::string& value) const { return value.size(); }
};

TEST(BoundedQueue, BoundsWhatItsValuesCost) {
  BoundedQueue<std::string, Bytes> queue(10);
  std::string eleven(11, 'a'), six(6, 'b'), five(5, 'c'), four(4, 'd'), one(1, 'e');
  EXPECT_FALSE(queue.TryPush(eleven));
  EXPECT_TRUE(queue.TryPush(six));
  EXPECT_FALSE(queue.TryPush(five));
  EXPECT_TRUE(queue.TryPush(four));
  EXPECT_FALSE(queue.TryPush(one));
  EXPECT_EQ(queue.TakeAll().values.size(), 2u);
  EXPECT_TRUE(queue.TryPush(five));
}

TEST(BoundedQueue, ANoteIsNeverRefusedAndGivenOnce) {
  BoundedQueue<int> queue(1);
  int value = 1;
  EXPECT_TRUE(queue.TryPush(value));
  queue.Note();
  queue.Note();
  EXPECT_TRUE(queue.TakeAll().noted);
  EXPECT_TRUE(queue.TryPush(value));
  EXPECT_FALSE(queue.TakeAll().noted);
}

TEST(BoundedQueue, GivesWhatIsLeftWhenClosed) {
  BoundedQueue<int> queue(2);
  int value = 7;
  EXPECT_TRUE(queue.TryPush(value));
  queue.Close();
  EXPECT_FALSE(queue.TryPush(value));
  auto taken = queue.TakeAll();
  EXPECT_TRUE(taken.closed);
  EXPECT_EQ(taken.values.size(), 1u);
}

TEST(BoundedQueue, LosesNothingBetweenThreads) {
  BoundedQueue<int> queue(8);
  size_t received = 0;
  std::thread consumer([&queue, &received] {
    for (;;) {
      auto taken = queue.TakeAll();
      received += taken.values.size();
      if (taken.closed) break;
    }
  });
  size_t accepted[2] = {0, 0};
  std::vector<std::thread> producers;
  for (size_t& count : accepted)
    producers.emplace_back([&queue, &count] {
      for (int i = 0; i < 1000; ++i)
        count += queue.TryPush(i);
    });
  for (std::thread& producer : producers)
    producer.join();
  queue.Close();
  consumer.join();
  EXPECT_EQ(received, accepted[0] + accepted[1]);
}

}  // namespace
}  // namespace portico::shared
