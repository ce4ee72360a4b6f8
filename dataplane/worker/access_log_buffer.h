#ifndef PORTICO_DATAPLANE_WORKER_ACCESS_LOG_BUFFER_H_
#define PORTICO_DATAPLANE_WORKER_ACCESS_LOG_BUFFER_H_

#include <cstddef>
#include <functional>
#include <string>

#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/observe/access_log.h"
#include "dataplane/shared/counter.h"

namespace portico::worker {

// One worker's lines of the access log, until they are worth handing over: kBytes of them, or the oldest kAgeMax old.
// What is not taken is dropped and counted; nothing ever waits for the log.
class AccessLogBuffer : private event::Timer::Handler {
 public:
  static constexpr size_t kBytes = 64 * 1024;
  static constexpr base::Duration kAgeMax = std::chrono::seconds(1);

  // exporting::LogFile::TryWrite: takes whole lines and leaves the string empty, or refuses and leaves it alone.
  using Sink = std::function<bool(std::string& lines)>;

  // All outlive it; without a sink nothing is written and nothing counts as dropped. Hands over what is left when it
  // dies.
  AccessLogBuffer(event::Loop& loop, Sink sink, shared::Counter& dropped_lines);
  ~AccessLogBuffer() override;

  void Add(const observe::ExchangeRecord& record);
  void Flush();

 private:
  // Beyond kBytes: room for the line that fills it up, so that seldom one of them makes the text grow.
  static constexpr size_t kLineBytes = 4 * 1024;

  void OnTimer(event::Timer& timer) override { Flush(); }

  event::Loop& loop_;
  const Sink sink_;
  shared::Counter& dropped_lines_;
  std::string lines_;
  size_t line_count_ = 0;
  event::Timer timer_;
};

}  // namespace portico::worker

#endif  // PORTICO_DATAPLANE_WORKER_ACCESS_LOG_BUFFER_H_
