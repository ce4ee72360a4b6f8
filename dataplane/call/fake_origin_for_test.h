#ifndef PORTICO_DATAPLANE_CALL_FAKE_ORIGIN_FOR_TEST_H_
#define PORTICO_DATAPLANE_CALL_FAKE_ORIGIN_FOR_TEST_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/base/buffer.h"
#include "dataplane/call/call.h"
#include "dataplane/http/message.h"

namespace portico::test {

using FieldList = std::vector<std::pair<std::string, std::string>>;

// One call as the origin saw it; lives on when the call is gone. The test plays the origin with the verbs.
struct Asked {
  std::string method, authority, target, content, trailers;
  FieldList fields;
  std::optional<base::Duration> attempt_timeout;
  std::optional<call::Retry> retry;
  bool ended = false;  // the request is whole
  bool ended_with_head = false;
  bool expects_continue = false;
  int ends = 0;       // how often the call was told the end; more than once is wrong
  size_t unsent = 0;  // the test's: what the origin has not taken
  size_t consumed = 0;
  int attempts = 1;                      // the test's: how often it was tried
  bool answered = false;                 // a final head was sent
  call::CallHandler* handler = nullptr;  // nullptr: the call is gone
  base::Arena* arena = nullptr;

  bool alive() const { return handler != nullptr; }
  // "(none)" if there is no such field; of several the last.
  std::string Field(std::string_view name) const {
    std::string value = "(none)";
    for (const auto& [its_name, its_value] : fields)
      if (its_name == name) value = its_value;
    return value;
  }

  // All of them do nothing once the call is gone.
  void Head(int status, const FieldList& more = {}, bool ends = false) {
    if (!alive()) return;
    http::ResponseHead head(*arena);
    head.status = status;
    head.framing.ends_with_head = ends;
    for (const auto& [name, value] : more) {
      head.fields.Add(name, value);
      if (name == "content-length") head.framing.length = std::stoull(value);
    }
    if (status < 200) return handler->OnInformational(head);
    answered = true;
    handler->OnResponse(std::move(head));
    if (ends) End();
  }
  void Content(std::string_view content_piece) {
    if (alive()) handler->OnContent(base::Slice::Copy(content_piece));
  }
  void Trailers(const FieldList& list) {
    if (!alive()) return;
    http::Fields section(*arena);
    for (const auto& [name, value] : list)
      section.Add(name, value);
    handler->OnTrailers(std::move(section));
  }
  void End() {
    if (alive()) handler->OnEnd();
  }
  void Answer(int status, std::string_view whole_content) {
    Head(status, {{"content-length", std::to_string(whole_content.size())}}, whole_content.empty());
    if (whole_content.empty()) return;
    Content(whole_content);
    End();
  }
  void Fail(call::ErrorKind kind, call::Fault fault = call::Fault::kOrigin) {
    if (alive()) handler->OnError({kind, false, "scripted", fault});
  }
  void TakeAll() {
    unsent = 0;
    if (alive()) handler->OnSendReady();
  }
};

class FakeOrigin final : public call::Backend {
 public:
  explicit FakeOrigin(std::string name) : name_(std::move(name)) {}

  std::string_view name() const override { return name_; }
  std::unique_ptr<call::Call> Start(const call::CallRequest& request, call::CallHandler& handler) override {
    auto one = std::make_shared<Asked>();
    one->method = request.head->method;
    one->authority = request.head->authority;
    one->target = request.head->path;
    request.span.WriteNext();
    for (const http::Field& field : request.head->fields)
      one->fields.emplace_back(field.name, field.value);
    one->expects_continue = request.head->expects_continue;
    one->attempt_timeout = request.attempt_timeout;
    one->retry = request.retry;
    one->ended = one->ended_with_head = request.end;
    one->handler = &handler;
    one->arena = request.arena;
    asked.push_back(one);
    return std::make_unique<FakeCall>(std::move(one));
  }
  size_t under_way() const {
    size_t count = 0;
    for (const auto& one : asked)
      count += one->alive() ? 1 : 0;
    return count;
  }

  std::vector<std::shared_ptr<Asked>> asked;  // every call ever begun, in order

 private:
  class FakeCall final : public call::Call {
   public:
    explicit FakeCall(std::shared_ptr<Asked> asked) : asked_(std::move(asked)) {}
    ~FakeCall() override { asked_->handler = nullptr; }

    void SendContent(base::Buffer& content, bool end) override {
      asked_->content += content.ToString();
      if (end) End();
      content.Clear();
    }
    void SendTrailers(const http::Fields& trailers) override {
      for (const http::Field& field : trailers)
        asked_->trailers += std::string(field.name) + ": " + std::string(field.value) + "\n";
      End();
    }
    size_t Unsent() const override { return asked_->unsent; }
    void Consumed(size_t bytes) override { asked_->consumed += bytes; }
    call::CallFacts facts() const override {
      call::CallFacts facts{"192.0.2.1:9001", asked_->attempts, false};
      if (asked_->retry) facts.retries = "scripted";
      return facts;
    }

   private:
    void End() {
      asked_->ended = true;
      ++asked_->ends;
    }

    const std::shared_ptr<Asked> asked_;
  };

  const std::string name_;
};

}  // namespace portico::test

#endif  // PORTICO_DATAPLANE_CALL_FAKE_ORIGIN_FOR_TEST_H_
