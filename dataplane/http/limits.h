#ifndef PORTICO_DATAPLANE_HTTP_LIMITS_H_
#define PORTICO_DATAPLANE_HTTP_LIMITS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace portico::http {

// Every bound of a connection's messages. A message over a limit is answered precisely, not truncated.
struct Limits {
  // Request line and fields together: room for large cookies → 431. An HTTP/2 connection goes on after it, if the head
  // is within HeadHardBytes.
  size_t head_bytes_max = 64 * 1024;
  size_t field_count_max = 100;        // nginx has 100; each cookie crumb and discarded field counts → 431
  size_t target_bytes_max = 8 * 1024;  // RFC 9112 section 3 asks for at least 8000 → 414
  size_t trailer_bytes_max = 8 * 1024;
  size_t chunk_head_bytes_max = 256;                // size line with extensions, which are discarded
  uint64_t chunk_overhead_bytes_max = 1024 * 1024;  // size lines beyond 1/8 of the content of a message: an attack
  size_t stream_window_bytes = 256 * 1024;          // content received and not yet consumed, per stream
  size_t connection_window_bytes = 1024 * 1024;     // HTTP/2; given back on receipt
  // What is read ahead of an origin's answer while nobody takes it, per stream. The rest waits in the socket, where it
  // costs the origin no less and us nothing. HTTP/2: once half of it is taken, the window is stream_window_bytes.
  size_t read_ahead_bytes = 64 * 1024;
  // HTTP/2: content of all streams that waits for the peer. Above it nobody's is asked for but that of streams which
  // have next to nothing waiting: a hundred streams that nobody reads may not hold a hundred times a stream's mark.
  size_t connection_unsent_bytes_max = 1024 * 1024;
  uint32_t streams_max = 100;       // HTTP/2 concurrent streams offered to the peer
  uint32_t misbehaviour_max = 200;  // HTTP/2: resets, empty frames, pings, settings … before the connection is closed
  size_t informational_max = 16;    // 1xx responses to one request from an origin server
  // While content whose length its head declares is due, this comes on its connection, averaged over each such time in
  // which we were ready to take it; else 408. A client that drips it would hold an origin's connection for next to
  // nothing. IIS and Kestrel have the same rate, Apache 500. Content of undeclared length is a stream that may rest
  // (gRPC): its silence is bounded alone, and its whole time where streamDurationMax or timeouts.request says so.
  uint32_t upload_bytes_per_second_min = 240;  // 0: whatever comes is enough
  uint32_t upload_window_seconds = 30;
  // Leniencies, all off (RFC 9112): none is implemented yet; each will be one named switch here.
};

// HTTP/2: a field section that is over its limit is read to its end and dropped, since the decoder's state belongs to
// the connection. One beyond this is an attack on it and ends the connection: ENHANCE_YOUR_CALM.
inline size_t HeadHardBytes(const Limits& limits) {
  return std::max<size_t>(4 * limits.head_bytes_max, 256 * 1024);
}

}  // namespace portico::http

#endif  // PORTICO_DATAPLANE_HTTP_LIMITS_H_
