#include "dataplane/worker/access_log_buffer.h"

#include <utility>

namespace portico::worker {

AccessLogBuffer::AccessLogBuffer(event::Loop& loop, Sink sink, shared::Counter& dropped_lines)
    : loop_(loop), sink_(std::move(sink)), dropped_lines_(dropped_lines), timer_(loop.timers(), *this) {}

AccessLogBuffer::~AccessLogBuffer() {
  Flush();
}

void AccessLogBuffer::Add(const observe::ExchangeRecord& record) {
  if (!sink_) return;
  if (line_count_ == 0) {
    lines_.reserve(kBytes + kLineBytes);
    timer_.Set(loop_.Now() + kAgeMax);
  }
  observe::AppendAccessLogLine(record, lines_);
  ++line_count_;
  if (lines_.size() >= kBytes) Flush();
}

void AccessLogBuffer::Flush() {
  timer_.Forget();
  if (line_count_ == 0) return;
  if (!sink_(lines_)) dropped_lines_.Add(line_count_);
  lines_.clear();
  line_count_ = 0;
}

}  // namespace portico::worker
