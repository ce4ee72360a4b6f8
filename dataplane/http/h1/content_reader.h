#ifndef PORTICO_DATAPLANE_HTTP_H1_CONTENT_READER_H_
#define PORTICO_DATAPLANE_HTTP_H1_CONTENT_READER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/http/codec.h"
#include "dataplane/http/h1/chunked_decoder.h"
#include "dataplane/http/h1/framing.h"
#include "dataplane/http/h1/line_reader.h"

namespace portico::http::h1 {

// The content of one message in any framing, with its trailer section.
//
//   reader.Begin(framing);
//   Step step = reader.Next(input, room);    // room > 0; drop step.used bytes; step.content is a part of them
//   at kEnd: reader.trailer_section() is "" or lines for ParseTrailerSection
class ContentReader {
 public:
  enum class Outcome : uint8_t { kMore, kEnd, kMalformed, kTrailersTooLarge };
  struct Step {
    Outcome outcome;
    size_t used;
    std::string_view content;
  };

  explicit ContentReader(const Limits& limits) : limits_(limits), chunks_(limits) {}
  void Begin(const Framing& framing);
  Step Next(std::string_view input, size_t room);

  ContentMode mode() const { return mode_; }
  uint64_t length_left() const { return length_left_; }
  std::string_view trailer_section() const { return trailers_.text(); }

 private:
  Step NextOfChunked(std::string_view input, size_t room);

  const Limits& limits_;
  ContentMode mode_ = ContentMode::kNone;
  bool in_trailers_ = false;
  uint64_t length_left_ = 0;
  ChunkedDecoder chunks_;
  LineReader trailers_;
};

}  // namespace portico::http::h1

#endif  // PORTICO_DATAPLANE_HTTP_H1_CONTENT_READER_H_
