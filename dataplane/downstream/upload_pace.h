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
// grace that slow starters get). Pure.
//
//   UploadPace pace(limits, now, received_bytes);          // when the origin is asked
//   if (now >= pace.window_end() && pace.EndWindow(now, received_bytes, held_back)) …   // 408
class UploadPace {
 public:
  UploadPace(const http::Limits& limits, base::MonotonicTime now, uint64_t received_bytes)
      : window_(std::chrono::seconds(limits.upload_window_seconds)),
        window_bytes_min_(uint64_t{limits.upload_bytes_per_second_min} * limits.upload_window_seconds),
        window_end_(now + window_),
        received_before_(received_bytes) {}

  base::MonotonicTime window_end() const { return window_end_; }
  // True: too slow. `held_back`: we did not take all of it all the time, so the window judges nobody. The next begins.
  bool EndWindow(base::MonotonicTime now, uint64_t received_bytes, bool held_back) {
    const uint64_t came = received_bytes - std::exchange(received_before_, received_bytes);
    window_end_ = now + window_;
    return !held_back && came < window_bytes_min_;
  }

 private:
  const base::Duration window_;
  const uint64_t window_bytes_min_;
  base::MonotonicTime window_end_;
  uint64_t received_before_;
};

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_UPLOAD_PACE_H_
