#include "test/simulation/http1_client.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "api/base/text.h"

namespace portico::simulation {

bool Http1Client::CanBegin() const {
  if (last_ || disconnect_ || sending_ != nullptr) return false;
  if (exchanges_.empty()) return true;
  // Behind a response that takes so long a 100 would come too late.
  const bool drips = exchanges_.back()->script().pace == Script::Pace::kDrip;
  return pipelines_ && !drips && exchanges_.size() < kPipelineMax;
}

void Http1Client::OnConnected() {
  Http1Reader::Sink& sink = *this;
  reader_ = std::make_unique<Http1Reader>(sink);
  output_.clear();
  last_ = perhaps_last_ = disconnect_ = false;
}

// RFC 9112 section 9.6: requests behind the last response of a connection are simply lost, and so are those behind one
// that is broken off.
void Http1Client::OnDisconnected(bool excused) {
  sending_ = nullptr;
  excused = excused || perhaps_last_;
  for (auto& exchange : std::exchange(exchanges_, {})) {
    exchange->Cut(excused);
    excused = excused || exchange->script().uncertain();
    parts().loop.Post([dead = std::shared_ptr<ClientExchange>(std::move(exchange))] {});
  }
}

void Http1Client::BeginExchange(std::unique_ptr<ClientExchange> exchange) {
  const Script& script = exchange->script();
  output_ +=
      base::Concat(script.method, " ", script.path(), " HTTP/1.1\r\nhost: sim.example\r\nx-token: ", script.token,
                   "\r\nX-Request-Id: ", script.token, "\r\n");
  const bool content = script.method == "POST" || script.method == "PUT";
  if (content && script.request_length_known) output_ += base::Concat("Content-Length: ", script.request_bytes, "\r\n");
  if (content && !script.request_length_known) output_ += "Transfer-Encoding: chunked\r\n";
  if (script.request_trailers) output_ += "Trailer: x-trailer\r\n";
  if (script.response_trailers) output_ += "TE: trailers\r\n";
  held_back_ = script.expects_continue;
  if (held_back_) output_ += "Expect: 100-continue\r\n";
  output_ += "\r\n";
  sent_ = 0;
  if (content) sending_ = exchange.get();
  exchanges_.push_back(std::move(exchange));
  if (content && script.request_length_known && script.request_bytes == 0) sending_ = nullptr;
}

std::string_view Http1Client::Output() {
  while (sending_ != nullptr && !held_back_ && output_.size() < kOutputBytes)
    MakeContent();
  return output_;
}

void Http1Client::MakeContent() {
  const Script& script = sending_->script();
  const size_t left = script.request_bytes - static_cast<size_t>(sent_);
  const size_t size = std::min<size_t>(left, 1 + random().Below(kOutputBytes));
  if (!script.request_length_known && size > 0) {
    char head[24];
    std::snprintf(head, sizeof head, "%zx%s\r\n", size, random().Below(4) == 0 ? ";a=b" : "");
    output_ += head;
  }
  output_ += ContentPiece(script.token, 'q', sent_, size);
  if (!script.request_length_known && size > 0) output_ += "\r\n";
  sent_ += size;
  if (sent_ == script.request_bytes) EndContent();
}

void Http1Client::EndContent() {
  const Script& script = sending_->script();
  if (!script.request_length_known) output_ += "0\r\n";
  if (script.request_trailers) output_ += base::Concat("x-trailer: ", script.token, "\r\n");
  if (!script.request_length_known) output_ += "\r\n";
  sending_ = nullptr;
}

void Http1Client::OnBytes(std::string_view bytes) {
  const std::string wrong = reader_->Feed(bytes);
  if (!wrong.empty()) {
    const std::string token = exchanges_.empty() ? "(idle)" : exchanges_.front()->script().token;
    parts().judge.Violation(token, base::Concat("the client reads ", wrong));
  }
  if (!wrong.empty() || disconnect_) Disconnect(/*abort=*/false, /*excused=*/last_);
}

Http1Reader::Sink::Due Http1Client::ResponseDue() {
  if (exchanges_.empty() || disconnect_) return Due::kNothing;
  return exchanges_.front()->script().to_head() ? Due::kResponseToHead : Due::kResponse;
}

void Http1Client::OnInformational(int status) {
  exchanges_.front()->Informational(status);
  if (status == 100 && sending_ == exchanges_.front().get()) held_back_ = false;
}

void Http1Client::OnHead(int status, FieldList fields) {
  const bool closes = std::any_of(fields.begin(), fields.end(), [](const auto& field) {
    return field.first == "connection" && base::EqualsIgnoreCase(field.second, "close");
  });
  last_ = last_ || closes;
  exchanges_.front()->Head(status, std::move(fields));
}

// An answer before the end of the request: the rest interests nobody, and the connection can't go on without it.
void Http1Client::OnEnd() {
  std::unique_ptr<ClientExchange> ended = std::move(exchanges_.front());
  exchanges_.pop_front();
  ended->End();
  if (sending_ == ended.get()) {
    sending_ = nullptr;
    last_ = true;
  }
  perhaps_last_ = perhaps_last_ || ended->script().request_bytes > kUnreadBytesMax;
  disconnect_ = last_;
  parts().loop.Post([dead = std::shared_ptr<ClientExchange>(std::move(ended))] {});
  StepSoon();
}

void Http1Client::OnLeaving(ClientExchange& exchange) {
  for (const auto& one : exchanges_)
    one->Leave();
  Disconnect(/*abort=*/random().Below(2) == 0);
}

}  // namespace portico::simulation
