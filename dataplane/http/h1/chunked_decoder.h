#ifndef PORTICO_DATAPLANE_HTTP_H1_CHUNKED_DECODER_H_
#define PORTICO_DATAPLANE_HTTP_H1_CHUNKED_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/http/codec.h"

namespace portico::http::h1 {

// RFC 9112 section 7.1, up to the last chunk; the trailer section after it is a LineReader's.
//
//   kSize ─digits→ kSize ─;→ kExtension ─CR→ kSizeLineFeed ─LF→ kData ─size→ kDataCarriageReturn → kDataLineFeed →
//   kSize
//                    └───────CR────────────────┘        └─ LF, size 0 → kDone
//
//   decoder.Begin();
//   Step step = decoder.Next(input, room);   // drop step.used bytes; step.content is a part of them
class ChunkedDecoder {
 public:
  enum class Outcome : uint8_t { kMore, kLastChunk, kMalformed };
  struct Step {
    Outcome outcome;
    size_t used;
    std::string_view content;  // never more than `room`
  };

  explicit ChunkedDecoder(const Limits& limits) : limits_(limits) {}
  void Begin();
  Step Next(std::string_view input, size_t room);

 private:
  enum class State : uint8_t { kSize, kExtension, kSizeLineFeed, kData, kDataCarriageReturn, kDataLineFeed, kDone };
  enum class Verdict : uint8_t { kGoOn, kLastChunk, kMalformed };

  Verdict TakeByte(char c);
  Verdict TakeSizeByte(char c);
  Verdict EndSizeLine();

  const Limits& limits_;
  State state_ = State::kSize;
  uint64_t size_ = 0;  // of the chunk; in kData what is left of it
  size_t digits_ = 0;
  size_t line_bytes_ = 0;
  uint64_t overhead_bytes_ = 0;
  uint64_t content_bytes_ = 0;
};

}  // namespace portico::http::h1

#endif  // PORTICO_DATAPLANE_HTTP_H1_CHUNKED_DECODER_H_
