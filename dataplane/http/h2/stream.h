#ifndef PORTICO_DATAPLANE_HTTP_H2_STREAM_H_
#define PORTICO_DATAPLANE_HTTP_H2_STREAM_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "dataplane/base/buffer.h"
#include "dataplane/http/codec.h"
#include "dataplane/http/h2/section_reader.h"

namespace portico::http::h2 {

// A stream from its first HEADERS until nghttp2 has closed it.
struct Stream {
  Stream(StreamId id, const Limits& limits, base::Arena& arena) : id(id), reader(limits, arena) {}

  // Nothing is delivered any more: it was reset, or both sides have said all they had to say.
  bool over() const { return reset || (told_end && said_end); }

  const StreamId id;
  SectionReader reader;
  base::Buffer content;                                                      // waiting to be sent
  std::optional<std::vector<std::pair<std::string, std::string>>> trailers;  // to be sent after the content
  std::optional<ResetReason> reason;  // what OnReset says, if not what the error code means
  size_t unconsumed = 0;              // delivered bytes whose window is still ours to give back
  size_t narrow = 0;                  // bytes to be consumed until its window is the full one; 0: it is
  size_t informationals = 0;
  bool has_head = false;      // the peer's final head is whole
  bool head_sent = false;     // ours was given to nghttp2 (server)
  bool discards = false;      // OnBadRequest was delivered: what else comes is dropped
  bool head_alone = false;    // a HEAD that was refused: nobody else knows that its answer has no content
  bool reset = false;         // by the handler
  bool at_fault = false;      // the peer has been counted for it
  bool received_end = false;  // END_STREAM came
  bool sent_end = false;      // END_STREAM has left
  bool told_end = false;      // the handler knows that the peer's message is over
  bool said_end = false;      // the handler has said that ours is over
  bool above_low_mark = false;
  bool gathers = false;      // the content's small pieces are copied together
  bool crowded_out = false;  // told to wait for what waits on other streams
  bool is_ready = false;     // OnSendReady is due
};

}  // namespace portico::http::h2

#endif  // PORTICO_DATAPLANE_HTTP_H2_STREAM_H_
