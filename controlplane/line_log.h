#ifndef PORTICO_CONTROLPLANE_LINE_LOG_H_
#define PORTICO_CONTROLPLANE_LINE_LOG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace portico::controlplane {

// Lines for people, on standard error. Nobody who writes ever waits: changes go on while a terminal is stopped or the
// other end of a pipe is full. What does not fit then is dropped, and the next line that goes out tells how much it
// was; nothing is lost by it that the audit does not have. Any thread.
//
//   LineLog log(STDERR_FILENO, "portico-controlplane");
//   log.Write("revision 7 by alice: 1 created");
class LineLog {
 public:
  static constexpr size_t kLineBytesMax = 4000;  // the rest is cut off: a pipe keeps so much together

  // `name` begins every line. The descriptor stays the caller's: its flags, which it may share with a shell, are not
  // touched. The process ignores SIGPIPE.
  LineLog(int descriptor, std::string name);
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  void Write(std::string_view line);

 private:
  // What is left of `bytes` after as much of it as goes out at once.
  std::string_view Send(std::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string name_;
  const int descriptor_;
  const bool is_socket_;
  const int own_;  // the same pipe or terminal, opened again so that it does not block; -1: it could not be
  absl::Mutex mutex_;
  std::string rest_ ABSL_GUARDED_BY(mutex_);  // of a line that went out in part
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace portico::controlplane

#endif  // PORTICO_CONTROLPLANE_LINE_LOG_H_
