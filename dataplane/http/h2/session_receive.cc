#include <optional>
#include <string_view>
#include <utility>

#include "dataplane/http/h2/session.h"

// The way in: bytes, frame by frame, first to our own checks and then to nghttp2.

namespace portico::http::h2 {
namespace {

std::string_view ErrorText(int library_error) {
  switch (library_error) {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
      return "no HTTP/2 connection preface";
    case NGHTTP2_ERR_FLOODED:
      return "flood of frames that want answers";
    default:
      return "HTTP/2 connection error";
  }
}

}  // namespace

bool Session::Feed(base::Slice input) {
  if (closed_) return false;
  input_ = &input;
  std::string_view rest = input.view();
  const char* next = rest.data();
  while (const std::optional<FrameHeader> header = walker_.Next(rest)) {
    // All frames before are done with, and this one has not begun: its header is short of a byte.
    const auto size = static_cast<size_t>(rest.data() - next) - 1;
    if (!Receive({next, size})) return false;
    next += size;
    OnFrameHeader(*header);
    if (offence_ != NGHTTP2_NO_ERROR) return Receive({});
  }
  const bool open = Receive({next, static_cast<size_t>(rest.data() - next)});
  input_ = nullptr;
  return open;
}

bool Session::Receive(std::string_view bytes) {
  ssize_t result = 0;
  if (offence_ == NGHTTP2_NO_ERROR && !bytes.empty()) {
    const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
    result = nghttp2_session_mem_recv(nghttp2_.get(), data, bytes.size());
  }
  if (result >= 0 && offence_ == NGHTTP2_NO_ERROR) return true;
  input_ = nullptr;
  if (offence_ == NGHTTP2_ENHANCE_YOUR_CALM || result == NGHTTP2_ERR_FLOODED) {
    Fail(NGHTTP2_ENHANCE_YOUR_CALM, "the peer misbehaves");
  } else if (offence_ != NGHTTP2_NO_ERROR) {
    Fail(offence_, "frame on a stream that is closed or was never opened");
  } else {
    Fail(NGHTTP2_PROTOCOL_ERROR, ErrorText(static_cast<int>(result)));
  }
  return false;
}

void Session::OnFrameHeader(const FrameHeader& header) {
  const bool answer = (header.flags & NGHTTP2_FLAG_ACK) != 0;
  switch (header.type) {
    case NGHTTP2_PING:
    case NGHTTP2_SETTINGS:
      if (!answer) misbehaviour_.CountRepeated();
      break;
    case NGHTTP2_DATA:
      if (header.length == 0 && (header.flags & NGHTTP2_FLAG_END_STREAM) == 0) misbehaviour_.Count();
      JudgeStream(header.id, false);
      break;
    case NGHTTP2_HEADERS:
      continuations_ = 0;
      section_bytes_ = header.length;
      decoded_bytes_ = 0;
      JudgeStream(header.id, true);
      break;
    case NGHTTP2_CONTINUATION:
      section_bytes_ += header.length;
      if (++continuations_ > ContinuationsMax(limits_) || section_bytes_ > HeadHardBytes(limits_)) {
        offence_ = NGHTTP2_ENHANCE_YOUR_CALM;
      }
      break;
    case NGHTTP2_PRIORITY:
      // nghttp2 takes it (RFC 9113 section 6.3).
      if (header.id == 0) offence_ = NGHTTP2_PROTOCOL_ERROR;
      misbehaviour_.CountRepeated();  // we do nothing with it
      break;
    case NGHTTP2_PUSH_PROMISE:
      // Our SETTINGS_ENABLE_PUSH 0 stands before every request in the byte stream: no race can excuse it.
      offence_ = NGHTTP2_PROTOCOL_ERROR;
      break;
    case NGHTTP2_RST_STREAM:
    case NGHTTP2_GOAWAY:
    case NGHTTP2_WINDOW_UPDATE:
      break;
    default:
      misbehaviour_.CountRepeated();  // what we don't know
  }
  if (misbehaviour_.exceeded()) offence_ = NGHTTP2_ENHANCE_YOUR_CALM;
}

void Session::JudgeStream(StreamId id, bool opens) {
  if (!server_ || id % 2 == 0 || Find(id) != nullptr) return;
  switch (recent_.Judge(id)) {
    case RecentStreams::Verdict::kNew:
      if (opens) recent_.Opened(id);
      return;
    case RecentStreams::Verdict::kClosed:
      offence_ = NGHTTP2_STREAM_CLOSED;
      return;
    case RecentStreams::Verdict::kSkipped:
      offence_ = NGHTTP2_PROTOCOL_ERROR;
      return;
    case RecentStreams::Verdict::kTolerated:
      return;
  }
}

}  // namespace portico::http::h2
