#include "dataplane/shared/thread.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

#include "api/base/check.h"

namespace portico::shared {

namespace {

// Blocks every signal in this thread while it lives; a thread made meanwhile inherits that.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    PORTICO_CHECK(pthread_sigmask(SIG_SETMASK, &all, &before_) == 0);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

std::thread Start(std::function<void()> body) {
  const AllSignalsBlocked blocked;
  return std::thread(std::move(body));
}

}  // namespace

Thread::Thread(const std::string& name, std::function<void()> body) : thread_(Start(std::move(body))) {
  PORTICO_CHECK(pthread_setname_np(thread_.native_handle(), name.c_str()) == 0, "a thread's name has at most 15 bytes");
}

}  // namespace portico::shared
