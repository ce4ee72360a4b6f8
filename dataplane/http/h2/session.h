#ifndef PORTICO_DATAPLANE_HTTP_H2_SESSION_H_
#define PORTICO_DATAPLANE_HTTP_H2_SESSION_H_

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dataplane/base/buffer.h"
#include "dataplane/http/codec.h"
#include "dataplane/http/h2/frame_walker.h"
#include "dataplane/http/h2/misbehaviour.h"
#include "dataplane/http/h2/recent_streams.h"
#include "dataplane/http/h2/stream.h"

namespace portico::http::h2 {

// What both sides of a connection share: the streams, nghttp2's session, flow control, the queue of what is to be sent,
// and the peer's behaviour. ServerSession and ClientSession add what heads mean to them. Private to the codecs.
//
// Two rules keep it safe to call from inside an event: a Stream dies only in OnStreamClose or EndStreams, which run
// between events; and no nghttp2_submit… calls back.
class Session {
 public:
  virtual ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool Feed(base::Slice input);
  void FeedEnd();
  bool closed() const { return closed_; }
  bool Idle() const { return streams_.empty(); }
  bool WantsClose() const;
  std::string_view error() const { return error_; }
  void SendContent(StreamId id, base::Buffer& content, bool end);
  void SendTrailers(StreamId id, const Fields& trailers);
  size_t Unsent(StreamId id) const;
  bool TakesMore(StreamId id);
  uint64_t message_frames() const { return message_frames_; }
  void Consumed(StreamId id, size_t bytes);
  void Reset(StreamId id, ResetReason reason);
  void Produce(base::Buffer& out);
  uint32_t misbehaviours() const { return misbehaviour_.count(); }

 protected:
  Session(bool server, CodecEvents& events, const Limits& limits, base::BlockPool* pool);

  // The first HEADERS of an unknown stream (server only).
  virtual Stream* BeginStream(StreamId id) = 0;
  virtual void HeadReceived(Stream& stream, bool ends) = 0;
  virtual void TrailersRefused(Stream& stream) = 0;
  virtual void SettingsReceived() {}

  Stream* Find(StreamId id) const;
  Stream& Add(StreamId id, base::Arena& arena);
  void SubmitReset(Stream& stream, uint32_t error_code);
  void ResetTooLarge(Stream& stream);
  // nghttp2's view of a head that is being sent; valid until the next call and as long as the texts live.
  std::vector<nghttp2_nv>& Lines(std::initializer_list<std::pair<std::string_view, std::string_view>> pseudo,
                                 const Fields& fields);
  nghttp2_data_provider Provider() const;

  const Limits limits_;
  std::unique_ptr<nghttp2_session, void (*)(nghttp2_session*)> nghttp2_;
  std::unordered_map<StreamId, std::unique_ptr<Stream>> streams_;
  bool peer_drains_ = false;

 private:
  friend struct Callbacks;  // nghttp2's C callbacks, in session_callbacks.cc

  bool Receive(std::string_view bytes);
  // What comes before nghttp2 sees a frame: the strictness that it lacks, and the counting.
  void OnFrameHeader(const FrameHeader& header);
  void JudgeStream(StreamId id, bool opens);

  // What nghttp2 tells; the int is nghttp2's: 0, or a failure that ends mem_recv so that Feed can close.
  int OnBeginHeaders(const nghttp2_frame& frame);
  int OnHeader(const nghttp2_frame& frame, std::string_view name, std::string_view value);
  int OnDataChunk(StreamId id, std::string_view data);
  int OnFrame(const nghttp2_frame& frame);
  int OnInvalidFrame(const nghttp2_frame& frame);
  int OnStreamClose(StreamId id, uint32_t error_code);
  void OnFrameSent(const nghttp2_frame& frame);
  void OnFrameNotSent(const nghttp2_frame& frame, int library_error);
  ssize_t ReadContent(StreamId id, size_t length, uint32_t* flags);
  int WriteContent(StreamId id, const uint8_t* frame_header, size_t length);

  int Judgement() const;  // a callback's result after an offence was counted
  void HeadersWhole(Stream& stream, bool ends);
  void MessageEnd(Stream& stream);
  void SubmitTrailers(const Stream& stream);
  void Submit(const std::vector<nghttp2_settings_entry>& settings);
  void Widen(Stream& stream, size_t consumed_bytes);
  void Pump(base::Buffer& out);
  bool DeliverSendReady();
  void TellReady(Stream& stream);
  bool LeaveTheCrowd(Stream& stream);
  void LetInTheCrowd();
  void Fail(uint32_t error_code, std::string_view text);
  void EndStreams();

  const bool server_;
  CodecEvents& events_;
  base::BlockPool* const pool_;
  const size_t first_window_bytes_;  // of a stream, as offered
  Misbehaviour misbehaviour_;
  RecentStreams recent_;
  FrameWalker walker_;
  std::vector<nghttp2_nv> lines_;
  std::vector<StreamId> send_ready_;
  std::vector<StreamId> crowd_;         // streams that are crowded out, who came first in front
  const base::Slice* input_ = nullptr;  // within Feed
  base::Buffer* out_ = nullptr;         // within Produce
  std::string_view error_;
  uint32_t offence_ = NGHTTP2_NO_ERROR;  // the connection error that was found
  size_t continuations_ = 0;             // of the field section that is being read
  size_t section_bytes_ = 0;             // its frames' payloads
  size_t decoded_bytes_ = 0;             // what they stood for
  size_t unsent_bytes_ = 0;              // content of all streams that waits
  uint64_t message_frames_ = 0;          // HEADERS and DATA that have left
  bool closed_ = false;                  // nothing is read any more
  bool ended_ = false;                   // nor written
};

// nghttp2's view of a field line; it copies when the head is submitted. A secret one is never indexed.
nghttp2_nv ToLine(std::string_view name, std::string_view value, bool secret);

// CONTINUATION frames in one field section (CVE-2024-27316): as many full ones as the hardest bound on a head needs,
// and some for peers that cut smaller.
inline size_t ContinuationsMax(const Limits& limits) {
  return 8 + HeadHardBytes(limits) / 16384;
}

// While the connection holds too much, a stream may still have this waiting: one frame. So those that are read go on,
// whatever those that are not hold.
inline constexpr size_t kCrowdedShareBytes = 16 * 1024;

// Fills in nghttp2's callbacks, which find their Session as user data.
void SetCallbacks(nghttp2_session_callbacks* callbacks);

uint32_t ErrorCode(ResetReason reason);
ResetReason ReasonOf(uint32_t error_code);

}  // namespace portico::http::h2

#endif  // PORTICO_DATAPLANE_HTTP_H2_SESSION_H_
