#include "dataplane/http/h1/content_reader.h"

#include <algorithm>

namespace portico::http::h1 {

void ContentReader::Begin(const Framing& framing) {
  mode_ = framing.mode;
  length_left_ = framing.length;
  in_trailers_ = false;
  if (mode_ != ContentMode::kChunked) return;
  chunks_.Begin();
  trailers_.Begin(LineReader::Unit::kSection, limits_.trailer_bytes_max, limits_.field_count_max);
}

ContentReader::Step ContentReader::Next(std::string_view input, size_t room) {
  switch (mode_) {
    case ContentMode::kNone:
      return {Outcome::kEnd, 0, {}};
    case ContentMode::kLength: {
      const size_t count = std::min<uint64_t>({length_left_, input.size(), room});
      length_left_ -= count;
      return {length_left_ == 0 ? Outcome::kEnd : Outcome::kMore, count, input.substr(0, count)};
    }
    case ContentMode::kUntilClose: {
      const size_t count = std::min(input.size(), room);
      return {Outcome::kMore, count, input.substr(0, count)};
    }
    case ContentMode::kChunked:
      break;
  }
  return NextOfChunked(input, room);
}

ContentReader::Step ContentReader::NextOfChunked(std::string_view input, size_t room) {
  if (!in_trailers_) {
    const ChunkedDecoder::Step step = chunks_.Next(input, room);
    in_trailers_ = step.outcome == ChunkedDecoder::Outcome::kLastChunk;
    const bool malformed = step.outcome == ChunkedDecoder::Outcome::kMalformed;
    return {malformed ? Outcome::kMalformed : Outcome::kMore, step.used, step.content};
  }
  const LineReader::Result result = trailers_.Read(input);
  switch (result.outcome) {
    case LineReader::Outcome::kMore:
      return {Outcome::kMore, result.used, {}};
    case LineReader::Outcome::kWhole:
      return {Outcome::kEnd, result.used, {}};
    case LineReader::Outcome::kBareLineFeed:
      return {Outcome::kMalformed, 0, {}};
    case LineReader::Outcome::kTooLong:
    case LineReader::Outcome::kTooManyLines:
      break;
  }
  return {Outcome::kTrailersTooLarge, 0, {}};
}

}  // namespace portico::http::h1
