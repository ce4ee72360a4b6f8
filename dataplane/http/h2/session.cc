#include "dataplane/http/h2/session.h"

#include <algorithm>

#include "api/base/check.h"
#include "dataplane/http/syntax.h"

namespace portico::http::h2 {
namespace {

// Answers to PING and SETTINGS that wait because the peer does not read; nghttp2 closes the connection above it.
constexpr size_t kWaitingAnswersMax = 200;
// A HEADERS frame's worst case: nghttp2 estimates 12 bytes beside each line's texts, and refuses to send above this.
constexpr size_t kSentSectionSlackBytes = 64 * 1024;
// A cookie this short can be guessed byte by byte from the compressor's table (nghttp2 and RFC 7541 section 7.1.3).
constexpr size_t kShortCookieBytes = 20;

// The peer must not see whether such a value is in our compression table (RFC 7541 section 7.1.3).
bool IsSecret(const Field& line) {
  return line.id == FieldId::kAuthorization || line.id == FieldId::kProxyAuthorization ||
         (line.id == FieldId::kCookie && line.value.size() < kShortCookieBytes);
}

nghttp2_session* NewSession(bool server, Session* self, const Limits& limits) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;
  PORTICO_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0);
  SetCallbacks(callbacks);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_max_outbound_ack(option, kWaitingAnswersMax);
  nghttp2_option_set_max_send_header_block_length(option, 2 * limits.head_bytes_max + kSentSectionSlackBytes);
  // nghttp2 counts reads, not frames: a frame's header that comes byte by byte counts nine times. We count frames.
  nghttp2_option_set_max_continuations(option, FrameWalker::kHeaderBytes * (ContinuationsMax(limits) + 1));
  nghttp2_session* session = nullptr;
  const int result = server ? nghttp2_session_server_new2(&session, callbacks, self, option)
                            : nghttp2_session_client_new2(&session, callbacks, self, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  PORTICO_CHECK(result == 0, "out of memory");
  return session;
}

}  // namespace

nghttp2_nv ToLine(std::string_view name, std::string_view value, bool secret) {
  // nghttp2 copies when a head is submitted, and never writes: the casts only satisfy its types.
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.empty() ? "" : text.data()));
  };
  const auto flags = static_cast<uint8_t>(secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE);
  return {bytes(name), bytes(value), name.size(), value.size(), flags};
}

Session::Session(bool server, CodecEvents& events, const Limits& limits, base::BlockPool* pool)
    : limits_(limits),
      nghttp2_(NewSession(server, this, limits), &nghttp2_session_del),
      server_(server),
      events_(events),
      pool_(pool),
      first_window_bytes_(server ? limits.stream_window_bytes
                                 : std::min(limits.stream_window_bytes, limits.read_ahead_bytes)),
      misbehaviour_(limits.misbehaviour_max),
      walker_(server ? NGHTTP2_CLIENT_MAGIC_LEN : 0) {
  std::vector<nghttp2_settings_entry> settings = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<uint32_t>(first_window_bytes_)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(limits.head_bytes_max)},
  };
  if (server) {
    settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams_max});
    settings.push_back({NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1});
  } else {
    // Not NO_RFC7540_PRIORITIES: without it nghttp2 shares the connection evenly among our requests' contents.
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  Submit(settings);
}

Session::~Session() = default;

void Session::Submit(const std::vector<nghttp2_settings_entry>& settings) {
  PORTICO_CHECK(nghttp2_submit_settings(nghttp2_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0);
  const auto window_bytes = static_cast<int32_t>(limits_.connection_window_bytes);
  PORTICO_CHECK(nghttp2_session_set_local_window_size(nghttp2_.get(), NGHTTP2_FLAG_NONE, 0, window_bytes) == 0);
}

void Session::FeedEnd() {
  closed_ = ended_ = true;
  EndStreams();
}

bool Session::WantsClose() const {
  if (ended_) return true;
  return nghttp2_session_want_read(nghttp2_.get()) == 0 && nghttp2_session_want_write(nghttp2_.get()) == 0;
}

Stream* Session::Find(StreamId id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

Stream& Session::Add(StreamId id, base::Arena& arena) {
  std::unique_ptr<Stream>& place = streams_[id];
  PORTICO_CHECK(place == nullptr, "a stream id is used once");
  place = std::make_unique<Stream>(id, limits_, arena);
  if (first_window_bytes_ < limits_.stream_window_bytes) place->narrow = std::max<size_t>(first_window_bytes_ / 2, 1);
  return *place;
}

std::vector<nghttp2_nv>& Session::Lines(std::initializer_list<std::pair<std::string_view, std::string_view>> pseudo,
                                        const Fields& fields) {
  lines_.clear();
  for (const auto& [name, value] : pseudo)
    lines_.push_back(ToLine(name, value, false));
  for (const Field& line : fields)
    lines_.push_back(ToLine(line.name, line.value, IsSecret(line)));
  return lines_;
}

void Session::SendContent(StreamId id, base::Buffer& content, bool end) {
  Stream* stream = Find(id);
  if (stream == nullptr || stream->reset || stream->head_alone) {
    content.Clear();
    return;
  }
  PORTICO_CHECK(!stream->said_end, "content after the end");
  unsent_bytes_ += content.size();
  // From here on small pieces are copied together: each would hold the whole block that it was read into.
  if (!stream->gathers && stream->content.size() >= kCrowdedShareBytes) {
    stream->gathers = true;
    base::Buffer gathered(pool_);
    gathered.MoveFrom(stream->content);
    stream->content = std::move(gathered);
  }
  stream->content.MoveFrom(content);
  stream->said_end = end;
  if (stream->content.size() > kSendLowMarkBytes) stream->above_low_mark = true;
  // Fails when nghttp2 has not asked for content yet: then it will.
  nghttp2_session_resume_data(nghttp2_.get(), static_cast<int32_t>(id));
}

void Session::SendTrailers(StreamId id, const Fields& trailers) {
  Stream* stream = Find(id);
  if (stream == nullptr || stream->reset || stream->head_alone) return;
  PORTICO_CHECK(!stream->said_end, "trailers after the end");
  stream->said_end = true;
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Field& line : trailers) {
    if (!IsForbiddenInTrailers(line.id)) lines.emplace_back(line.name, line.value);
  }
  if (!lines.empty()) stream->trailers = std::move(lines);
  nghttp2_session_resume_data(nghttp2_.get(), static_cast<int32_t>(id));
}

void Session::SubmitTrailers(const Stream& stream) {
  lines_.clear();
  for (const auto& [name, value] : *stream.trailers)
    lines_.push_back(ToLine(name, value, false));
  PORTICO_CHECK(nghttp2_submit_trailer(nghttp2_.get(), static_cast<int32_t>(stream.id), lines_.data(), lines_.size()) ==
                0);
}

size_t Session::Unsent(StreamId id) const {
  const Stream* stream = Find(id);
  return stream == nullptr ? 0 : stream->content.size();
}

bool Session::TakesMore(StreamId id) {
  Stream* stream = Find(id);
  if (stream == nullptr) return true;
  if (stream->content.size() > kSendHighMarkBytes) return false;
  const bool crowded = unsent_bytes_ > limits_.connection_unsent_bytes_max;
  if (!crowded || stream->content.size() <= kCrowdedShareBytes) return true;
  if (!std::exchange(stream->crowded_out, true)) crowd_.push_back(id);
  return false;
}

void Session::Consumed(StreamId id, size_t bytes) {
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  PORTICO_CHECK(bytes <= stream->unconsumed, "more consumed than was delivered");
  stream->unconsumed -= bytes;
  if (stream->reset || stream->received_end) return;  // nothing more comes that a window could be for
  if (stream->narrow > 0) Widen(*stream, bytes);
  PORTICO_CHECK(nghttp2_session_consume_stream(nghttp2_.get(), static_cast<int32_t>(id), bytes) == 0);
}

// Somebody takes what comes: from now on more of it may be on its way. It is told where half of the window would have
// been given back anyway, and before that is: one frame says both.
void Session::Widen(Stream& stream, size_t consumed_bytes) {
  stream.narrow -= std::min(stream.narrow, consumed_bytes);
  if (stream.narrow > 0) return;
  const auto window_bytes = static_cast<int32_t>(limits_.stream_window_bytes);
  PORTICO_CHECK(nghttp2_session_set_local_window_size(nghttp2_.get(), NGHTTP2_FLAG_NONE,
                                                      static_cast<int32_t>(stream.id), window_bytes) == 0);
}

void Session::SubmitReset(Stream& stream, uint32_t error_code) {
  const auto id = static_cast<int32_t>(stream.id);
  PORTICO_CHECK(nghttp2_submit_rst_stream(nghttp2_.get(), NGHTTP2_FLAG_NONE, id, error_code) == 0);
}

void Session::ResetTooLarge(Stream& stream) {
  stream.reason = ResetReason::kTooLarge;
  SubmitReset(stream, ErrorCode(ResetReason::kTooLarge));
}

void Session::Reset(StreamId id, ResetReason reason) {
  Stream* stream = Find(id);
  if (stream == nullptr || stream->reset) return;
  stream->reset = true;
  LeaveTheCrowd(*stream);
  unsent_bytes_ -= stream->content.size();
  stream->content.Clear();
  SubmitReset(*stream, ErrorCode(reason));
}

void Session::Produce(base::Buffer& out) {
  PORTICO_CHECK(out_ == nullptr && input_ == nullptr, "Produce inside an event");
  if (ended_) return;
  out_ = &out;
  do {
    Pump(out);
  } while (DeliverSendReady() && out.size() < kSendHighMarkBytes);
  if (misbehaviour_.exceeded()) {
    Fail(NGHTTP2_ENHANCE_YOUR_CALM, "the peer misbehaves");
    Pump(out);
  }
  out_ = nullptr;
  if (!out.empty()) misbehaviour_.Written();
  // A GOAWAY for a connection error of nghttp2's own, or the last stream of a connection that drains.
  if (!ended_ && nghttp2_session_want_read(nghttp2_.get()) == 0) {
    closed_ = true;
    EndStreams();
  }
}

void Session::Pump(base::Buffer& out) {
  while (!ended_ && out.size() < kSendHighMarkBytes && nghttp2_session_want_write(nghttp2_.get()) != 0) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(nghttp2_.get(), &bytes);
    if (size < 0) {
      error_ = "out of memory";
      FeedEnd();
    }
    if (size <= 0) return;
    out.Append(std::string_view(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)));
  }
}

void Session::TellReady(Stream& stream) {
  if (!std::exchange(stream.is_ready, true)) send_ready_.push_back(stream.id);
}

// True: it was in it.
bool Session::LeaveTheCrowd(Stream& stream) {
  if (!std::exchange(stream.crowded_out, false)) return false;
  std::erase(crowd_, stream.id);
  return true;
}

// All of them, in the order in which they were told to wait: each asks again, and waits again, behind the others, if
// those before it have filled the connection.
void Session::LetInTheCrowd() {
  if (crowd_.empty() || unsent_bytes_ > limits_.connection_unsent_bytes_max / 2) return;
  for (const StreamId id : std::exchange(crowd_, {})) {
    Stream& stream = *Find(id);
    stream.crowded_out = false;
    TellReady(stream);
  }
}

bool Session::DeliverSendReady() {
  LetInTheCrowd();
  const std::vector<StreamId> ready = std::exchange(send_ready_, {});
  for (const StreamId id : ready) {
    Stream* stream = Find(id);
    if (stream == nullptr) continue;
    stream->is_ready = false;
    if (!stream->over() && !stream->said_end) events_.OnSendReady(id);
  }
  return !ready.empty();
}

void Session::Fail(uint32_t error_code, std::string_view text) {
  if (closed_) return;
  closed_ = true;
  error_ = text;
  if (nghttp2_session_terminate_session(nghttp2_.get(), error_code) != 0) ended_ = true;
  EndStreams();
}

void Session::EndStreams() {
  // Taken out first: nothing that a handler calls finds a stream any more.
  const auto streams = std::exchange(streams_, {});
  crowd_.clear();
  unsent_bytes_ = 0;
  for (const auto& [id, stream] : streams) {
    if (!stream->over()) events_.OnReset(id, ResetReason::kClosed);
  }
}

uint32_t ErrorCode(ResetReason reason) {
  switch (reason) {
    case ResetReason::kRefused:
      return NGHTTP2_REFUSED_STREAM;
    case ResetReason::kProtocol:
      return NGHTTP2_PROTOCOL_ERROR;
    case ResetReason::kInternal:
      return NGHTTP2_INTERNAL_ERROR;
    case ResetReason::kNoError:
      return NGHTTP2_NO_ERROR;
    case ResetReason::kCancelled:
    case ResetReason::kClosed:
    case ResetReason::kTooLarge:
      return NGHTTP2_CANCEL;
  }
  return NGHTTP2_INTERNAL_ERROR;
}

ResetReason ReasonOf(uint32_t error_code) {
  switch (error_code) {
    case NGHTTP2_NO_ERROR:
      return ResetReason::kNoError;
    case NGHTTP2_REFUSED_STREAM:
      return ResetReason::kRefused;
    case NGHTTP2_CANCEL:
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return ResetReason::kCancelled;
    case NGHTTP2_PROTOCOL_ERROR:
    case NGHTTP2_FLOW_CONTROL_ERROR:
    case NGHTTP2_STREAM_CLOSED:
    case NGHTTP2_FRAME_SIZE_ERROR:
    case NGHTTP2_COMPRESSION_ERROR:
      return ResetReason::kProtocol;
    default:
      return ResetReason::kInternal;
  }
}

}  // namespace portico::http::h2
