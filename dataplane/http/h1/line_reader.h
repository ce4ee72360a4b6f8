#ifndef PORTICO_DATAPLANE_HTTP_H1_LINE_READER_H_
#define PORTICO_DATAPLANE_HTTP_H1_LINE_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace portico::http::h1 {

// Collects one line, or the lines up to an empty one (a field section), however the bytes are split. What arrives whole
// is not copied; the beginning of what does not is kept in a string whose memory is used again.
//
//   reader.Begin(LineReader::Unit::kSection, bytes_max, lines_max);
//   auto [outcome, used] = reader.Read(input);     // drop `used` bytes of input; at kMore it is all of it
//   if (outcome == Outcome::kWhole) … reader.text() … // valid until the next Begin or the end of input's memory
//
// Every outcome depends on the bytes alone, never on how they were split.
class LineReader {
 public:
  enum class Unit : uint8_t { kLine, kSection };
  enum class Outcome : uint8_t {
    kMore,
    kWhole,
    kTooLong,       // over bytes_max
    kTooManyLines,  // over lines_max
    kBareLineFeed,  // a line that does not end in CR LF (RFC 9112 section 2.2 lets us refuse it)
  };
  struct Result {
    Outcome outcome;
    size_t used;
  };

  void Begin(Unit unit, size_t bytes_max, size_t lines_max);
  Result Read(std::string_view input);
  // The line or section with every CR LF, the empty line's too.
  std::string_view text() const { return text_; }

 private:
  Result Finish(std::string_view input, size_t used);

  Unit unit_ = Unit::kLine;
  size_t bytes_max_ = 0;
  size_t lines_max_ = 0;
  size_t lines_ = 0;
  size_t line_start_ = 0;  // of the line under way, counted from Begin
  std::string partial_;
  std::string_view text_;
};

}  // namespace portico::http::h1

#endif  // PORTICO_DATAPLANE_HTTP_H1_LINE_READER_H_
