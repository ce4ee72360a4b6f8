#include <algorithm>
#include <utility>

#include "dataplane/http/h2/session.h"

namespace portico::http::h2 {
namespace {

std::string_view ToView(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

int Session::Judgement() const {
  return misbehaviour_.exceeded() || offence_ != NGHTTP2_NO_ERROR ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

int Session::OnBeginHeaders(const nghttp2_frame& frame) {
  const auto id = static_cast<StreamId>(frame.hd.stream_id);
  Stream* stream = Find(id);
  if (stream == nullptr && server_) stream = BeginStream(id);
  if (stream != nullptr) stream->reader.Begin(stream->has_head ? limits_.trailer_bytes_max : limits_.head_bytes_max);
  return 0;
}

int Session::OnHeader(const nghttp2_frame& frame, std::string_view name, std::string_view value) {
  Stream* stream = Find(static_cast<StreamId>(frame.hd.stream_id));
  if (stream == nullptr) return 0;
  if (!stream->over()) stream->reader.AddLine(name, value);
  // A few bytes of indexes may stand for a lot (CVE-2016-6581): what they stand for is bounded too.
  decoded_bytes_ += name.size() + value.size();
  if (decoded_bytes_ > HeadHardBytes(limits_)) offence_ = NGHTTP2_ENHANCE_YOUR_CALM;
  return Judgement();
}

int Session::OnDataChunk(StreamId id, std::string_view data) {
  // At once, so that a stream whose content nobody takes does not stall the others.
  if (nghttp2_session_consume_connection(nghttp2_.get(), data.size()) != 0) return NGHTTP2_ERR_CALLBACK_FAILURE;
  Stream* stream = Find(id);
  if (stream == nullptr || stream->over() || stream->discards) {
    return nghttp2_session_consume_stream(nghttp2_.get(), static_cast<int32_t>(id), data.size());
  }
  stream->unconsumed += data.size();
  const std::string_view input = input_->view();
  const bool within = data.data() >= input.data() && data.data() + data.size() <= input.data() + input.size();
  events_.OnContent(id, within ? input_->Keep(data) : base::Slice::Copy(data));
  return 0;
}

void Session::MessageEnd(Stream& stream) {
  stream.received_end = true;
  if (stream.over() || stream.told_end || stream.reason) return;
  stream.told_end = true;
  events_.OnMessageEnd(stream.id);
}

void Session::HeadersWhole(Stream& stream, bool ends) {
  if (stream.over() || stream.discards) return;
  if (!stream.has_head) {
    HeadReceived(stream, ends);
    return;
  }
  if (stream.reader.FinishTrailers() == SectionReader::Verdict::kRefused) {
    TrailersRefused(stream);
    return;
  }
  events_.OnTrailers(stream.id, stream.reader.TakeTrailers());
}

int Session::OnFrame(const nghttp2_frame& frame) {
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  Stream* stream = Find(static_cast<StreamId>(frame.hd.stream_id));
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      if (stream == nullptr) break;
      HeadersWhole(*stream, ends);
      if (ends) MessageEnd(*stream);
      break;
    case NGHTTP2_DATA:
      if (stream != nullptr && ends) MessageEnd(*stream);
      break;
    case NGHTTP2_RST_STREAM:
      recent_.Ended(static_cast<StreamId>(frame.hd.stream_id));
      // The work for the response is lost, at the price of 13 bytes. A server may reset what it likes: it is our work.
      if (server_ && stream != nullptr && !stream->sent_end && !stream->reset) misbehaviour_.Count();
      break;
    case NGHTTP2_SETTINGS:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) SettingsReceived();
      break;
    case NGHTTP2_GOAWAY:
      if (!peer_drains_) events_.OnPeerDrains();
      peer_drains_ = true;
      break;
    default:
      break;
  }
  if (misbehaviour_.exceeded()) offence_ = NGHTTP2_ENHANCE_YOUR_CALM;
  return Judgement();
}

int Session::OnInvalidFrame(const nghttp2_frame& frame) {
  // Counted here and not only when the RST_STREAM leaves: the answer to a refused stream waits in no Stream.
  misbehaviour_.Count();
  Stream* stream = Find(static_cast<StreamId>(frame.hd.stream_id));
  if (stream != nullptr) stream->at_fault = true;
  if (misbehaviour_.exceeded()) offence_ = NGHTTP2_ENHANCE_YOUR_CALM;
  return Judgement();
}

int Session::OnStreamClose(StreamId id, uint32_t error_code) {
  auto node = streams_.extract(id);
  if (node.empty()) return 0;
  Stream& stream = *node.mapped();
  LeaveTheCrowd(stream);
  unsent_bytes_ -= stream.content.size();
  if (stream.received_end) recent_.Ended(id);
  if (stream.received_end && stream.sent_end && error_code == NGHTTP2_NO_ERROR) misbehaviour_.StreamEndedWell();
  if (!stream.over()) events_.OnReset(id, stream.reason.value_or(ReasonOf(error_code)));
  return 0;
}

void Session::OnFrameSent(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_GOAWAY && frame.goaway.error_code != NGHTTP2_NO_ERROR && error_.empty()) {
    error_ = "HTTP/2 connection error";
  }
  if (frame.hd.type == NGHTTP2_HEADERS || frame.hd.type == NGHTTP2_DATA) ++message_frames_;
  Stream* stream = Find(static_cast<StreamId>(frame.hd.stream_id));
  if (stream == nullptr) return;
  if (frame.hd.type == NGHTTP2_RST_STREAM) {
    // The peer made us reset it (CVE-2025-8671), by whatever check of nghttp2's or ours.
    const bool ours = stream->reset || stream->reason == ResetReason::kInternal;
    const bool harmless = frame.rst_stream.error_code == NGHTTP2_NO_ERROR;
    if (!ours && !harmless && !stream->at_fault) misbehaviour_.Count();
    return;
  }
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (!ends || (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA)) return;
  stream->sent_end = true;
  // RFC 9113 section 8.1: a complete response; the rest of the request is not wanted.
  if (server_ && !stream->received_end) SubmitReset(*stream, NGHTTP2_NO_ERROR);
}

void Session::OnFrameNotSent(const nghttp2_frame& frame, int library_error) {
  if (frame.hd.type != NGHTTP2_HEADERS) return;
  const auto id = static_cast<StreamId>(frame.hd.stream_id);
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  if (library_error == NGHTTP2_ERR_FRAME_SIZE_ERROR) {  // larger than a peer can be expected to take
    stream->reason = ResetReason::kInternal;
    SubmitReset(*stream, NGHTTP2_INTERNAL_ERROR);
  }
  // A request that nghttp2 did not even open, because GOAWAY came in between; it tells of no close then.
  if (!server_ && frame.headers.cat == NGHTTP2_HCAT_REQUEST) OnStreamClose(id, NGHTTP2_REFUSED_STREAM);
}

ssize_t Session::ReadContent(StreamId id, size_t length, uint32_t* flags) {
  Stream* stream = Find(id);
  if (stream == nullptr || stream->reset) return NGHTTP2_ERR_DEFERRED;
  const size_t taken = std::min(length, stream->content.size());
  const bool last = stream->said_end && taken == stream->content.size();
  if (taken == 0 && !last) return NGHTTP2_ERR_DEFERRED;
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (!last) return static_cast<ssize_t>(taken);
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (stream->trailers) {
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    SubmitTrailers(*stream);
  }
  return static_cast<ssize_t>(taken);
}

int Session::WriteContent(StreamId id, const uint8_t* frame_header, size_t length) {
  if (out_->size() >= kSendHighMarkBytes) return NGHTTP2_ERR_WOULDBLOCK;
  Stream* stream = Find(id);
  if (stream == nullptr || stream->content.size() < length) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  out_->Append(ToView(frame_header, FrameWalker::kHeaderBytes));
  out_->MoveFrom(stream->content, length);
  unsent_bytes_ -= length;
  const size_t left = stream->content.size();
  const bool fallen = left <= kSendLowMarkBytes && std::exchange(stream->above_low_mark, false);
  const bool let_in = left <= kCrowdedShareBytes && LeaveTheCrowd(*stream);
  if (fallen || let_in) TellReady(*stream);
  return 0;
}

// nghttp2's callbacks: C functions that turn its types into ours and call the Session.
struct Callbacks {
  static Session& Of(void* user_data) { return *static_cast<Session*>(user_data); }

  static int BeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    return Of(user_data).OnBeginHeaders(*frame);
  }
  static int Header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                    const uint8_t* value, size_t value_size, uint8_t, void* user_data) {
    return Of(user_data).OnHeader(*frame, ToView(name, name_size), ToView(value, value_size));
  }
  // Without it nghttp2 drops fields with bad names or values; a message with one is malformed (RFC 9113 section 8.2.1).
  static int InvalidHeader(nghttp2_session*, const nghttp2_frame*, const uint8_t*, size_t, const uint8_t*, size_t,
                           uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  static int DataChunk(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* user_data) {
    return Of(user_data).OnDataChunk(static_cast<StreamId>(id), ToView(data, size));
  }
  static int Frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    return Of(user_data).OnFrame(*frame);
  }
  static int InvalidFrame(nghttp2_session*, const nghttp2_frame* frame, int, void* user_data) {
    return Of(user_data).OnInvalidFrame(*frame);
  }
  static int StreamClose(nghttp2_session*, int32_t id, uint32_t error_code, void* user_data) {
    return Of(user_data).OnStreamClose(static_cast<StreamId>(id), error_code);
  }
  static int FrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Of(user_data).OnFrameSent(*frame);
    return 0;
  }
  static int FrameNotSent(nghttp2_session*, const nghttp2_frame* frame, int library_error, void* user_data) {
    Of(user_data).OnFrameNotSent(*frame, library_error);
    return 0;
  }
  static ssize_t Read(nghttp2_session*, int32_t id, uint8_t*, size_t length, uint32_t* flags, nghttp2_data_source*,
                      void* user_data) {
    return Of(user_data).ReadContent(static_cast<StreamId>(id), length, flags);
  }
  static int SendData(nghttp2_session*, nghttp2_frame* frame, const uint8_t* frame_header, size_t length,
                      nghttp2_data_source*, void* user_data) {
    return Of(user_data).WriteContent(static_cast<StreamId>(frame->hd.stream_id), frame_header, length);
  }
};

nghttp2_data_provider Session::Provider() const {
  nghttp2_data_provider provider{};
  provider.read_callback = &Callbacks::Read;
  return provider;
}

void SetCallbacks(nghttp2_session_callbacks* callbacks) {
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &Callbacks::BeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &Callbacks::Header);
  nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, &Callbacks::InvalidHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Callbacks::DataChunk);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Callbacks::Frame);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, &Callbacks::InvalidFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Callbacks::StreamClose);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &Callbacks::FrameSent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, &Callbacks::FrameNotSent);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, &Callbacks::SendData);
}

}  // namespace portico::http::h2
