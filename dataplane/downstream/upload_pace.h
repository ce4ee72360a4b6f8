#ifndef PORTICO_DATAPLANE_DOWNSTREAM_UPLOAD_PACE_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_UPLOAD_PACE_H_

#include <chrono>
#include <cstdint>
#include <utility>

#include "dataplane/base/time.h"
#include "dataplane/http/limits.h"

namespace portico::downstream {

// Whether a client sends its content at a pace that is worth the origin's connection that waits for it: at least
// Limits::upload_bytes_per_second_min on average over each window of upload_window_seconds (the first of them is the
// grace that slow starters get). All content of its connection counts: with HTTP/2 a client may send its uploads one
// after the other, and one that waits for its turn does not drip. Pure.
//
//   UploadPace pace(limits, now, content_bytes);          // when the origin is asked; content_bytes: of the connection
//   if (now >= pace.window_end() && pace.EndWindow(now, content_bytes, held_back)) …   // 408
class UploadPace {
 public:
  // A window that brought too little is looked at again after this. If the process itself was held up (it was stopped,
  // its machine slept), content waits in the socket, and timers come before it is read.
  static constexpr base::Duration kSecondLook = std::chrono::seconds(1);

  // A pace of 0 is never too slow.
  UploadPace(const http::Limits& limits, base::MonotonicTime now, uint64_t content_bytes)
      : window_(std::chrono::seconds(limits.upload_window_seconds)),
        window_bytes_min_(uint64_t{limits.upload_bytes_per_second_min} * limits.upload_window_seconds),
        window_end_(now + window_),
        bytes_before_(content_bytes) {}

  base::MonotonicTime window_end() const { return window_end_; }
  // True: too slow. `held_back`: we did not take all of it all the time, so the window judges nobody. The next begins.
  bool EndWindow(base::MonotonicTime now, uint64_t content_bytes, bool held_back) {
    held_back_ = held_back_ || held_back;
    const bool too_slow = !held_back_ && content_bytes - bytes_before_ < window_bytes_min_;
    const bool again = too_slow && !std::exchange(looked_again_, too_slow);
    window_end_ = now + (again ? kSecondLook : window_);
    if (again) return false;
    bytes_before_ = content_bytes;
    held_back_ = looked_again_ = false;
    return too_slow;
  }

 private:
  const base::Duration window_;
  const uint64_t window_bytes_min_;
  base::MonotonicTime window_end_;
  uint64_t bytes_before_;
  bool held_back_ = false;
  bool looked_again_ = false;
};

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_UPLOAD_PACE_H_
