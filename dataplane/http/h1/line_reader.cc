#include "dataplane/http/h1/line_reader.h"

#include <cstring>

namespace portico::http::h1 {

void LineReader::Begin(Unit unit, size_t bytes_max, size_t lines_max) {
  unit_ = unit;
  bytes_max_ = bytes_max;
  lines_max_ = lines_max;
  lines_ = 0;
  line_start_ = 0;
  partial_.clear();
  text_ = {};
}

LineReader::Result LineReader::Read(std::string_view input) {
  const size_t before = partial_.size();
  for (size_t at = 0;;) {
    const void* const found = at == input.size() ? nullptr : std::memchr(input.data() + at, '\n', input.size() - at);
    if (found == nullptr) break;
    const size_t end = static_cast<size_t>(static_cast<const char*>(found) - input.data()) + 1;
    if (before + end > bytes_max_) return {Outcome::kTooLong, 0};
    // The CR may be the last byte of an earlier input.
    char previous = 0;
    if (end >= 2) {
      previous = input[end - 2];
    } else if (before > 0) {
      previous = partial_.back();
    }
    if (previous != '\r') return {Outcome::kBareLineFeed, 0};
    const bool empty = before + end - line_start_ == 2;
    if (unit_ == Unit::kLine || empty) return Finish(input, end);
    if (++lines_ > lines_max_) return {Outcome::kTooManyLines, 0};
    at = end;
    line_start_ = before + end;
  }
  if (before + input.size() > bytes_max_) return {Outcome::kTooLong, 0};
  partial_.append(input);
  return {Outcome::kMore, input.size()};
}

LineReader::Result LineReader::Finish(std::string_view input, size_t used) {
  text_ = input.substr(0, used);
  if (!partial_.empty()) {
    partial_.append(text_);
    text_ = partial_;
  }
  return {Outcome::kWhole, used};
}

}  // namespace portico::http::h1
