#ifndef PORTICO_DATAPLANE_EXPORT_LOG_FILE_H_
#define PORTICO_DATAPLANE_EXPORT_LOG_FILE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/file_descriptor.h"
#include "dataplane/base/time.h"
#include "dataplane/export/countdown.h"
#include "dataplane/observe/log_output.h"
#include "dataplane/shared/bounded_queue.h"
#include "dataplane/shared/counter.h"
#include "dataplane/shared/mutex.h"
#include "dataplane/shared/thread.h"

namespace portico::exporting {

struct LogTarget {
  enum class Kind : uint8_t { kStandardOutput, kFile, kNone };
  Kind kind = Kind::kNone;
  std::string path;  // of kFile
  bool operator==(const LogTarget&) const = default;
};

// The access log's way out: lines from all workers, written by one thread, so that no worker waits for a disk or for
// whoever reads a pipe.
//
//   LogFile log(warn);                              // discards, until it has a target
//   log.Retarget({LogTarget::Kind::kFile, "/var/log/portico/access.log"});
//   if (!log.TryWrite(lines)) count them as dropped;
//   logrotate renames the file, SIGHUP:  log.Reopen();
//
// Everything but constructor and destructor is called from any thread. Rotation by rename loses no line: what was
// accepted before is in the old file or the new one. A target that can't be opened, a full disk or a pipe without a
// reader drops whole lines, with a warning at most once a second, and is tried again; a line that went out in part is
// ended before the next one begins. A reader that does not read makes lines wait, then TryWrite say no.
class LogFile {
 public:
  // What may wait. At 80,000 exchanges a second of 400 bytes it is a second, which is what a disk that flushes takes
  // at the worst; a longer stall is a fault, and memory is worth more than its lines. Twice as much may be held while
  // one half is being written.
  static constexpr size_t kQueueBytesMax = 32 * 1024 * 1024;
  static constexpr base::Duration kEndWait = std::chrono::seconds(1);
  static constexpr base::Duration kWarningInterval = std::chrono::seconds(1);

  // `warn` gets "access log /var/log/…: no space left on device; lines dropped: 12", on the writer's thread.
  explicit LogFile(std::function<void(std::string)> warn);
  // Writes what waits, for at most kEndWait if somebody has to read it, and ends the thread.
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // Whole lines. Never waits. False: the queue is full, and `lines` is untouched; else it is empty.
  [[nodiscard]] bool TryWrite(std::string& lines);
  // A new configuration. Lines that wait go to the new target; the same target again changes nothing.
  void Retarget(LogTarget target) PORTICO_EXCLUDES(mutex_);
  // Opens a file's path anew; while that fails, the old file goes on being used.
  void Reopen() PORTICO_EXCLUDES(mutex_);

  // Lines that were accepted and could not be written.
  uint64_t dropped_lines() const { return dropped_lines_.value(); }

 private:
  struct HeldBytes {
    size_t operator()(const std::string& lines) const { return lines.capacity(); }
  };
  struct Commands {
    std::optional<LogTarget> target;
    bool reopen = false;
    bool end = false;
  };

  // Writer.
  void Run();
  void Obey();
  void Open();
  void WriteLines(std::string_view lines);
  size_t WriteSome(std::string_view lines);
  void Wait();
  bool OutOfTime() const;
  void Drop(std::string_view lines);
  void Warn(std::string_view what);

  void Tell();

  const std::function<void(std::string)> warn_;
  shared::BoundedQueue<std::string, HeldBytes> queue_{kQueueBytesMax};
  base::FileDescriptor wake_;  // an eventfd: there are commands
  Countdown end_wait_;         // runs from the destructor on
  shared::SharedCounter dropped_lines_;
  shared::Mutex mutex_;
  Commands commands_ PORTICO_GUARDED_BY(mutex_);

  // The writer's alone.
  LogTarget target_;
  std::optional<observe::LogOutput> output_;
  Countdown quiet_;              // after a warning
  uint64_t warned_dropped_ = 0;  // of dropped_lines_: has been said
  bool reopen_due_ = false;      // output_ is a file that was rotated away
  bool within_line_ = false;     // what output_ took last did not end a line
  bool skip_rest_ = false;       // of a line whose beginning went to another output
  bool torn_ = false;            // output_ ends in a line whose rest was dropped
  bool ready_ = false;           // poll said so, and nothing was taken since
  bool stalled_ = false;         // the reader does not read, and that has been said
  bool ending_ = false;

  shared::Thread thread_;
};

}  // namespace portico::exporting

#endif  // PORTICO_DATAPLANE_EXPORT_LOG_FILE_H_
