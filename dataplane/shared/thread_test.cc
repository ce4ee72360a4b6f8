#include "dataplane/shared/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <future>
#include <string>

namespace portico::shared {
namespace {

TEST(Thread, IsJoinedByItsDestructor) {
  std::promise<void> go;
  std::atomic<bool> ended = false;
  {
    Thread thread("test-join", [&go, &ended] {
      go.get_future().wait();
      ended = true;
    });
    go.set_value();
  }
  EXPECT_TRUE(ended);
}

TEST(Thread, HasItsNameAndTakesNoSignal) {
  std::promise<void> named;
  std::string name;
  sigset_t inside;
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    Thread thread("test-name", [&] {
      named.get_future().wait();
      char text[16] = {};
      pthread_getname_np(pthread_self(), text, sizeof text);
      name = text;
      pthread_sigmask(SIG_SETMASK, nullptr, &inside);
    });
    named.set_value();
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(name, "test-name");
  for (int number : {SIGTERM, SIGHUP, SIGPIPE, SIGINT}) {
    EXPECT_EQ(sigismember(&inside, number), 1) << number;
    EXPECT_EQ(sigismember(&after, number), sigismember(&before, number)) << number;
  }
}

}  // namespace
}  // namespace portico::shared
