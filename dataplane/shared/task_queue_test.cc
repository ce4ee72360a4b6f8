#include "dataplane/shared/task_queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace portico::shared {
namespace {

TEST(TaskQueue, AsksForOneWakePerSleep) {
  TaskQueue queue;
  EXPECT_FALSE(queue.Push([] {})) << "the consumer has never slept";
  EXPECT_FALSE(queue.PrepareToSleep()) << "a task is waiting";
  EXPECT_EQ(queue.TakeAll().size(), 1u);
  EXPECT_TRUE(queue.PrepareToSleep());
  EXPECT_TRUE(queue.Push([] {}));
  EXPECT_FALSE(queue.Push([] {})) << "somebody is waking it already";
  EXPECT_EQ(queue.TakeAll().size(), 2u);
  EXPECT_FALSE(queue.Push([] {})) << "it is awake";
}

TEST(TaskQueue, TakingMarksTheConsumerAwakeEvenWhenNothingCame) {
  TaskQueue queue;
  EXPECT_TRUE(queue.PrepareToSleep());
  EXPECT_TRUE(queue.TakeAll().empty());
  EXPECT_FALSE(queue.Push([] {}));
}

TEST(TaskQueue, KeepsTheOrderOfEachThread) {
  TaskQueue queue;
  constexpr int kTasks = 1000;
  int next[2] = {0, 0};
  std::thread threads[2];
  for (int thread = 0; thread < 2; ++thread)
    threads[thread] = std::thread([&queue, &next, thread] {
      for (int i = 0; i < kTasks; ++i)
        (void)queue.Push([&next, thread, i] { EXPECT_EQ(next[thread]++, i); });
    });
  for (std::thread& thread : threads)
    thread.join();
  for (TaskQueue::Task& task : queue.TakeAll())
    task();
  EXPECT_EQ(next[0], kTasks);
  EXPECT_EQ(next[1], kTasks);
}

}  // namespace
}  // namespace portico::shared
