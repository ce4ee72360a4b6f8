#include "dataplane/export/log_file.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/base/errno_text.h"

namespace portico::exporting {

namespace {

constexpr int kStallMilliseconds = 1000;  // without any reading: worth a warning
constexpr int kVainMilliseconds = 50;     // until a terminal that said it is ready, and was not, is asked again

absl::StatusOr<observe::LogOutput> OpenTarget(const LogTarget& target) {
  return target.kind == LogTarget::Kind::kFile ? observe::LogOutput::Open(target.path)
                                               : observe::LogOutput::Share(STDOUT_FILENO);
}

// With its '\n', if it has one.
std::string_view FirstLine(std::string_view lines) {
  const size_t end = lines.find('\n');
  return end == std::string_view::npos ? lines : lines.substr(0, end + 1);
}

}  // namespace

LogFile::LogFile(std::function<void(std::string)> warn)
    : warn_(std::move(warn)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), thread_("access-log", [this] { Run(); }) {
  PORTICO_CHECK(wake_.valid(), "no descriptor left for an eventfd");
}

LogFile::~LogFile() {
  end_wait_.Start(kEndWait);
  {
    shared::MutexLock lock(mutex_);
    commands_.end = true;
  }
  queue_.Close();
  Tell();
}

bool LogFile::TryWrite(std::string& lines) {
  if (lines.empty()) return true;
  if (!queue_.TryPush(lines)) return false;
  lines.clear();
  return true;
}

void LogFile::Retarget(LogTarget target) {
  {
    shared::MutexLock lock(mutex_);
    commands_.target = std::move(target);
  }
  Tell();
}

void LogFile::Reopen() {
  {
    shared::MutexLock lock(mutex_);
    commands_.reopen = true;
  }
  Tell();
}

// The writer waits in the queue or in poll.
void LogFile::Tell() {
  queue_.Note();
  const uint64_t one = 1;
  // It can fail only when the counter is full, and then the writer wakes anyway.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void LogFile::Run() {
  for (;;) {
    auto taken = queue_.TakeAll();
    Obey();
    for (std::string& lines : taken.values) {
      WriteLines(lines);
      lines = {};  // a batch may take long, and others need the memory
      Obey();
    }
    if (taken.closed) break;
  }
  if (dropped_lines() > warned_dropped_) Warn("ended before all was written");
}

void LogFile::Obey() {
  Commands commands;
  {
    shared::MutexLock lock(mutex_);
    commands = std::exchange(commands_, {});
  }
  ending_ |= commands.end;
  if (commands.target && *commands.target != target_) {
    target_ = *std::move(commands.target);
    output_.reset();
    skip_rest_ |= std::exchange(within_line_, false);
    torn_ = false;
    Open();
  } else if (commands.reopen && target_.kind == LogTarget::Kind::kFile) {
    Open();
  }
}

// On failure whatever is open stays in use, and WriteSome tries again.
void LogFile::Open() {
  reopen_due_ = false;
  if (target_.kind == LogTarget::Kind::kNone) return;
  absl::StatusOr<observe::LogOutput> opened = OpenTarget(target_);
  if (!opened.ok()) {
    reopen_due_ = true;
    Warn(base::Concat("cannot be opened: ", base::ToStd(opened.status().message())));
    return;
  }
  output_.emplace(*std::move(opened));
  stalled_ = false;
  // A FIFO opened anew amid a line still holds the beginning.
  torn_ = std::exchange(within_line_, false);
  skip_rest_ |= torn_;
}

void LogFile::WriteLines(std::string_view lines) {
  while (!lines.empty())
    lines.remove_prefix(WriteSome(lines));
  torn_ |= std::exchange(within_line_, false);
}

// Returns how much was written or dropped.
size_t LogFile::WriteSome(std::string_view lines) {
  if (target_.kind == LogTarget::Kind::kNone) return lines.size();
  if (std::exchange(skip_rest_, false)) {
    const std::string_view rest = FirstLine(lines);
    Drop(rest);
    return rest.size();
  }
  if ((!output_ || reopen_due_) && !quiet_.running()) Open();
  if (!output_ || OutOfTime()) {
    Drop(lines);
    return lines.size();
  }
  const observe::LogOutput::Result result = output_->Write(torn_ ? "\n" : lines);
  if (result.would_wait()) {
    Wait();
    return 0;
  }
  if (result.error != 0) {
    Drop(lines);
    if (!quiet_.running()) Warn(base::ErrnoText(result.error));
    return lines.size();
  }
  ready_ = stalled_ = false;
  if (std::exchange(torn_, false)) return 0;
  within_line_ = lines[result.written - 1] != '\n';
  return result.written;
}

// For a reader, or a command, or the end's time to be over.
void LogFile::Wait() {
  const bool in_vain = std::exchange(ready_, false);
  struct pollfd waited[] = {
      {in_vain ? -1 : output_->fd(), POLLOUT, 0}, {wake_.get(), POLLIN, 0}, {ending_ ? end_wait_.fd() : -1, POLLIN, 0}};
  const int count = ::poll(waited, std::size(waited), in_vain ? kVainMilliseconds : stalled_ ? -1 : kStallMilliseconds);
  if (count == 0 && !in_vain) {
    stalled_ = true;
    Warn("nobody reads it; lines wait, and are dropped once there are too many");
  }
  ready_ = waited[0].revents != 0;
  if (waited[1].revents == 0) return;
  uint64_t commands = 0;
  [[maybe_unused]] const ssize_t read = ::read(wake_.get(), &commands, sizeof commands);
  Obey();
}

bool LogFile::OutOfTime() const {
  return ending_ && !output_->is_file() && !end_wait_.running();
}

void LogFile::Drop(std::string_view lines) {
  dropped_lines_.Add(static_cast<uint64_t>(std::count(lines.begin(), lines.end(), '\n')));
}

void LogFile::Warn(std::string_view what) {
  quiet_.Start(kWarningInterval);
  std::string text = base::Concat(
      "access log ", target_.kind == LogTarget::Kind::kFile ? target_.path : "standard output", ": ", what);
  const uint64_t dropped = dropped_lines() - std::exchange(warned_dropped_, dropped_lines());
  if (dropped > 0) base::AppendTo(text, base::Concat("; lines dropped: ", dropped));
  warn_(std::move(text));
}

}  // namespace portico::exporting
