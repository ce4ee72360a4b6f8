#ifndef PORTICO_DATAPLANE_HTTP_H2_RECENT_STREAMS_H_
#define PORTICO_DATAPLANE_HTTP_H2_RECENT_STREAMS_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace portico::http::h2 {

// Remembers the last stream ids that the client has opened, to judge a frame that comes for a stream that is no more
// (RFC 9113 section 5.1). nghttp2 would keep whole closed streams for it, 190 bytes each, and keeps none at all once
// RFC 7540's priorities are switched off.
//
//   recent.Opened(id);  …  recent.Ended(id);  …  switch (recent.Judge(id)) { … }
class RecentStreams {
 public:
  enum class Verdict : uint8_t {
    kNew,        // higher than any before
    kTolerated,  // we reset or refused it, and the peer may not know yet; or it is too long ago to tell
    kClosed,     // the peer itself had ended it: STREAM_CLOSED
    kSkipped,    // never opened, and closed when a higher one was (section 5.1.1): PROTOCOL_ERROR
  };

  void Opened(uint32_t id) {
    uint32_t& place = ids_[next_];
    forgotten_ = place & kIdMask;
    place = id;
    next_ = (next_ + 1) % ids_.size();
    highest_ = id;
  }

  // The peer has ended its side for good: END_STREAM or RST_STREAM.
  void Ended(uint32_t id) {
    for (uint32_t& entry : ids_) {
      if (entry == id) entry |= kEnded;
    }
  }

  Verdict Judge(uint32_t id) const {
    if (id > highest_) return Verdict::kNew;
    if (id <= forgotten_) return Verdict::kTolerated;
    for (const uint32_t entry : ids_) {
      if ((entry & kIdMask) == id) return (entry & kEnded) != 0 ? Verdict::kClosed : Verdict::kTolerated;
    }
    return Verdict::kSkipped;
  }

 private:
  static constexpr uint32_t kEnded = 1u << 31;  // ids have 31 bits
  static constexpr uint32_t kIdMask = kEnded - 1;
  static constexpr size_t kRemembered = 128;  // above the concurrent streams that we offer; 512 bytes

  std::array<uint32_t, kRemembered> ids_{};
  size_t next_ = 0;
  uint32_t highest_ = 0;
  uint32_t forgotten_ = 0;  // the highest id that has left the ring
};

}  // namespace portico::http::h2

#endif  // PORTICO_DATAPLANE_HTTP_H2_RECENT_STREAMS_H_
