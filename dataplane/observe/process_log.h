#ifndef PORTICO_DATAPLANE_OBSERVE_PROCESS_LOG_H_
#define PORTICO_DATAPLANE_OBSERVE_PROCESS_LOG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/time.h"
#include "dataplane/observe/log_output.h"
#include "dataplane/shared/counter.h"
#include "dataplane/shared/mutex.h"

namespace portico::observe {

enum class Severity : uint8_t { kError, kWarning, kInfo, kDebug };

// "error", "warning", "info", "debug", and back.
std::string_view SeverityName(Severity severity);
std::optional<Severity> ParseSeverity(std::string_view name);

// What the process says of itself, on standard error: a start, a configuration that was refused, a file that can't be
// written. Nothing per exchange. From any thread; nothing waits: what a reader does not take is dropped, and how much
// is said once it reads again.
//
//   ProcessLog log(STDERR_FILENO, ReadWallClock);
//   log.Write(Severity::kInfo, "configuration 7 is in use");
//   → 2026-11-25T22:00:00.123Z info configuration 7 is in use
class ProcessLog {
 public:
  // A line stays below what a pipe keeps together, so lines of several processes do not mix.
  static constexpr size_t kTextBytesMax = 4000;

  // `fd` stays the caller's and is never made non-blocking. `now` is called from any thread that writes. The process
  // ignores SIGPIPE.
  ProcessLog(int fd, std::function<base::WallTime()> now);
  ProcessLog(const ProcessLog&) = delete;
  ProcessLog& operator=(const ProcessLog&) = delete;

  // One line. Control characters and what is not UTF-8 are escaped ("\n", "\x1b"), and more than kTextBytesMax is cut
  // ("…"): the text may hold a peer's bytes. A backslash stays as it is.
  void Write(Severity severity, std::string_view text) PORTICO_EXCLUDES(mutex_);

  // What is less severe is not written.
  Severity level() const { return static_cast<Severity>(level_.value()); }
  void set_level(Severity level) { level_.Set(static_cast<int64_t>(level)); }

 private:
  std::string Line(Severity severity, std::string_view text) const;
  bool WriteRest() PORTICO_REQUIRES(mutex_);

  const std::function<base::WallTime()> now_;
  shared::Gauge level_;
  shared::Mutex mutex_;
  std::optional<LogOutput> output_ PORTICO_GUARDED_BY(mutex_);  // none: there is no such descriptor
  std::string rest_ PORTICO_GUARDED_BY(mutex_);                 // of a line that went out in part
  uint64_t dropped_ PORTICO_GUARDED_BY(mutex_) = 0;
};

}  // namespace portico::observe

#endif  // PORTICO_DATAPLANE_OBSERVE_PROCESS_LOG_H_
