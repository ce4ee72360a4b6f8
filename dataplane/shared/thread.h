#ifndef PORTICO_DATAPLANE_SHARED_THREAD_H_
#define PORTICO_DATAPLANE_SHARED_THREAD_H_

#include <functional>
#include <string>
#include <thread>

namespace portico::shared {

// A thread that runs `body` once. Every signal is blocked in it from its first instruction, so signals go to the
// thread that watches them and a write to a closed pipe is an EPIPE. Make it the last member of its owner: it begins
// at once, and the destructor waits for its end, which the owner must have asked for.
class Thread {
 public:
  // The name is what ps and a debugger show: at most 15 bytes.
  Thread(const std::string& name, std::function<void()> body);
  ~Thread() { thread_.join(); }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

 private:
  std::thread thread_;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_THREAD_H_
