#include "test/simulation/http2_client.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/base/text.h"

namespace portico::simulation {
namespace {

base::Duration PauseOf(Script::Pace pace) {
  return pace == Script::Pace::kDrip ? std::chrono::milliseconds(1000) : std::chrono::milliseconds(5);
}

FieldList ListOf(const http::Fields& fields) {
  FieldList list;
  for (const http::Field& field : fields)
    list.emplace_back(field.name, field.value);
  return list;
}

}  // namespace

Http2Client::Http2Client(const ClientParts& parts, std::deque<Script> scripts, size_t concurrency)
    : Client(parts, std::move(scripts)), concurrency_(concurrency) {
  // Smaller windows than most clients have: they fill up.
  limits_.stream_window_bytes = size_t{16'384} << random().Below(4);
}

Http2Client::~Http2Client() = default;

bool Http2Client::CanBegin() const {
  return !draining_ && streams_.size() < concurrency_ && codec_->CanSend() > 0;
}

void Http2Client::OnConnected() {
  http::ClientEvents& events = *this;
  codec_ = std::make_unique<http::h2::ClientCodec>(events, limits_, "http");
  output_.Clear();
  draining_ = false;
}

void Http2Client::OnDisconnected(bool excused) {
  for (auto& [id, stream] : std::exchange(streams_, {})) {
    stream.exchange->Cut(excused);
    parts().loop.Post([dead = std::shared_ptr<ClientExchange>(std::move(stream.exchange))] {});
  }
  parts().loop.Post([dead = std::shared_ptr<http::ClientCodec>(std::move(codec_))] {});
}

void Http2Client::BeginExchange(std::unique_ptr<ClientExchange> exchange) {
  const Script& script = exchange->script();
  base::Arena& arena = arenas_.emplace_back();
  http::RequestHead head(arena);
  head.method = script.method;
  head.scheme = "http";
  head.authority = "sim.example";
  head.path = arena.Copy(script.path());
  head.fields.Add("x-token", script.token);
  head.fields.Add("x-request-id", script.token);
  const bool content = script.method == "POST" || script.method == "PUT";
  if (content && script.request_length_known) {
    head.framing.length = script.request_bytes;
    head.fields.Add("content-length", base::Concat(script.request_bytes));
  }
  if (script.response_trailers) head.fields.Add("te", "trailers");
  head.expects_continue = script.expects_continue;
  if (script.expects_continue) head.fields.Add("expect", "100-continue");
  const bool ends = !content || (script.request_bytes == 0 && !script.request_trailers && random().Below(2) == 0);
  head.framing.ends_with_head = ends;
  const http::StreamId id = codec_->SendRequest(head, ends, arena);
  if (id == 0) return exchange->Cut(/*excused=*/true);
  streams_[id] = {std::move(exchange), 0, ends, script.expects_continue};
  SendContent(id);
}

Http2Client::Stream* Http2Client::Find(http::StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

void Http2Client::SendContent(http::StreamId id) {
  Stream* stream = Find(id);
  while (stream != nullptr && !stream->sent_end && !stream->held_back &&
         codec_->Unsent(id) <= http::kSendHighMarkBytes) {
    const Script& script = stream->exchange->script();
    const size_t left = script.request_bytes - static_cast<size_t>(stream->sent);
    const size_t size = std::min<size_t>(left, 1 + random().Below(20'000));
    base::Buffer piece;
    piece.Append(std::string_view(ContentPiece(script.token, 'q', stream->sent, size)));
    stream->sent += size;
    const bool last = stream->sent == script.request_bytes;
    stream->sent_end = last;
    if (!piece.empty() || !script.request_trailers) codec_->SendContent(id, piece, last && !script.request_trailers);
    if (last && script.request_trailers) {
      base::Arena& arena = arenas_.emplace_back();
      http::Fields trailers(arena);
      trailers.Add("x-trailer", script.token);
      codec_->SendTrailers(id, trailers);
    }
  }
}

void Http2Client::OnBytes(std::string_view bytes) {
  if (!codec_->Feed(base::Slice::Copy(bytes))) {
    parts().judge.Violation("(connection)", base::Concat("the client reads no HTTP/2: ", codec_->error()));
    return Disconnect(/*abort=*/false);
  }
  AfterEvents();
}

std::string_view Http2Client::Output() {
  codec_->Produce(output_);
  struct iovec vector;
  if (output_.Gather(&vector, 1) == 0) return {};
  return {static_cast<const char*>(vector.iov_base), vector.iov_len};
}

void Http2Client::AfterEvents() {
  if (draining_ && streams_.empty()) return Disconnect(/*abort=*/false);
  StepSoon();
}

void Http2Client::OnContent(http::StreamId id, base::Slice content) {
  Stream* stream = Find(id);
  if (stream == nullptr) return codec_->Consumed(id, content.size());
  stream->exchange->Content(content.view());
  const Script::Pace pace = stream->exchange->script().pace;
  if (pace == Script::Pace::kEager) return codec_->Consumed(id, content.size());
  if (stream->owed == 0) stream->give_back_at = parts().loop.Now() + PauseOf(pace);
  stream->owed += content.size();
  StepAt(stream->give_back_at);
}

void Http2Client::OnStep() {
  for (auto& [id, stream] : streams_) {
    if (stream.owed == 0) continue;
    const Script::Pace pace = stream.exchange->script().pace;
    if (parts().loop.Now() >= stream.give_back_at) {
      // Windows are given back by halves: of the smallest ones every few seconds.
      const size_t part =
          std::min<size_t>(stream.owed, pace == Script::Pace::kDrip ? 2000 : 1 + random().Below(20'000));
      stream.owed -= part;
      codec_->Consumed(id, part);
      stream.give_back_at = parts().loop.Now() + PauseOf(pace);
    }
    StepAt(stream.give_back_at);
  }
}

void Http2Client::OnTrailers(http::StreamId id, http::Fields trailers) {
  if (Stream* stream = Find(id)) stream->exchange->Trailers(ListOf(trailers));
}

void Http2Client::OnMessageEnd(http::StreamId id) {
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  stream->exchange->End();
  if (!stream->sent_end || codec_->Unsent(id) > 0) codec_->Reset(id, http::ResetReason::kNoError);
  Drop(id);
}

void Http2Client::OnReset(http::StreamId id, http::ResetReason reason) {
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  // Above the last stream of a GOAWAY: nobody has seen it, and it may be sent again (RFC 9113 section 6.8).
  stream->exchange->Cut(reason == http::ResetReason::kRefused && draining_);
  Drop(id);
}

void Http2Client::Drop(http::StreamId id) {
  auto node = streams_.extract(id);
  parts().loop.Post([dead = std::shared_ptr<ClientExchange>(std::move(node.mapped().exchange))] {});
  StepSoon();
}

void Http2Client::OnInformational(http::StreamId id, http::ResponseHead head) {
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  stream->exchange->Informational(head.status);
  if (head.status != 100) return;
  stream->held_back = false;
  SendContent(id);
}

void Http2Client::OnResponse(http::StreamId id, http::ResponseHead head) {
  if (Stream* stream = Find(id)) stream->exchange->Head(head.status, ListOf(head.fields));
}

void Http2Client::OnLeaving(ClientExchange& exchange) {
  if (exchange.impatient()) {
    for (const auto& [id, stream] : streams_)
      stream.exchange->Leave();
    return Disconnect(/*abort=*/true);
  }
  for (const auto& [id, stream] : streams_) {
    if (stream.exchange.get() != &exchange) continue;
    exchange.Leave();
    const http::StreamId leaving = id;
    codec_->Reset(leaving, http::ResetReason::kCancelled);
    Drop(leaving);
    return AfterEvents();
  }
}

}  // namespace portico::simulation
