#include "test/simulation/http1_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "api/base/text.h"

namespace portico::simulation {
namespace {

std::optional<std::string_view> Find(const FieldList& fields, std::string_view name) {
  for (const auto& [known, value] : fields)
    if (known == name) return value;
  return std::nullopt;
}

}  // namespace

std::string Http1Reader::Feed(std::string_view bytes) {
  while (!bytes.empty() && failure_.empty()) {
    if (state_ == State::kContent || state_ == State::kChunk || state_ == State::kUntilClose) {
      bytes.remove_prefix(TakeContent(bytes));
      continue;
    }
    if (state_ == State::kStatusLine && line_.empty()) {
      due_ = sink_.ResponseDue();
      if (due_ == Sink::Due::kNothing) Fail("bytes that are no response to anything");
    }
    const size_t end = bytes.find('\n');
    line_.append(bytes.substr(0, end));
    if (end == std::string_view::npos) {
      if (line_.size() > kLineBytesMax) Fail("a line without an end");
      return failure_;
    }
    bytes.remove_prefix(end + 1);
    if (line_.empty() || line_.back() != '\r') Fail("a line that does not end in CR LF");
    if (!failure_.empty()) return failure_;
    line_.pop_back();
    TakeLine(std::exchange(line_, {}));
  }
  return failure_;
}

void Http1Reader::TakeLine(std::string_view line) {
  switch (state_) {
    case State::kStatusLine:
      return TakeStatusLine(line);
    case State::kFields:
      return line.empty() ? TakeHead() : TakeField(line);
    case State::kChunkSize:
      return TakeChunkSize(line);
    case State::kChunkEnd:
      state_ = State::kChunkSize;
      if (!line.empty()) Fail("a chunk that goes on beyond its size");
      return;
    case State::kTrailers:
      if (!line.empty()) return TakeField(line);
      if (!fields_.empty()) sink_.OnTrailers(std::move(fields_));
      return End();
    default:
      Fail("a line within content");
  }
}

void Http1Reader::TakeStatusLine(std::string_view line) {
  const auto status = line.size() >= 13 ? base::ParseDecimal(line.substr(9, 3)) : std::nullopt;
  if (!line.starts_with("HTTP/1.1 ") || !status || *status < 100 || line[12] != ' ')
    return Fail(base::Concat("a status line \"", line, "\""));
  status_ = static_cast<int>(*status);
  fields_.clear();
  state_ = State::kFields;
}

void Http1Reader::TakeField(std::string_view line) {
  const size_t colon = line.find(':');
  const bool token =
      colon != std::string_view::npos && colon > 0 && line.find_first_of(" \t\"(),/;<=>?@[\\]{}") >= colon;
  if (!token) return Fail(base::Concat("a field line \"", line, "\""));
  fields_.emplace_back(base::LowerAscii(line.substr(0, colon)), base::TrimSpace(line.substr(colon + 1)));
}

// The length of the content: RFC 9112 section 6.3.
void Http1Reader::TakeHead() {
  const auto coding = Find(fields_, "transfer-encoding");
  const auto length_text = Find(fields_, "content-length");
  const auto length = length_text ? base::ParseDecimal(*length_text) : std::nullopt;
  if (coding && (length_text || *coding != "chunked")) return Fail("two framings");
  if (length_text && !length) return Fail("a content-length that is no number");
  if (status_ < 200) {
    state_ = State::kStatusLine;
    if (coding || length_text) return Fail("an informational response with content");
    return sink_.OnInformational(status_);
  }
  const bool no_content = due_ == Sink::Due::kResponseToHead || status_ == 204 || status_ == 304;
  if (status_ == 204 && (coding || length_text)) return Fail("204 with a framing");
  sink_.OnHead(status_, fields_);
  fields_.clear();
  if (no_content || length == 0U) return End();
  left_ = length.value_or(0);
  state_ = coding ? State::kChunkSize : length ? State::kContent : State::kUntilClose;
}

void Http1Reader::TakeChunkSize(std::string_view line) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
  if (error != std::errc() || end != line.data() + line.size())
    return Fail(base::Concat("a chunk size \"", line, "\""));
  state_ = left_ == 0 ? State::kTrailers : State::kChunk;
}

size_t Http1Reader::TakeContent(std::string_view bytes) {
  if (state_ == State::kUntilClose) {
    sink_.OnContent(bytes);
    return bytes.size();
  }
  const size_t count = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
  sink_.OnContent(bytes.substr(0, count));
  left_ -= count;
  if (left_ == 0 && state_ == State::kChunk) {
    state_ = State::kChunkEnd;
  } else if (left_ == 0) {
    End();
  }
  return count;
}

void Http1Reader::End() {
  state_ = State::kStatusLine;
  sink_.OnEnd();
}

bool Http1Reader::EndOfStream() {
  if (state_ != State::kUntilClose) return false;
  End();
  return true;
}

void Http1Reader::Fail(std::string_view why) {
  if (failure_.empty()) failure_ = why;
}

}  // namespace portico::simulation
