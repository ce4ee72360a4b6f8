#include "dataplane/offload/job_thread.h"

#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace portico::offload {
namespace {

// A loop that turns when it is told to.
class TestLoop : public base::Poster {
 public:
  void Post(std::function<void()> task) override {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    posted_.notify_one();
  }

  // Waits for a task.
  void RunOne() {
    std::unique_lock lock(mutex_);
    posted_.wait(lock, [this] { return !tasks_.empty(); });
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
  }

  size_t RunAll() {
    size_t count = 0;
    for (; !tasks_.empty(); ++count)
      RunOne();
    return count;
  }

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> tasks_;
};

// A job that begins, and ends when it is let go.
struct Gate {
  std::promise<void> begun;
  std::promise<void> let_go;
  std::function<int()> Work() {
    return [this] {
      begun.set_value();
      let_go.get_future().wait();
      return 1;
    };
  }
};

TEST(JobThread, WorkElsewhereResultHere) {
  TestLoop loop;
  JobThread jobs("test", loop, 2);
  std::thread::id work, done;
  std::unique_ptr<int> got;
  ASSERT_TRUE(jobs.TryRun<std::shared_ptr<int>>(
      [&work] {
        work = std::this_thread::get_id();
        return std::make_shared<int>(7);
      },
      [&](std::shared_ptr<int> result) {
        done = std::this_thread::get_id();
        got = std::make_unique<int>(*result);
        EXPECT_EQ(result.use_count(), 1) << "it is the receiver's alone";
      }));
  loop.RunOne();
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(*got, 7);
  EXPECT_EQ(done, std::this_thread::get_id());
  EXPECT_NE(work, done);
}

TEST(JobThread, OneAfterAnother) {
  TestLoop loop;
  JobThread jobs("test", loop, 100);
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(jobs.TryRun<int>([i] { return i; }, [&order](int result) { order.push_back(result); }));
  }
  for (int i = 0; i < 100; ++i)
    loop.RunOne();
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(JobThread, Full) {
  TestLoop loop;
  JobThread jobs("test", loop, 2);
  Gate gate;
  int done = 0;
  const auto count = [&done](int) { ++done; };
  ASSERT_TRUE(jobs.TryRun<int>(gate.Work(), count));
  gate.begun.get_future().wait();
  EXPECT_TRUE(jobs.TryRun<int>([] { return 0; }, count));
  EXPECT_TRUE(jobs.TryRun<int>([] { return 0; }, count));
  EXPECT_FALSE(jobs.TryRun<int>([] { return 0; }, count));
  gate.let_go.set_value();
  for (int i = 0; i < 3; ++i)
    loop.RunOne();
  EXPECT_EQ(done, 3);
  ASSERT_TRUE(jobs.TryRun<int>([] { return 0; }, count));
  loop.RunOne();
  EXPECT_EQ(done, 4);
}

// What `work` holds is destroyed on its thread, before the result is told.
TEST(JobThread, WorkDiesOnItsThread) {
  TestLoop loop;
  JobThread jobs("test", loop, 1);
  std::thread::id died;
  std::shared_ptr<int> held(new int(0), [&died](int* number) {
    died = std::this_thread::get_id();
    delete number;
  });
  ASSERT_TRUE(jobs.TryRun<int>([held = std::move(held)] { return *held; }, [](int) {}));
  loop.RunOne();
  EXPECT_NE(died, std::thread::id());
  EXPECT_NE(died, std::this_thread::get_id());
}

TEST(JobThread, DestroyedWhileAJobIsUnderWay) {
  TestLoop loop;
  auto jobs = std::make_unique<JobThread>("test", loop, 2);
  Gate gate;
  bool finished = false;
  int done = 0;
  ASSERT_TRUE(jobs->TryRun<int>(
      [&, work = gate.Work()] {
        work();
        finished = true;
        return 0;
      },
      [&done](int) { ++done; }));
  gate.begun.get_future().wait();
  ASSERT_TRUE(jobs->TryRun<int>([] { return 0; }, [&done](int) { ++done; }));
  std::thread later([&gate] { gate.let_go.set_value(); });
  jobs.reset();
  EXPECT_TRUE(finished) << "waited for";
  later.join();
  loop.RunAll();
  EXPECT_EQ(done, 0);
}

TEST(JobThread, DestroyedBeforeItsResultIsTold) {
  TestLoop loop;
  auto jobs = std::make_unique<JobThread>("test", loop, 1);
  std::promise<void> ran;
  bool done = false;
  ASSERT_TRUE(jobs->TryRun<int>(
      [&ran] {
        ran.set_value();
        return 0;
      },
      [&done](int) { done = true; }));
  ran.get_future().wait();
  jobs.reset();
  EXPECT_EQ(loop.RunAll(), 1u);
  EXPECT_FALSE(done);
}

TEST(JobThread, DestroyedByItsResult) {
  TestLoop loop;
  auto jobs = std::make_unique<JobThread>("test", loop, 1);
  ASSERT_TRUE(jobs->TryRun<int>([] { return 0; }, [&jobs](int) { jobs.reset(); }));
  loop.RunOne();
  EXPECT_EQ(jobs, nullptr);
}

}  // namespace
}  // namespace portico::offload
