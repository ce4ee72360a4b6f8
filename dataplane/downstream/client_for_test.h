#ifndef PORTICO_DATAPLANE_DOWNSTREAM_CLIENT_FOR_TEST_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_CLIENT_FOR_TEST_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/downstream/world_for_test.h"
#include "dataplane/http/h1/client_codec.h"
#include "dataplane/http/h2/client_codec.h"

namespace portico::test {

// A client of a World that speaks through a real codec, so that one table can be run over HTTP/1.1 and HTTP/2.
class Client final : private http::ClientEvents {
 public:
  // One response as the client got it.
  struct Answer {
    base::Arena arena;
    int status = 0;
    std::vector<int> informational;
    FieldList fields;
    std::string content, trailers;
    bool ended = false;
    int finals = 0;  // final heads; more than one is wrong
    std::optional<http::ResetReason> reset;

    std::string Field(std::string_view name) const {
      std::string value = "(none)";
      for (const auto& [its_name, its_value] : fields)
        if (its_name == name) value = its_value;
      return value;
    }
  };

  Client(World& world, bool http2) : world_(world) {
    http::ClientEvents& events = *this;
    if (http2) {
      codec_ = std::make_unique<http::h2::ClientCodec>(events, limits_);
    } else {
      codec_ = std::make_unique<http::h1::ClientCodec>(limits_, events, nullptr);
    }
  }

  // 0: HTTP/1.1 has one under way.
  http::StreamId Ask(std::string_view method, std::string_view path, bool end = true, const FieldList& fields = {}) {
    auto answer = std::make_unique<Answer>();
    http::RequestHead head(answer->arena);
    head.method = method;
    head.scheme = "http";
    head.authority = "shop.example";
    head.path = path;
    head.framing.ends_with_head = end;
    for (const auto& [name, value] : fields)
      head.fields.Add(name, value);
    if (codec_->CanSend() == 0) return 0;
    const http::StreamId id = codec_->SendRequest(head, end, answer->arena);
    if (id != 0) answers_[id] = std::move(answer);
    return id;
  }
  void Content(http::StreamId id, std::string_view text, bool end) {
    base::Buffer content;
    content.Append(base::Slice::Copy(text));
    codec_->SendContent(id, content, end);
  }
  void Trailers(http::StreamId id, const FieldList& list) {
    http::Fields section(answers_.at(id)->arena);
    for (const auto& [name, value] : list)
      section.Add(name, value);
    codec_->SendTrailers(id, section);
  }
  void Reset(http::StreamId id) { codec_->Reset(id, http::ResetReason::kCancelled); }
  // Both ways until nothing moves. Not reading leaves what came in the far end.
  void Turn() {
    for (int round = 0; round < 4; ++round) {
      base::Buffer out;
      codec_->Produce(out);
      if (!out.empty()) world_.far->Say(out.ToString());
      world_.Turn();
      if (const std::string bytes = world_.far->TakeWritten(); !bytes.empty()) codec_->Feed(base::Slice::Copy(bytes));
      codec_->Resume();
      if ((world_.far->shut_down || world_.far->destroyed) && !std::exchange(end_told_, true)) {
        codec_->FeedEnd(!world_.far->aborted);
      }
    }
  }
  const Answer& answer(http::StreamId id) const { return *answers_.at(id); }
  const std::map<http::StreamId, std::unique_ptr<Answer>>& answers() const { return answers_; }

  std::function<bool(http::StreamId)> reads;  // the streams whose content is read; nullptr: all

 private:
  void OnInformational(http::StreamId id, http::ResponseHead head) override {
    answers_.at(id)->informational.push_back(head.status);
  }
  void OnResponse(http::StreamId id, http::ResponseHead head) override {
    Answer& answer = *answers_.at(id);
    ++answer.finals;
    answer.status = head.status;
    for (const http::Field& field : head.fields)
      answer.fields.emplace_back(field.name, field.value);
  }
  void OnContent(http::StreamId id, base::Slice content) override {
    answers_.at(id)->content += content.view();
    if (!reads || reads(id)) codec_->Consumed(id, content.size());
  }
  void OnTrailers(http::StreamId id, http::Fields trailers) override {
    for (const http::Field& field : trailers)
      answers_.at(id)->trailers += std::string(field.name) + ": " + std::string(field.value) + "\n";
  }
  void OnMessageEnd(http::StreamId id) override { answers_.at(id)->ended = true; }
  void OnReset(http::StreamId id, http::ResetReason reason) override { answers_.at(id)->reset = reason; }
  void OnSendReady(http::StreamId) override {}

  World& world_;
  const http::Limits limits_;
  std::unique_ptr<http::ClientCodec> codec_;
  std::map<http::StreamId, std::unique_ptr<Answer>> answers_;
  bool end_told_ = false;
};

}  // namespace portico::test

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_CLIENT_FOR_TEST_H_
